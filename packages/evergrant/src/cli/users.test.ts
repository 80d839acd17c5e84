// People on the command line, as real processes.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TOTP } from 'otpauth'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { runHere } from '../testing/command-line.ts'
import { freePort } from '../testing/free-port.ts'
import { SERVER_MAIN } from '../testing/server-main.ts'

vi.setConfig({ testTimeout: 90_000 })

const PASSWORD = 'correct kettle battery orbit'
let dataDir = ''
const ending: (() => Promise<unknown>)[] = []

beforeEach(() => {
  dataDir = join(mkdtempSync(join(tmpdir(), 'evergrant-users-')), 'data')
})
afterEach(async () => {
  for (const end of ending.splice(0)) await end()
  rmSync(join(dataDir, '..'), { recursive: true, force: true })
})

function start(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { PATH = '', HOME = '', NODE_COMPILE_CACHE = '' } = process.env
  return spawn(process.execPath, [...SERVER_MAIN, ...args], {
    env: { PATH, HOME, NODE_COMPILE_CACHE, EVERGRANT_DATA_DIR: dataDir, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
}

async function run(args: readonly string[], input = ''): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }> {
  if (input === '' && !args.includes('--password-stdin')) return await runHere(args, { EVERGRANT_DATA_DIR: dataDir })
  const child = start(args)
  const text = { out: '', err: '' }
  child.stdout.on('data', (chunk) => (text.out += chunk))
  child.stderr.on('data', (chunk) => (text.err += chunk))
  child.stdin.end(input)
  const [code] = await once(child, 'close')
  return { code, ...text }
}

async function serving(): Promise<{ readonly url: string; readonly setup_url: string | null }> {
  const child = start(['serve', '--json'], { EVERGRANT_PORT: String(await freePort()) })
  let out = ''
  child.stdout.on('data', (chunk) => (out += chunk))
  ending.push(async () => {
    if (child.exitCode !== null) return
    const closed = once(child, 'close')
    child.kill('SIGTERM')
    await closed
  })
  await expect.poll(() => out, { timeout: 30_000 }).toContain('\n')
  return JSON.parse(out)
}

async function post(url: string, path: string, body: object, token?: string): Promise<{ readonly status: number; readonly json: Record<string, unknown> }> {
  const headers = { 'content-type': 'application/json', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) }
  const answer = await fetch(`${url}/api/v1/${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
  return { status: answer.status, json: (await answer.json()) as Record<string, unknown> }
}

test('without a server an owner is made with a password from standard input', async () => {
  const made = await run(['users', 'create', '--email', 'Ana@Example.com', '--role', 'owner', '--password-stdin', '--json'], `${PASSWORD}\n`)
  expect(made, made.err).toMatchObject({ code: 0 })
  expect(JSON.parse(made.out)).toMatchObject({ email: 'ana@example.com', role: 'owner', email_verified: true })
})

test('a first start prints a link that makes the first owner once; invitations and resets print theirs for people to hand over (S70)', async () => {
  const { url, setup_url: setup } = await serving()
  expect(setup).toMatch(/^http:\/\/localhost:\d+\/auth\/setup#[A-Za-z0-9_-]{43}$/)
  const owner = { token: setup?.split('#')[1], email: 'ana@example.com', password: PASSWORD, mode: 'bearer' }
  expect((await post(url, 'auth/setup', owner)).json['user']).toMatchObject({ role: 'owner' })
  expect((await post(url, 'auth/setup', owner)).status).toBe(410)

  const invited = JSON.parse((await run(['users', 'create', '--email', 'ben@example.com', '--json'])).out)
  expect(invited.link).toMatch(/\/auth\/invitation#[A-Za-z0-9_-]{43}$/)
  const accepted = await post(url, 'auth/invitations/accept', { token: invited.link.split('#')[1], password: PASSWORD, mode: 'bearer' })
  expect(accepted.json['user']).toMatchObject({ email: 'ben@example.com', role: 'member' })

  const reset = JSON.parse((await run(['users', 'reset-password', 'ben@example.com', '--json'])).out)
  const changed = await post(url, 'auth/password/reset', { token: reset.link.split('#')[1], password: 'green pears travel slowly', mode: 'bearer' })
  expect(changed.json).toEqual({ changed: true })
  const signedIn = await post(url, 'auth/login', { email: 'ben@example.com', password: 'green pears travel slowly', mode: 'bearer' })
  expect(signedIn.status).toBe(200)

  expect(await run(['users', 'create', '--email', 'cleo@example.com', '--password-stdin'], 'password1')).toMatchObject({
    code: 1,
    err: expect.stringContaining('password_refused'),
  })
  expect(await run(['users', 'create', '--email', 'cleo@example.com', '--password-stdin'])).toMatchObject({
    code: 2,
    err: expect.stringContaining('Standard input is empty'),
  })
  expect((await run(['users', 'list'])).out).toMatch(/ID +E-MAIL +NAME +ROLE +DISABLED\nusr_\S+ +ana@example.com +- +owner +-/)
  expect(await run(['users', 'disable', 'BEN@example.com'])).toMatchObject({ code: 0, out: expect.stringMatching(/^usr_\S+ is disabled/) })
  expect((await post(url, 'auth/login', { email: 'ben@example.com', password: 'green pears travel slowly', mode: 'bearer' })).status).toBe(401)
  expect(await run(['users', 'enable', 'ben@example.com'])).toMatchObject({ code: 0, out: expect.stringMatching(/^usr_\S+ is enabled/) })
  const unknown = await run(['users', 'enable', 'nobody@example.com'])
  expect(unknown).toMatchObject({ code: 1, err: expect.stringContaining('There is no user nobody@example.com') })
  expect(unknown.err).toContain('whoever was invited is one as soon as they have used their link')
})

test('reset-password finds somebody of another organization by e-mail address, as remove-second-steps does', async () => {
  const { url } = await serving()
  for (const email of ['ana@example.com', 'ben@example.com'])
    expect((await run(['users', 'create', '--email', email, '--role', 'owner', '--password-stdin'], PASSWORD)).code).toBe(0)
  const { json } = await post(url, 'auth/login', { email: 'ana@example.com', password: PASSWORD, mode: 'bearer' })
  const token = String(json['access_token'])
  const { id, organization } = json['user'] as { readonly id: string; readonly organization: { readonly id: string } }
  expect((await post(url, 'organizations', { name: 'Elsewhere', slug: 'elsewhere' }, token)).status).toBe(201)
  const headers = { authorization: `Bearer ${token}` }
  expect((await fetch(`${url}/api/v1/organizations/${organization.id}/members/${id}`, { method: 'DELETE', headers })).status).toBe(204)
  expect((await run(['users', 'list'])).out).not.toContain('ana@example.com')

  const reset = await run(['users', 'reset-password', 'ANA@example.com', '--json'])
  expect(reset, reset.err).toMatchObject({ code: 0 })
  expect(JSON.parse(reset.out).link).toMatch(/\/auth\/reset#[A-Za-z0-9_-]{43}$/)
  expect(await run(['users', 'reset-password', 'nobody@example.com'])).toMatchObject({
    code: 1,
    err: expect.stringContaining('There is no user nobody@example.com on this server'),
  })
})

test('remove-second-steps says what would go, asks for --yes, and lets somebody back in who lost all of them; without any it says so', async () => {
  const { url } = await serving()
  expect((await run(['users', 'create', '--email', 'ana@example.com', '--password-stdin'], PASSWORD)).code).toBe(0)
  const credentials = { email: 'ana@example.com', password: PASSWORD, mode: 'bearer' }
  const token = String((await post(url, 'auth/login', credentials)).json['access_token'])
  const none = await run(['users', 'remove-second-steps', 'ana@example.com'])
  expect(none).toMatchObject({ code: 0, out: expect.stringMatching(/^usr_\S+ \(ana@example\.com\) has no second step\. Nothing was changed\.\n$/) })

  const started = (await post(url, 'users/me/factors/totp', {}, token)).json
  const code = new TOTP({ secret: String(started['secret']) }).generate()
  expect((await post(url, `users/me/factors/${started['id']}/confirm`, { code }, token)).status).toBe(200)
  expect((await post(url, 'auth/login', credentials)).json['code']).toBe('second_factor_required')

  const asked = await run(['users', 'remove-second-steps', 'ana@example.com'])
  expect(asked).toMatchObject({ code: 1, out: '' })
  expect(asked.err).toMatch(/every second step of usr_\S+ \(ana@example\.com\): 1 authenticator app, 0 passkeys, 10 recovery codes\./)
  expect(asked.err).toMatch(/Then: evergrant users remove-second-steps usr_\S+ --yes/)
  expect((await post(url, 'auth/login', credentials)).json['code']).toBe('second_factor_required')

  const removed = await run(['users', 'remove-second-steps', 'ANA@example.com', '--yes'])
  expect(removed, removed.err).toMatchObject({ code: 0, out: expect.stringMatching(/10 recovery codes\. 1 session ended\.\n$/) })
  expect(removed.err).toMatch(/They sign in with their password alone until they add a second step\. .*evergrant users reset-password usr_/)
  expect((await post(url, 'users/me/factors/totp', {}, token)).status).toBe(401)
  expect((await post(url, 'auth/login', credentials)).status).toBe(200)
  const again = JSON.parse((await run(['users', 'remove-second-steps', 'ana@example.com', '--yes', '--json'])).out)
  expect(again).toMatchObject({ email: 'ana@example.com', removed: false, totp: 0, sessions_ended: 0, signs_in_with: ['password'] })
  expect(await run(['users', 'remove-second-steps', 'nobody@example.com', '--yes'])).toMatchObject({
    code: 1,
    err: expect.stringContaining('There is no user nobody@example.com on this server'),
  })
})
