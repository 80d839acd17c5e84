import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { readConfig } from '../config.ts'
import type { ProbeReport } from '../core/provider/probe-reuse.ts'
import { type PracticeProvider, startPracticeProvider } from '../practice/provider.ts'
import { runCommandLine } from './program.ts'
import { type ProbeOrder, probeProvider } from './provider-probe.ts'

let practice: PracticeProvider
let folder = ''
let told: string[] = []

beforeAll(async () => {
  const profiles = {
    'p0-new': { reuse: 'P0', rotation: 'new' },
    'p0-omit': { reuse: 'P0', rotation: 'omit' },
    'p1-minute': { reuse: 'P1', windowSeconds: 60 },
    'p3-ends': { reuse: 'P3', refreshEndsAccessToken: true },
    'p3-idle': { reuse: 'P3', noopAboveSeconds: 1_800 },
  } as const
  practice = await startPracticeProvider({ profiles })
  folder = mkdtempSync(join(tmpdir(), 'evergrant-probe-'))
  for (const id of ['p0', 'p1', 'p2', 'p3', 'p4', ...Object.keys(profiles)]) {
    const at = `${practice.url}/${id}`
    const record = {
      id,
      name: id,
      authorize: { url: `${at}/authorize` },
      token: { url: `${at}/token`, clientAuth: 'basic' },
      api: { base: at },
      check: { request: { url: `${at}/userinfo` } },
    }
    writeFileSync(join(folder, `${id}.json`), JSON.stringify(record))
  }
})
afterAll(async () => {
  await practice.close()
  rmSync(folder, { recursive: true, force: true })
})
beforeEach(() => {
  told = []
})

/** Waiting moves the provider's clock, and ours with it. */
async function probe(id: string, changes: Partial<ProbeOrder> = {}, between: () => void = () => {}): Promise<ProbeReport> {
  const refreshToken = practice.control.issueGrant({ profile: id }).refreshToken
  const order = {
    provider: id,
    clientId: 'practice',
    clientSecret: 'practice-secret',
    refreshToken,
    variables: {},
    redirectUri: null,
    forSeconds: 130,
    ...changes,
  }
  const config = readConfig({ EVERGRANT_PROVIDERS_DIR: folder }, { development: true })
  const now = () => practice.control.now()
  return probeProvider(order, config, {
    clock: { wall: now, mono: now },
    timers: { sleep: async (ms) => practice.control.advanceClock(ms) },
    tell: (step) => {
      told.push(step)
      if (told.length === 1) between()
    },
  })
}

test.each([
  ['p0', { class: 'P0', rotation: 'never', refreshEndsAccessToken: false, reuseEndsGrant: false }],
  ['p0-omit', { class: 'P0', rotation: 'never', refreshEndsAccessToken: false, reuseEndsGrant: false }],
  ['p3', { class: 'P3', rotation: 'always', refreshEndsAccessToken: false, reuseEndsGrant: false }],
  ['p3-ends', { class: 'P3', rotation: 'always', refreshEndsAccessToken: true, reuseEndsGrant: false }],
  ['p4', { class: 'P4', rotation: 'always', refreshEndsAccessToken: null, reuseEndsGrant: true }],
  ['p2', { class: 'P2', rotation: 'always', reuseEndsGrant: true }],
])('a provider of class %s is found out', async (id, expected) => {
  expect(await probe(id)).toMatchObject(expected)
})

test('a window is never called longer than it was seen', async () => {
  expect(await probe('p1-minute')).toMatchObject({ class: 'P1', windowSeconds: 35, rotation: 'always', reuseEndsGrant: true })
  expect(await probe('p1')).toMatchObject({ class: 'P1', windowSeconds: 5, reuseEndsGrant: true })
})

test('a token that goes on working counts as a window of the time that was tried', async () => {
  expect(await probe('p0-new', { forSeconds: 20 })).toMatchObject({ class: 'P1', windowSeconds: 20, rotation: 'always' })
})

test('every step is told, and no token', async () => {
  const refreshToken = practice.control.issueGrant({ profile: 'p3' }).refreshToken
  await probe('p3', { refreshToken })
  expect(told).toHaveLength(4)
  expect(told[0]).toBe('presented the refresh token, for the first time: granted, with a new refresh token')
  expect(told[1]).toMatch(/^presented the same refresh token, a second time: .*HTTP 400$/)
  expect(told.join()).not.toContain(refreshToken)
})

test('a refresh that changes nothing yet teaches nothing', async () => {
  expect(await probe('p3-idle')).toMatchObject({ class: null, rotation: null })
  expect(told).toHaveLength(2)
})

test('trouble proves nothing: a refresh that nobody answers for leaves the class open', async () => {
  const trouble = () => practice.control.addFault({ kind: 'status', status: 503, step: 'token.refresh', profile: 'p3' })
  expect(await probe('p3', {}, trouble)).toMatchObject({ class: null, rotation: null })
})

test('a refresh token that is spent already, or a wrong secret, teaches nothing', async () => {
  expect(await probe('p3', { refreshToken: 'unknown' })).toMatchObject({ class: null })
  expect((await probe('p3', { clientSecret: 'wrong' })).evidence).toContain('The first refresh was refused (config')
})

test('a provider that is not there, or has no refresh tokens, is refused by name', async () => {
  await expect(probe('p0', { provider: 'nobody' })).rejects.toThrow('There is no provider "nobody"')
  await expect(probe('p0', { provider: 'github' })).rejects.toThrow('issues no refresh tokens')
})

test('the command says what to write into the record', async () => {
  vi.stubEnv('EVERGRANT_PROVIDERS_DIR', folder)
  const token = join(folder, 'token')
  const secret = join(folder, 'secret')
  writeFileSync(token, practice.control.issueGrant({ profile: 'p3-ends' }).refreshToken)
  writeFileSync(secret, 'practice-secret\n')
  const out: string[] = []
  const err: string[] = []
  const streams = { out: (text: string) => void out.push(text), err: (text: string) => void err.push(text), interactive: false }
  const files = ['--client-secret-file', secret, '--refresh-token-file', token]
  const code = await runCommandLine(['providers', 'probe', 'p3-ends', '--client-id', 'practice', '--throwaway', ...files], streams)
  vi.unstubAllEnvs()
  expect([code, err.length]).toEqual([0, 4])
  expect(out.join('')).toMatch(
    /^reuse: \{ class: P3, evidence: "Probed: the second use was refused \(invalid_grant, HTTP 400\), and its successor went on working\." \}$/m,
  )
  expect(out.join('')).toContain('rotation: always\nlifetimes: { refreshEndsAccessToken: true }\n')
})

test('without --throwaway nothing is sent', async () => {
  const err: string[] = []
  const streams = { out: () => {}, err: (text: string) => void err.push(text), interactive: false }
  const code = await runCommandLine(['providers', 'probe', 'p3', '--client-id', 'x', '--refresh-token-file', '/nowhere'], streams)
  expect([code, err.join('').includes('Add --throwaway')]).toEqual([2, true])
})
