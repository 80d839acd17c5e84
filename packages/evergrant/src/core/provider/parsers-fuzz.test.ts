// What reads texts and bytes that others wrote: dates, forms, tokens, codes, links, queries. Anything may stand there; the outcome is a value of the
// right shape, nothing, or a refusal of ours, and what we write is what we read.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { defineProvider } from '../../providers/define.ts'
import { readRepairLink } from '../connect/repair-link.ts'
import { Fault } from '../fault/fault.ts'
import { readRecoveryCode } from '../identity/recovery-codes.ts'
import type { JsonValue } from '../json.ts'
import { EVENT_FIELDS, parseEventQuery } from '../observe/event-query.ts'
import { readPushBody } from '../push/incoming-push.ts'
import { answerBytes, readAnswerBytes } from '../refresh/answer-bytes.ts'
import { parseJson, readAnswerBody } from './answer-body.ts'
import { decodeBase64Url, decodeJwt, decodeUtf8, encodeBase64Url } from './base64url.ts'
import { parseDuration, parseHttpDate, parseIsoInstant } from './dates.ts'
import { decodeForm, encodeForm } from './form.ts'
import { readScopes } from './grant.ts'
import { parseReuse } from './reuse-of.ts'

const RUNS = { numRuns: 600 }
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.uint8Array({ maxLength: 300 }).map((raw) => Buffer.from(raw).toString('latin1')),
  fc.json(),
)
/** Pieces that a parser knows, in any order. */
const pieces = (...known: readonly string[]): fc.Arbitrary<string> =>
  fc.array(fc.oneof(fc.constantFrom(...known), fc.nat(99_999).map(String), fc.string({ maxLength: 4 })), { maxLength: 12 }).map((parts) => parts.join(''))

/** Null for a refusal that names what is wrong; anything else that is thrown is a crash. */
function outcome<Value>(work: () => Value): Value | null {
  try {
    return work()
  } catch (error) {
    if (error instanceof Fault && error.code === 'invalid_request' && error.message.length > 10) return null
    throw error
  }
}

test('no text makes a reader of dates throw, and what it reads is a number', () => {
  const dates = fc.oneof(text, pieces('-', ':', 'T', 'Z', '.', '+', 'P', 'D', 'H', 'M', 'S', 'W', ', ', ' ', 'Sat', 'Nov', 'GMT', '2026', '11', '31'))
  fc.assert(
    fc.property(dates, (said) => {
      for (const read of [parseIsoInstant(said), parseHttpDate(said), parseDuration(said)]) expect(read === null || Number.isFinite(read)).toBe(true)
    }),
    RUNS,
  )
})

test('no text makes a reader of bodies throw, and what it reads is an object without a prototype of its own making', () => {
  const bodies = fc.oneof(text, pieces('{', '}', '[', ']', '"', ':', ',', '&', '=', '%', '__proto__', 'access_token', '\uFEFF'))
  fc.assert(
    fc.property(bodies, fc.boolean(), (said, form) => {
      const answer = { headers: form ? { 'content-type': 'application/x-www-form-urlencoded' } : {}, text: said }
      for (const read of [readAnswerBody(answer, form), decodeForm(said), readPushBody({ headers: {}, text: said })]) {
        expect(read === null || (typeof read === 'object' && !Array.isArray(read))).toBe(true)
        if (read !== null) expect(Object.getPrototypeOf(read)).toBe(Object.prototype)
      }
      expect(() => parseJson(said)).not.toThrow()
    }),
    RUNS,
  )
})

test('what is written as a form is read as it was', () => {
  const fields = fc.dictionary(fc.string({ minLength: 1 }), fc.string(), { minKeys: 1, noNullPrototype: true })
  fc.assert(
    fc.property(fields, (form) => {
      const { ['__proto__']: _, ...kept } = form
      fc.pre(Object.keys(kept).length > 0)
      expect(decodeForm(encodeForm(kept))).toEqual(kept)
    }),
  )
})

test('base64url and UTF-8 are read as the platform reads them, or not at all', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (raw) => {
      expect(decodeBase64Url(Buffer.from(raw).toString('base64url'))).toEqual([...raw])
      const read = decodeUtf8([...raw])
      if (read !== null) expect(Buffer.from(read, 'utf8')).toEqual(Buffer.from(raw))
    }),
  )
  fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (said) => encodeBase64Url(said) === Buffer.from(said.toWellFormed()).toString('base64url')))
  fc.assert(
    fc.property(
      fc.oneof(
        text,
        fc.array(text, { minLength: 3, maxLength: 3 }).map((parts) => parts.join('.')),
      ),
      (said) => {
        const read = decodeJwt(said)
        if (read !== null) expect([typeof read.header, typeof read.claims, said.split('.').length]).toEqual(['object', 'object', 3])
        expect(decodeBase64Url(said)?.every((byte) => byte >= 0 && byte < 256)).not.toBe(false)
      },
    ),
    RUNS,
  )
})

test('no query of events makes its reader throw anything but a sentence, and every term names a field', () => {
  const queries = fc.oneof(text, pieces(...EVENT_FIELDS.map((field) => `${field}:`), 'after:', 'before:', '-', '*', '"', ' ', '2026-11-21', 'con_'))
  fc.assert(
    fc.property(queries, (said) => {
      const read = outcome(() => parseEventQuery(said))
      for (const { field, value } of read?.terms ?? []) expect([EVENT_FIELDS.includes(field), typeof value]).toEqual([true, 'string'])
    }),
    RUNS,
  )
})

test('codes, links, scopes and reuse classes are read whole or not at all', () => {
  fc.assert(
    fc.property(fc.oneof(text, pieces('con_', '.', '-', 'P1:', 'P', ' ', ',', '01933b6e-7c1e-7000-8000-000000000000')), fc.jsonValue(), (said, value) => {
      const code = readRecoveryCode(said)
      if (code !== null) expect(readRecoveryCode(code)).toBe(code)
      const link = readRepairLink(said)
      if (link !== null) expect([Number.isFinite(link.brokenAt), Number.isFinite(link.madeOn)]).toEqual([true, true])
      const reuse = outcome(() => parseReuse(said))
      if (reuse !== null) expect(['P0', 'P1', 'P2', 'P3', 'P4']).toContain(reuse.class)
      for (const separator of [' ', ','] as const)
        expect(readScopes(value as JsonValue, separator)?.every((scope) => typeof scope === 'string' && scope !== '')).not.toBe(false)
    }),
    RUNS,
  )
})

test('an answer that is kept is read as it came, whatever its bytes and headers are', () => {
  const draft = { id: 'kept', name: 'Kept', authorize: { url: 'https://k.example/a' }, token: { url: 'https://k.example/t' } }
  const record = defineProvider({ ...draft, answer: { paths: { accessToken: 'header:X-Token' } } })
  const wrapped = fc.uint8Array({ maxLength: 100 }).map((body) => answerBytes(record, { headers: { 'x-token': 'a' }, body }))
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 400 }), wrapped), fc.uint8Array({ maxLength: 60 }), (body, said) => {
      const token = Buffer.from(said).toString('latin1')
      const read = readAnswerBytes(answerBytes(record, { headers: { 'content-type': 'application/json', 'x-token': token }, body }))
      expect([Buffer.from(read.body), read.headers]).toEqual([Buffer.from(body), { 'x-token': token }])
    }),
    RUNS,
  )
})
