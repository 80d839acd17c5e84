import { expect, test } from 'vitest'
import { contextOf, shipped } from '../../testing/provider-contexts.ts'
import { parseJson, readAnswerBody } from './answer-body.ts'
import { decodeJwt } from './base64url.ts'
import { judge } from './judge.ts'

const wire = (text: string) => ({ status: 200, headers: { 'content-type': 'application/json' }, body: new TextEncoder().encode(text), text })

test('a whole number that a double would round comes as its digits, and every other value as it is', () => {
  expect(parseJson('{"a":[17841400000000001234,{"b":-9007199254740993}],"c":9007199254740992}')).toEqual({
    a: ['17841400000000001234', { b: '-9007199254740993' }],
    c: '9007199254740992',
  })
  const text = '{"a":9007199254740991,"b":-9007199254740991,"c":1.7841400000000001234,"d":1e30,"e":"17841400000000001234","17841400000000001234":null}'
  expect(parseJson(text)).toEqual(JSON.parse(text))
  expect(parseJson('17841400000000001234')).toBe('17841400000000001234')
  expect(parseJson('17841400000000001234,')).toBeUndefined()
  expect(parseJson(`${'['.repeat(100_000)}17841400000000001234`)).toBeUndefined()
  expect(readAnswerBody(wire('{"id":17841400000000001234}'), false)).toEqual({ id: '17841400000000001234' })
})

test('an account whose id is a number of twenty digits is that account and not one of its neighbours, and its expiry is a number', async () => {
  const record = { ...shipped('oauth2'), account: [{ from: 'answer', path: 'user_id', label: null, pattern: null }] } as const
  const context = await contextOf(record)
  const grantOf = (user: string) => {
    const text = `{"access_token":"at","token_type":"Bearer","expires_in":3600,"user_id":${user}}`
    const verdict = judge(context, { step: 'exchange', outcome: { kind: 'answered', answer: wire(text) }, sentAt: 0, secrets: [] })
    return verdict.kind === 'granted' ? [verdict.grant.account, verdict.grant.accessExpiresAt] : verdict
  }
  expect(grantOf('17841400000000001234')).toEqual(['17841400000000001234', 3_600_000])
  expect(grantOf('17841400000000001235')).toEqual(['17841400000000001235', 3_600_000])
})

test('an end that is far beyond every clock is an end all the same: in an answer, and in a token that says it itself', async () => {
  const context = await contextOf(shipped('oauth2'))
  const granted = (expiresIn: number | string) => {
    const text = `{"access_token":"at","token_type":"Bearer","expires_in":${expiresIn}}`
    return judge(context, { step: 'exchange', outcome: { kind: 'answered', answer: wire(text) }, sentAt: 0, secrets: [] })
  }
  expect(granted('9223372036854775807')).toEqual(granted('9e18'))
  const part = (text: string) => Buffer.from(text).toString('base64url')
  const token = `${part('{"alg":"RS256"}')}.${part('{"exp":9223372036854775807,"project":9223372036854775807}')}.c2ln`
  expect(decodeJwt(token)?.claims).toEqual({ exp: 2 ** 63, project: '9223372036854775807' })
})
