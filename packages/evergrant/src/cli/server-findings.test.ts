import { once } from 'node:events'
import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import type { JsonObject } from '../core/json.ts'
import type { Api } from './api.ts'
import { deathsFinding, limitFindings, quotaFindings, readinessFindings, secretFinding, sunsetFindings } from './server-findings.ts'

test('held ends are a problem with the command that decides; without them there is none', () => {
  expect(deathsFinding({ slug: 'google', deaths_held: null })).toEqual([])
  const [finding] = deathsFinding({ slug: 'google', deaths_held: { deaths: 7 } })
  expect(JSON.stringify(finding)).toContain('evergrant integrations deaths google confirm')
})

test('a client secret that is missing for certain is a problem with the command that sets it, a public client is worth a word', () => {
  const about = (client_secret_missing: JsonObject | null) => secretFinding({ slug: 'strava', client_secret_missing })
  const detail = 'what will happen'
  expect(about({ certain: true, detail })).toEqual([
    { name: 'client secret of strava', ok: false, detail, remedy: 'evergrant integrations update strava --client-secret-file <path>' },
  ])
  expect(about({ certain: false, detail })).toMatchObject([{ ok: true, detail, remedy: null }])
  expect(about(null)).toEqual([])
})

test('an announced end is worth a word for half a year, and a problem with its remedy in its last month and after it', () => {
  const about = (days_left: number) => sunsetFindings({ name: 'Acme', sunsets: [{ what: 'v1 tokens', on: '2027-01-01', instead: 'ask for v2', days_left }] })
  expect(about(120)).toEqual([{ name: 'announced by Acme', ok: true, detail: 'v1 tokens ends on 2027-01-01, in 120 days; instead: ask for v2', remedy: null }])
  expect(about(30)).toMatchObject([{ ok: false, remedy: 'ask for v2' }])
  expect(about(-2)).toMatchObject([{ ok: false, detail: 'v1 tokens has ended on 2027-01-01' }])
  expect(sunsetFindings({ name: 'Acme', sunsets: [] })).toEqual([])
})

test('a quota that is used up is worth a word, one of a single connection is not', async () => {
  const quota = { name: 'day', connection: null, limit: 2_000, used: 2_000, remaining: 0, resets_at: '2026-11-22T00:00:00.000Z' }
  const api: Api = {
    where: 'here',
    close: async () => {},
    call: async (_method, path): Promise<JsonObject> =>
      path.startsWith('integrations/')
        ? { quotas: [quota, { ...quota, remaining: 1 }, { ...quota, connection: 'con_1' }] }
        : { items: [{ slug: 'strava' }], cursor: null },
  }
  expect(await quotaFindings(api)).toEqual([
    {
      name: 'quotas of strava',
      ok: true,
      detail: 'the quota day is used up until 2026-11-22T00:00:00.000Z: calls through the proxy get 429 until then',
      remedy: null,
    },
  ])
})

test('an account near its limit is named once, and no more when it has room again', async () => {
  const api = (near: boolean): Api => ({
    where: 'here',
    close: async () => {},
    call: async (_method, path): Promise<JsonObject> => {
      if (path.startsWith('events')) return { items: [{ connection_id: 'con_1' }, { connection_id: 'con_2' }, { connection_id: null }] }
      return { integration: 'zoho', account: { id: 'u-1', label: 'ada' }, account_limit: { live: 17, cap: 20, next: 'oldest_ends', near } }
    },
  })
  expect(await limitFindings(api(true))).toMatchObject([
    { name: 'grants of an account at zoho', ok: false, detail: 'ada has 17 of 20 connections; beyond that the next consent ends the oldest grant' },
  ])
  expect(await limitFindings(api(false))).toEqual([])
})

test('a server that takes the connection and says nothing is given up when the time is over', async () => {
  const silent = createServer(() => late.abort(new Error('no answer in time'))).listen(0, '127.0.0.1')
  const late = new AbortController()
  await once(silent, 'listening')
  const address = silent.address()
  const port = typeof address === 'object' ? address?.port : 0
  await expect(readinessFindings(`http://127.0.0.1:${port}`, late.signal)).rejects.toThrow('no answer in time')
  silent.close()
})
