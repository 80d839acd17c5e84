import { expect, test } from 'vitest'
import { Fault } from '../fault/fault.ts'
import { parseEventQuery } from './event-query.ts'

const CON = 'con_01890a5d-ac96-774b-bcce-b302099a8057'

test('words of every field, negated, open at the end and quoted', () => {
  expect(parseEventQuery(`connection:${CON} -agent:* code:invalid_* owner:"Ana B"`).terms).toEqual([
    { field: 'connection', value: CON, prefix: false, negated: false },
    { field: 'agent', value: '', prefix: true, negated: true },
    { field: 'code', value: 'invalid_', prefix: true, negated: false },
    { field: 'owner', value: 'Ana B', prefix: false, negated: false },
  ])
  expect(parseEventQuery('   ')).toEqual({ terms: [], from: null, to: null })
})

test('times bound the search, and negated they bound the other side', () => {
  const day = Date.UTC(2026, 0, 31)
  expect(parseEventQuery('after:2026-01-31 before:2026-01-31T12:00:00Z')).toEqual({ terms: [], from: day, to: day + 43_200_000 })
  expect(parseEventQuery('-after:2026-01-31')).toEqual({ terms: [], from: null, to: day })
})

test('a pasted id needs no field', () => {
  expect(parseEventQuery(CON).terms).toEqual([{ field: 'connection', value: CON, prefix: false, negated: false }])
  expect(parseEventQuery(`-${CON.replace('con', 'key')}`).terms).toEqual([{ field: 'subject', value: CON.replace('con', 'key'), prefix: false, negated: true }])
})

test.each([
  ['type:a.b hello', 10, 'says not where to look'],
  ['tpye:a.b', 1, 'is no field'],
  ['type:a.b -colour:red', 11, 'is no field'],
  ['code: x', 6, 'has no value'],
  ['code:a*b', 7, 'only at the end'],
  ['owner:"ana', 7, 'never closed'],
  ['after:yesterday', 7, 'is no time'],
])('%s is refused at character %i', (text, position, why) => {
  let fault: unknown
  try {
    parseEventQuery(text)
  } catch (error) {
    fault = error
  }
  expect(fault).toBeInstanceOf(Fault)
  expect(fault).toMatchObject({ code: 'invalid_request', details: { field: 'q', members: { position } } })
  expect((fault as Fault).message).toContain(`At character ${position} of the query: `)
  expect((fault as Fault).message).toContain(why)
})
