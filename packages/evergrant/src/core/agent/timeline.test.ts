import { expect, test } from 'vitest'
import { START, tokenRow } from '../../testing/sdk-games.ts'
import type { AuditEvent } from '../audit/event.ts'
import { timelineOf } from './timeline.ts'

const event = (at: number) => ({ id: `evt_${at}`, at }) as unknown as AuditEvent

test('the newest is first, what followed stands above its cause, and no more than asked is shown', () => {
  const tokens = [tokenRow({ generation: 2, createdAt: START + 20 }), tokenRow({ createdAt: START, state: 'revoked', revokedAt: START + 10 })]
  const events = [event(START + 30), event(START + 10)]
  const told = timelineOf({ tokens, attempts: [], events }, 10).map(({ kind, at }) => `${at - START} ${kind}`)
  expect(told).toEqual(['30 event', '20 token_issued', '10 token_revoked', '10 event', '0 token_issued'])
  expect(timelineOf({ tokens, attempts: [], events }, 2)).toHaveLength(2)
})
