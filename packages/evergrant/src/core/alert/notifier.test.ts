import { expect, test } from 'vitest'
import { systemEntropy } from '../../system.ts'
import { createManualTime } from '../../testing/manual-time.ts'
import { newId } from '../ids.ts'
import { DAY, MINUTE } from '../time.ts'
import type { Alert, Notice } from './alert.ts'
import type { Channel } from './channel.ts'
import { ChannelError } from './message.ts'
import { Notifier } from './notifier.ts'
import { NOTHING } from './signals.ts'

const organization = newId('org', systemEntropy)
const NOW = Date.UTC(2026, 0, 1, 12)

const channel: Channel = {
  ...{ id: newId('chn', systemEntropy), organization, kind: 'email', name: 'ops', enabled: true, sealed: null, to: ['ops@example.com'], digest: false },
  ...{ whenWell: false, webhook: null, host: null, quiet: null, lastSentAt: null, lastError: null, createdAt: NOW, updatedAt: NOW, version: 1 },
}
const alert: Alert = {
  ...{ id: newId('alt', systemEntropy), organization, kind: 'journal_not_empty', key: 'k', severity: 'warning', about: NOTHING, subject: null },
  ...{ count: 1, total: 1, openedAt: NOW, lastAt: NOW, resolvedAt: null, resolvedBy: null, acknowledgedAt: null, acknowledgedBy: null },
  ...{ snoozedUntil: null, toldAt: NOW, toldTotal: 1, version: 1 },
}

/** One notice in a database that is away for some of the calls. */
function lab(
  more: { readonly settleFails?: number; readonly noteFails?: number; readonly tell?: () => Promise<void>; readonly everyDay?: readonly Channel[] } = {},
) {
  const time = createManualTime(NOW)
  let notice: Notice = {
    ...{ id: newId('ntc', systemEntropy), organization, channel: channel.id, alert: alert.id, reason: 'opened', state: 'waiting', attempts: 0 },
    ...{ nextAt: NOW, createdAt: NOW },
  }
  const told: string[] = []
  const away = { settle: more.settleFails ?? 0, note: more.noteFails ?? 0 }
  const fail = (what: keyof typeof away): void => {
    away[what] -= 1
    if (away[what] >= 0) throw new Error('the database is away')
  }
  const notifier = new Notifier({
    alerts: {
      get: async () => alert,
      open: async () => [alert],
      takeNotices: async (now, until) => {
        if (notice.nextAt === null || notice.nextAt > now) return []
        const taken = notice
        notice = { ...notice, nextAt: until, attempts: notice.attempts + 1 }
        return [taken]
      },
      settleNotices: async (settled) => {
        if (settled.length > 0) fail('settle')
        for (const { state, nextAt } of settled) notice = { ...notice, state, nextAt }
      },
    },
    channels: { get: async () => channel, note: async () => fail('note'), everyDay: async () => more.everyDay ?? [], claimDay: async () => true },
    minuteOfDay: (at, zone) => {
      if (zone !== 'UTC') throw new RangeError(`Invalid time zone specified: ${zone}`)
      return Math.floor((at % DAY) / MINUTE)
    },
    tell: async (_address, { title }) => {
      await more.tell?.()
      told.push(title)
    },
    seal: { openText: () => '' },
    clock: time.clock,
    entropy: systemEntropy,
    log: { info: () => {}, warn: () => {}, error: () => {} },
    links: { all: '', metrics: '', alert: () => '', runbook: () => '' },
    report: async () => undefined,
  })
  /** Every two seconds, as its chore. */
  const work = async (minutes: number): Promise<void> => {
    for (let end = time.clock.wall() + minutes * MINUTE; time.clock.wall() <= end; await time.advance(2_000)) await notifier.run().catch(() => {})
  }
  return { told, work, notifier, state: () => notice.state }
}

test.each([
  ['that it was sent', { settleFails: 1 }],
  ['that the channel took it', { noteFails: 1 }],
  ['anything for a while', { settleFails: 3, noteFails: 3 }],
])('a channel is told once, also when the database cannot write down %s', async (_what, away) => {
  const { told, work, state } = lab(away)
  await work(10)
  expect([told.length, state()]).toEqual([1, 'sent'])
})

test('what a channel did not take is told again', async () => {
  let full = true
  const tell = async (): Promise<void> => {
    if (full) throw new ChannelError('503')
  }
  const { told, work, state } = lab({ tell })
  await work(1)
  full = false
  await work(10)
  expect([told.length, state()]).toEqual([1, 'sent'])
})

test('a channel whose day cannot be told holds up the letters of no other', async () => {
  const quiet = { from: '22:00', to: '06:00', timeZone: 'Mars/Olympus' }
  const daily = { ...channel, digest: true, whenWell: true, createdAt: NOW - DAY }
  const { notifier, told } = lab({ everyDay: [{ ...daily, quiet }, daily] })
  await notifier.runDaily()
  expect(told).toHaveLength(1)
})
