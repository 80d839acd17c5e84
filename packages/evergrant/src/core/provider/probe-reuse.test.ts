import { expect, test } from 'vitest'
import { probeReuse } from './probe-reuse.ts'
import type { Granted, Verdict } from './verdict.ts'

const NOTHING = { httpStatus: 200, code: null, text: null }
const BARE: Omit<Granted, 'accessToken' | 'refreshToken'> = {
  tokenType: 'Bearer',
  accessExpiresAt: null,
  refreshExpiresAt: null,
  scopes: null,
  account: null,
  accountLabel: null,
  idToken: null,
  facts: {},
}

/** A provider that replays a spent token for `windowSeconds` and then refuses it, while the grant lives on. */
function provider(windowSeconds: number) {
  let now = 0
  let newest = 0
  const spentAt = new Map<string, number>()
  const steps: string[] = []
  const granted = (n: number): Verdict => ({ kind: 'granted', said: NOTHING, grant: { ...BARE, accessToken: `at-${n}`, refreshToken: `rt-${n}` } })
  return {
    steps,
    elapsed: () => now,
    ports: {
      refresh: async (token: string): Promise<Verdict> => {
        const spent = spentAt.get(token)
        if (spent === undefined) {
          spentAt.set(token, now)
          newest += 1
          return granted(newest)
        }
        if (now - spent < windowSeconds * 1_000) return granted(newest)
        return { kind: 'dead', code: 'connection_revoked', said: { httpStatus: 400, code: 'invalid_grant', text: null } }
      },
      use: async () => null,
      wait: async (ms: number) => {
        now += ms
      },
      now: () => now,
      tell: (step: string) => void steps.push(step),
    },
  }
}

test('a grant that lives on after a refusal lets the window be narrowed, in few more presentations', async () => {
  const { ports, steps } = provider(60)
  const report = await probeReuse('rt-0', { forSeconds: 130, patienceSeconds: 600 }, ports)
  expect(report).toMatchObject({ class: 'P1', windowSeconds: 58, reuseEndsGrant: false })
  expect(report.evidence).toBe(
    'Probed: a spent refresh token worked again after 58 s, and was refused after 62 s (invalid_grant, HTTP 400); the grant lived on.',
  )
  expect(report.open).toContain('where between 58 and 62 s the window ends')
  expect(steps).toHaveLength(14)
})

test('patience ends the narrowing, not the probe', async () => {
  const { ports, elapsed } = provider(60)
  expect(await probeReuse('rt-0', { forSeconds: 130, patienceSeconds: 100 }, ports)).toMatchObject({ class: 'P1', windowSeconds: 35 })
  expect(elapsed()).toBeLessThan(100_000)
})

test('a window that outlives the trial is called as long as the trial, and what lies beyond is open', async () => {
  const { ports } = provider(3_600)
  const report = await probeReuse('rt-0', { forSeconds: 60, patienceSeconds: 600 }, ports)
  expect(report).toMatchObject({ class: 'P1', windowSeconds: 60, reuseEndsGrant: null })
  expect(report.open).toContain('how long a spent refresh token works beyond 60 s')
})
