import { expect, test } from 'vitest'
import { answered, contextOf, shipped } from '../../testing/provider-contexts.ts'
import { readAccountAnswer } from './account.ts'
import { judge } from './judge.ts'

const UNKEEPABLE = /\0|\p{Surrogate}/u

test('a NUL or half a character in what an answer says beside its tokens becomes a replacement character: PostgreSQL would never store the grant', async () => {
  const record = { ...shipped('oauth2'), account: [{ from: 'answer', path: 'user.id', label: 'user.name', pattern: null }] } as const
  const context = await contextOf({ ...record, answer: { ...record.answer, facts: { host: 'host' } } })
  const body = { access_token: 'at-2', refresh_token: 'rt-2', token_type: 'Bea\0rer', host: 'a\0b', user: { id: '7\0', name: 'Jo \ud83d' } }
  const verdict = judge(context, { step: 'refresh', outcome: answered(200, body), sentAt: 1, secrets: [] })
  expect(verdict).toMatchObject({
    kind: 'granted',
    grant: { tokenType: 'Bearer', account: '7\uFFFD', accountLabel: 'Jo \uFFFD', facts: { host: 'a\uFFFDb' } },
  })
  expect(verdict.kind === 'granted' ? Object.values({ ...verdict.grant, facts: '' }).some((value) => UNKEEPABLE.test(String(value))) : null).toBe(false)
})

test('an account that is asked for is read in the same way', async () => {
  const context = await contextOf(shipped('oauth2'))
  const source = {
    from: 'request',
    method: 'GET',
    url: '{userinfo}',
    headers: {},
    body: null,
    needsScope: [],
    path: 'sub',
    label: 'name',
    pattern: null,
  } as const
  expect(readAccountAnswer({ ...context, record: { ...context.record, account: [source] } }, { sub: 'a\0', name: 'b\0' })).toEqual({
    account: 'a\uFFFD',
    label: 'b\uFFFD',
  })
})

test.each(['MAC', 'DPoP', 'N_A', 'urn:ietf:params:oauth:token-type:jwt'])('the token type %s stays what it is', async (type) => {
  const context = await contextOf(shipped('oauth2'))
  const verdict = judge(context, { step: 'refresh', outcome: answered(200, { access_token: 'a', token_type: type }), sentAt: 1, secrets: [] })
  expect(verdict).toMatchObject({ kind: 'granted', grant: { tokenType: type } })
})

test.each(['', 'two words', 'Bearer\r\nx: y', 'Träger'])('the token type %j is no word, and the token is a bearer token', async (type) => {
  const context = await contextOf(shipped('oauth2'))
  const verdict = judge(context, { step: 'refresh', outcome: answered(200, { access_token: 'a', token_type: type }), sentAt: 1, secrets: [] })
  expect(verdict).toMatchObject({ kind: 'granted', grant: { tokenType: 'Bearer' } })
})
