import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fingerprint } from './grant-book.ts'
import { type PracticeProvider, startPracticeProvider } from './provider.ts'
import { Rehearsal } from './rehearsal.ts'

let provider: PracticeProvider
beforeAll(async () => {
  provider = await startPracticeProvider({ controlPlane: true })
})
afterAll(() => provider.close())

async function command(path: string, body: unknown, headers: Record<string, string> = {}): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${provider.url}/control/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

test('settings, grants, faults and the clock are commanded in JSON with snake case', async () => {
  expect((await command('profiles/p4', { access_seconds: 30 })).body).toMatchObject({ access_seconds: 30, reuse: 'P4' })
  const issued = await command('grants', { profile: 'p4', account: 'linus' })
  expect(issued.body).toMatchObject({ expires_in: 30, access_token: expect.any(String) })
  await command('faults', { profile: 'p4', step: 'token.refresh', kind: 'status', status: 503, retry_after: 3 })
  const refused = await new Rehearsal(`${provider.url}/p4`).refresh(String(issued.body['refresh_token']))
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '3'])
  const before = Number((await command('clock', { advance_ms: 0 })).body['now'])
  expect(Number((await command('clock', { advance_ms: 5_000 })).body['now']) - before).toBeGreaterThanOrEqual(5_000)
  expect((await command('revoke', { grant: issued.body['grant'] })).body).toMatchObject({ state: 'revoked', account: 'linus' })
  const state = (await (await fetch(`${provider.url}/control/state?profile=p4`)).json()) as Record<string, unknown>
  expect(state).toMatchObject({ counts: { p4: { refresh: 1 } }, grants: [{ revoked: { cause: 'owner' }, refresh_requests: 1 }] })
})

test('it tells which access tokens were really issued, by fingerprint and in order', async () => {
  const first = await command('grants', { profile: 'p4' })
  const issued = async (after: number) => {
    const answer = (await (await fetch(`${provider.url}/control/issued?after=${after}`)).json()) as {
      issued: { sequence: number; fingerprint: string; grant: string }[]
    }
    return answer.issued
  }
  const known = (await issued(0)).at(-1)
  expect(known).toMatchObject({ grant: first.body['grant'], generation: 1, fingerprint: fingerprint(String(first.body['access_token'])) })
  const second = await command('grants', { profile: 'p0' })
  expect(await issued(known?.sequence ?? 0)).toEqual([
    expect.objectContaining({ grant: second.body['grant'], profile: 'p0', sequence: (known?.sequence ?? 0) + 1 }),
  ])
})

test('the state shows no token in the clear', async () => {
  const issued = await command('grants', { profile: 'p3' })
  const state = await (await fetch(`${provider.url}/control/state`)).text()
  expect(state).not.toContain(String(issued.body['refresh_token']))
  expect(state).not.toContain(String(issued.body['access_token']))
})

test.each([
  ['faults', { step: 'nowhere', kind: 'html' }, 400, 'fault field step'],
  ['profiles/p4', { access_seconds: 'long' }, 400, 'accessSeconds'],
  ['revoke', { grant: 'grant_unknown' }, 404, 'there is no grant'],
  ['revoke', {}, 400, 'field grant'],
  ['clock', { advance_ms: -1 }, 400, 'forward'],
])('a bad command to %s %j is refused with a reason', async (path, body, status, reason) => {
  const answer = await command(path, body)
  expect(answer.status).toBe(status)
  expect(answer.body['detail']).toContain(reason)
})

test('a page of another origin cannot command it', async () => {
  expect((await command('reset', {}, { origin: 'https://attacker.example' })).status).toBe(403)
})

test('the page shows grants and its buttons work without a script', async () => {
  const { grant } = provider.control.issueGrant({ profile: 'p3', account: 'grace' })
  const page = await (await fetch(provider.url)).text()
  expect(page).toContain('grace at <code>p3</code>')
  expect(page).not.toContain('<script')
  const press = (button: string, form: Record<string, string>) =>
    fetch(`${provider.url}/control/press/${button}`, { method: 'POST', body: new URLSearchParams(form), redirect: 'manual' })
  expect((await press('expire', { grant })).status).toBe(303)
  expect(provider.control.tokens(grant).expiresIn).toBe(0)
  await press('unavailable', { profile: 'p3' })
  expect((await new Rehearsal(`${provider.url}/p3`).refresh(provider.control.tokens(grant).refreshToken)).status).toBe(503)
  await press('well', { profile: 'p3' })
  await press('revoke', { grant })
  expect(provider.control.grant(grant).revoked?.cause).toBe('owner')
})

test('without its control plane nothing of it is served', async () => {
  const closed = await startPracticeProvider()
  const statuses = await Promise.all(['/', '/control/state'].map(async (path) => (await fetch(`${closed.url}${path}`)).status))
  await closed.close()
  expect(statuses).toEqual([404, 404])
})

test('it runs as its own process, prints one line and stops on SIGTERM', async () => {
  const child = spawn(process.execPath, [fileURLToPath(new URL('main.ts', import.meta.url)), '--profiles', '{"quick":{"access_seconds":2}}'])
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  const { url } = JSON.parse(line) as { url: string }
  expect(await (await fetch(`${url}/control/profiles/quick`)).json()).toMatchObject({ access_seconds: 2 })
  child.kill('SIGTERM')
  const [code] = (await once(child, 'exit')) as [number]
  expect(code).toBe(0)
})
