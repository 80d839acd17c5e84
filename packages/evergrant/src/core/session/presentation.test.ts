import { expect, test } from 'vitest'
import { START, sessionRow } from '../../testing/session-games.ts'
import { DAY, HOUR } from '../time.ts'
import { judgeInput } from './presentation.ts'
import type { PresentationInput } from './sessions.ts'

const session = { ...sessionRow({}), generation: 3, previous: 2, issuedAt: START, usedAt: START }
const input = (generation: number): PresentationInput => ({
  session: session.id,
  generation,
  at: START + HOUR,
  idleMs: DAY,
  eventId: 'evt_1',
  address: '192.0.2.9',
  userAgent: null,
  shown: null,
})

test('a credential ahead of a restored record rolls the record forward, and the event says from where to where', () => {
  const { judgement, event, write } = judgeInput(session, input(7), START + HOUR)
  expect([judgement.kind, write]).toEqual(['roll_forward', 'rotation'])
  expect(event).toMatchObject({ type: 'session.rolled_forward', subject: session.id, data: { presented: 7, recorded: 3, generation: 8, address: '192.0.2.9' } })
})

test('an ordinary rotation is no news, and reuse names both addresses', () => {
  expect(judgeInput(session, input(3), START + HOUR)).toMatchObject({ judgement: { kind: 'rotate' }, event: null })
  expect(judgeInput(session, input(1), START + HOUR)).toMatchObject({
    judgement: { kind: 'reuse' },
    write: 'end',
    event: { type: 'session.reuse_detected', data: { address: '192.0.2.9', address_before: session.address } },
  })
})
