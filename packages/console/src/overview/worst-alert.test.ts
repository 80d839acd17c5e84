import { expect, test } from 'vitest'
import type { Overview } from '../api/console-operations.ts'
import { worstOf } from './worst-alert.ts'

const alert = (id: string, severity: string, minute: number, state = 'open') =>
  ({ id, severity, state, opened_at: new Date(Date.UTC(2026, 10, 22, 10, minute)).toISOString() }) as Overview['alerts'][number]

test('the most severe alert is told first, however old the others are', () => {
  expect(worstOf([alert('old', 'warning', 1), alert('blocked', 'critical', 2), alert('soon', 'info', 3)])?.id).toBe('blocked')
})

test('of two that are as severe, the later one is told', () => {
  expect(worstOf([alert('first', 'warning', 1), alert('second', 'warning', 2)])?.id).toBe('second')
})

test('what somebody has taken on, or silenced, stands back behind what nobody looks at', () => {
  expect(worstOf([alert('taken', 'critical', 1, 'acknowledged'), alert('new', 'info', 2)])?.id).toBe('new')
  expect(worstOf([alert('taken', 'critical', 1, 'acknowledged'), alert('silent', 'warning', 2, 'snoozed')])?.id).toBe('taken')
  expect(worstOf([])).toBeUndefined()
})
