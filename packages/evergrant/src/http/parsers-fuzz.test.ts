// What reads requests before any schema does: depth and keys of JSON, cookies, credentials, traces. Checked against a slower way to the same answer.
import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readTraceparent } from '../observability/spans.ts'
import { sessionCookiesOf } from './auth/session-cookie.ts'
import { bearerOf, proofsOf } from './authentication.ts'
import { csvLine } from './csv.ts'
import { duplicateKey, roundedNumber, tooDeepField } from './json-body.ts'

const RUNS = { numRuns: 600 }
const DEEPEST = 64

/** Written out with its own keys, so that one may stand there twice. */
type Node = { readonly pairs: readonly (readonly [string, Node])[] } | { readonly items: readonly Node[] } | { readonly value: unknown }

const { node } = fc.letrec<{ node: Node }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 5 },
    fc.record({ value: fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('"', '\\', '{', ',', null, 1, true)) }),
    fc.record({ items: fc.array(tie('node'), { maxLength: 3 }) }),
    fc.record({ pairs: fc.array(fc.tuple(fc.constantFrom('a', 'b', '"', '\\', 'a"b', '\u0061', ''), tie('node')), { maxLength: 4 }) }),
  ),
}))

function written(one: Node): string {
  if ('value' in one) return JSON.stringify(one.value)
  if ('items' in one) return `[${one.items.map(written).join(' ,')}]`
  return `{${one.pairs.map(([name, inner]) => `${JSON.stringify(name)}: ${written(inner)}`).join(',')}}`
}

function hasTwice(one: Node): boolean {
  if ('value' in one) return false
  if ('items' in one) return one.items.some(hasTwice)
  return new Set(one.pairs.map(([name]) => name)).size < one.pairs.length || one.pairs.some(([, inner]) => hasTwice(inner))
}

test('a key that stands twice in one object is found wherever it is, and in no other text', () => {
  fc.assert(
    fc.property(node, (one) => {
      expect(duplicateKey(written(one)) !== undefined).toBe(hasTwice(one))
    }),
    RUNS,
  )
})

test('a number that is kept as it is is no reason to refuse a text, wherever digits stand in it; one that is not is found', () => {
  fc.assert(
    fc.property(fc.json(), fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n }), (text, number) => {
      const kept = BigInt(Number(number)) === number || String(Number(number)) === String(number)
      const around = `{"a":["${number}\\"",{"${number}":${text}}],"b":${number}}`
      return roundedNumber(`{"a":["${number}\\"",${text}]}`) === undefined && roundedNumber(around) === (kept ? undefined : String(number))
    }),
    RUNS,
  )
})

test('nesting is counted outside of texts alone', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 * DEEPEST }), fc.boolean(), fc.string(), (depth, list, noise) => {
      const open = list ? '[' : '{"a":'
      const deep = open.repeat(depth) + JSON.stringify(noise) + (list ? ']' : '}').repeat(depth)
      expect(tooDeepField(deep) !== undefined).toBe(depth > DEEPEST)
      expect(tooDeepField(JSON.stringify([deep]))).toBeUndefined()
    }),
    RUNS,
  )
})

test('no header makes a reader of credentials, cookies or traces throw, and what is read stood in it', () => {
  const header = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(fc.constantFrom('Bearer ', 'DPoP ', 'eyJ', '.', ',', ';', '=', ' ', 'evergrant_session', '00-', 'f'.repeat(32))).map((parts) => parts.join('')),
  )
  fc.assert(
    fc.property(header, (text) => {
      const token = bearerOf(text)
      if (token !== undefined) expect(text.slice(0, 7).toLowerCase() === 'bearer ' && text.includes(token)).toBe(true)
      for (const proof of proofsOf({ headers: { dpop: text } } as never)) expect([text.includes(proof), proof.includes(',')]).toEqual([true, false])
      const cookies = sessionCookiesOf({ headers: { cookie: text } }, 'http://localhost')
      expect([cookies.length <= 4, cookies.every((cookie) => text.includes(cookie))]).toEqual([true, true])
      const parent = readTraceparent(text)
      if (parent !== null) expect(parent.traceId).toMatch(/^[0-9a-f]{32}$/)
    }),
    RUNS,
  )
})

test('what is exported is read by others as it was, and no cell begins with what a spreadsheet would run', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('=1+1', '+1', '-1', '@x', '\t', '\r\n', '"', ',')), { minLength: 2, maxLength: 5 }),
      (cells) => {
        const [read] = parse(csvLine(cells), { relaxColumnCount: true, recordDelimiter: '\r\n' }) as readonly (readonly string[])[]
        expect(read?.map((cell, index) => (cell === cells[index] ? cell : cell.slice(1)))).toEqual(cells)
        for (const cell of read ?? []) expect(cell).not.toMatch(/^[=+\-@\t\r]/)
      },
    ),
    RUNS,
  )
})
