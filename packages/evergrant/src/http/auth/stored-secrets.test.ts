import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TOTP } from 'otpauth'
import { afterAll, expect, test } from 'vitest'
import { openSqliteStore } from '../../store/index.ts'
import { createIdentityLab, ORIGIN, PASSWORD } from '../../testing/identity-lab.ts'
import { SoftwareAuthenticator } from '../../testing/software-authenticator.ts'

const folder = mkdtempSync(join(tmpdir(), 'evergrant-stored-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('the files of the database hold nothing that signs anybody in: no password, link, code, authenticator secret or device mark (S39, S61, S76)', async () => {
  const lab = await createIdentityLab({ store: ({ clock, timers }) => openSqliteStore(join(folder, 'people.db'), { clock, timers, migrate: true }) })
  await lab.addPerson('ana@example.com')
  const signedIn = await lab.login('ana@example.com')
  const token = signedIn.json.access_token
  const { id, secret } = (await lab.post('users/me/factors/totp', {}, { token })).json
  const code = new TOTP({ secret }).generate({ timestamp: lab.time.clock.wall() })
  const { recovery_codes: codes } = (await lab.post(`users/me/factors/${id}/confirm`, { code }, { token })).json
  const passkey = new SoftwareAuthenticator({ origin: ORIGIN })
  const adding = (await lab.post('users/me/factors/passkey/options', {}, { token })).json
  expect((await lab.post('users/me/factors/passkey', { ticket: adding.ticket, passkey: passkey.create(adding.options) }, { token })).status).toBe(201)
  const step = (await lab.login('ana@example.com')).json
  await lab.post('auth/password/forgot', { email: 'ana@example.com' })
  const link = await lab.tokenTo('ana@example.com')
  await lab.post('users/invitations', { email: 'ben@example.com', role: 'member' }, { token: await lab.keyFor(['admin']) })
  const invitation = await lab.tokenTo('ben@example.com')
  const secrets: readonly (readonly [string, string])[] = [
    ['the password', PASSWORD],
    ['the authenticator secret', secret],
    ['the authenticator secret, raw', Buffer.from(bytesOf(secret)).toString('latin1')],
    ['a recovery code', codes[0]],
    ['a recovery code, plain', codes[0].replaceAll('-', '')],
    ['the ticket of a second step', step.ticket],
    ['the ticket of a passkey', adding.ticket],
    ['the challenge of a passkey', adding.options.challenge],
    ['the link of a reset', link],
    ['the link of an invitation', invitation],
    ['the device mark', String(signedIn.headers['evergrant-device']).split('.')[1] ?? ''],
    ['the refresh credential', String(signedIn.json.refresh_token).split('.')[3] ?? ''],
  ]
  await lab.store.close()
  const stored = readdirSync(folder)
    .map((file) => readFileSync(join(folder, file)).toString('latin1'))
    .join('\n')
  // What is looked for can be found: the address is there in clear.
  expect(stored).toContain('ana@example.com')
  for (const [what, text] of secrets) {
    expect(text.length, what).toBeGreaterThan(10)
    expect(stored.includes(text), what).toBe(false)
  }
})

const bytesOf = (secret: string): Uint8Array => new TOTP({ secret }).secret.bytes
