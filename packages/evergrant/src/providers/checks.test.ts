import { expect, test } from 'vitest'
import { checkRequest, judgeCheck } from '../core/connection/check-answer.ts'
import { contextOf } from '../testing/provider-contexts.ts'
import { catalogue } from './index.ts'

const TOKEN = 'planted-token'
const checked = catalogue.filter((record) => record.check !== null)

test('most records know a call that proves a token', () => {
  expect(checked.length).toBeGreaterThan(catalogue.length / 2)
})

test.each(checked.map((record) => [record.id, record] as const))('the check of %s is a whole request with the token', async (_, record) => {
  const facts = Object.fromEntries(Object.values(record.answer.facts).map((path) => [path, 'fact']))
  const names = Object.keys({ ...record.answer.facts, ...record.authorize.callback.facts })
  const own = Object.fromEntries(names.map((name) => [name, record.variables[name]?.example ?? exampleOf(name)]))
  const context = await contextOf(record, { facts: { ...facts, ...own } })
  const { check } = record
  const request = checkRequest(context, { accessToken: TOKEN, tokenType: 'Bearer' }, check?.needsScope ?? [])
  if (request === null) throw new Error('the scopes that it needs are granted')
  expect(new URL(request.url).protocol).toBe('https:')
  expect(JSON.stringify([request.url, request.headers])).not.toMatch(/\{[A-Za-z_]+\}/)
  expect(JSON.stringify(request)).toContain(TOKEN)
})

/** Facts of answers and callbacks are addresses or names. */
function exampleOf(name: string): string {
  return /url|base|endpoint/i.test(name) ? 'https://api.example.com' : 'example'
}

test.each(checked.map((record) => [record.id, record] as const))(
  'a page of %s in place of an answer proves nothing, and its documented answer proves the token',
  (_, record) => {
    const answer = (status: number, text: string, type = 'application/json') =>
      judgeCheck(record, { kind: 'answered', answer: { status, headers: { 'content-type': type }, body: new Uint8Array(), text } }, 0)
    for (const status of [200, 503]) expect(answer(status, '<html>maintenance</html>', 'text/html; charset=utf-8').kind).toBe('unreachable')
    const sample = record.samples.check
    if (sample !== null) expect(answer(200, JSON.stringify(sample)).kind).toBe('works')
  },
)
