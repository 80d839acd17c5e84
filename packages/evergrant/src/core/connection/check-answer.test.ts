import { expect, test } from 'vitest'
import { contextOf } from '../../testing/provider-contexts.ts'
import { checkRequest } from './check-answer.ts'

const token = { accessToken: 'access-1', tokenType: 'Bearer' }

test('a discovered server is asked for its userinfo, and one without any is not asked', async () => {
  const context = await contextOf('oidc')
  expect(checkRequest(context, token, ['openid'])).toMatchObject({ method: 'GET', url: 'https://id.example.com/userinfo' })
  const silent = { ...context, endpoints: { ...context.endpoints, userinfo: null } }
  expect(checkRequest(silent, token, ['openid'])).toBeNull()
})

test('a check that needs a scope is left out without it', async () => {
  const context = await contextOf('reddit')
  expect(checkRequest(context, token, ['identity'])).toMatchObject({ url: 'https://oauth.reddit.com/api/v1/me' })
  expect(checkRequest(context, token, ['read'])).toBeNull()
  expect(checkRequest(context, token, null)).toBeNull()
})
