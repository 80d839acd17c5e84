import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { CredentialsCopiedError, ReauthorizationRequiredError, RecoveryDeniedError, RecoveryPendingApprovalError } from './client-errors.ts'
import type { Profile } from './credential-file.ts'
import { CredentialStore } from './credential-store.ts'
import type { Evergrant, EvergrantOptions } from './evergrant.ts'
import { KeyStore } from './key-store.ts'
import { Rotation } from './rotation.ts'
import { ServerLink } from './server-link.ts'
import { fileSlot } from './slot.ts'
import { codeOf, createMachineLab, DAY, type MachineLab, MINUTE } from './testing/machine-lab.ts'

let lab: MachineLab
beforeEach(() => {
  lab = createMachineLab()
})
afterEach(() => lab.remove())

const LIFE = 10 * MINUTE
const stored = (): Profile => JSON.parse(readFileSync(join(lab.home, 'credentials.json'), 'utf8')).profiles[0]

async function enrolled(): Promise<Evergrant> {
  const program = lab.program({ enrolmentCode: lab.server.code(), server: lab.server.url })
  await program.whoami()
  return program
}
/** Another process of the machine. */
const another = async (options: EvergrantOptions = {}): Promise<Evergrant> => {
  const program = lab.program(options)
  await program.describe()
  return program
}
/** The answer is destroyed after the server's commit. Being asked for a nonce commits nothing. */
const lose = (path: string): void =>
  lab.server.once(path, async (commit) => {
    const answer = await commit()
    if (answer.status === 200) throw new TypeError('socket hang up')
    lose(path)
    return answer
  })

test('a token that is due is renewed once, by however many programs, and the others take it from the file', async () => {
  await enrolled()
  const programs = await Promise.all(Array.from({ length: 20 }, () => another()))
  lab.pass(LIFE + MINUTE)
  const answers = await Promise.all(programs.map((program) => program.whoami()))
  expect(new Set(answers.map(({ generation }) => generation))).toEqual(new Set([2]))
  expect(lab.server.counts.rotations).toBe(1)
  expect(lab.server.installations[0]?.status).toBe('active')
})

test('a token that is due and lives is used while it is renewed beside the work', async () => {
  const program = await enrolled()
  lab.pass(0.75 * LIFE)
  expect((await program.whoami()).generation).toBe(1)
  await expect.poll(() => lab.server.counts.rotations, { timeout: 15_000 }).toBe(1)
  await expect.poll(async () => (await program.describe()).generation, { timeout: 15_000 }).toBe(2)
})

test('an answer that is lost is asked for again with the same attempt, and brings the same token', async () => {
  const program = await enrolled()
  lab.pass(LIFE + MINUTE)
  lose('refresh')
  expect((await program.whoami()).generation).toBe(2)
  expect(lab.server.counts).toMatchObject({ rotations: 1, repeated: 1 })
  expect(stored().intent).toBeNull()
})

test('a request that a proxy delivers twice costs another proof, and stops nobody', async () => {
  const program = await enrolled()
  lab.pass(LIFE + MINUTE)
  const twice = async (commit: () => Promise<Response>): Promise<Response> => {
    const first = await commit()
    if (first.status === 200) return Response.json({ code: 'sdk_token_invalid', status: 401, title: 'The proof was used before.' }, { status: 401 })
    lab.server.once('refresh', twice)
    return first
  }
  lab.server.once('refresh', twice)
  expect((await program.whoami()).generation).toBe(2)
  expect(lab.server.counts).toMatchObject({ rotations: 1, repeated: 1 })
})

test('a process that dies between the commit of the server and its own save leaves its attempt to the next one', async () => {
  const program = lab.program({ enrolmentCode: lab.server.code(), server: lab.server.url, maxRetries: 0 })
  await program.whoami()
  lab.pass(LIFE + MINUTE)
  lose('refresh')
  expect(await codeOf(program.whoami())).toBe('connection_failed')
  const left = stored().intent
  expect(left).toMatchObject({ from_generation: 1, attempt_id: expect.stringMatching(/^[\w-]{22}$/) })
  const next = await another()
  expect((await next.whoami()).generation).toBe(2)
  expect(lab.server.counts).toMatchObject({ rotations: 1, repeated: 1 })
  expect(lab.server.installations[0]?.head.attempt).toBe(left?.attempt_id)
})

test('the attempt is on disk before the request is sent', async () => {
  const program = await enrolled()
  lab.pass(LIFE + MINUTE)
  let seen: unknown = null
  lab.server.once('refresh', async (commit, request) => {
    const { attempt_id: attempt } = JSON.parse(await request.clone().text())
    seen = stored().intent?.attempt_id === attempt
    return commit()
  })
  await program.whoami()
  expect(seen).toBe(true)
})

test('while the server is away the token in hand is used, and nothing is forgotten', async () => {
  const program = await enrolled()
  lab.pass(0.9 * LIFE)
  for (let time = 0; time < 3; time += 1) lab.server.once('refresh', () => Promise.reject(new TypeError('no route')))
  const before = stored()
  expect((await program.whoami()).generation).toBe(1)
  await expect.poll(() => lab.events.filter(({ type }) => type === 'renewal_failed').length, { timeout: 15_000 }).toBe(1)
  expect(stored().refresh_token).toBe(before.refresh_token)
})

test('a Rotate of the operator heals with one line, and counts against nothing', async () => {
  const program = await enrolled()
  lab.server.rotate()
  await program.renew()
  expect(lab.lines.at(-1)).toBe('evergrant: credentials were rotated by the operator; recovered automatically (0 of 5 this month)')
  expect(lab.events.at(-1)).toMatchObject({ type: 'recovered', reason: 'hygiene', remaining: 5 })
  expect((await program.whoami()).generation).toBe(2)
})

test('a long pause heals, and counts', async () => {
  await enrolled()
  lab.pass(61 * DAY)
  const program = await another()
  await program.whoami()
  expect(lab.lines.at(-1)).toBe('evergrant: credentials were over after a long pause; recovered automatically (1 of 5 this month)')
})

test('a Cut off stops every program, the server is asked once, and the file stays as it was', async () => {
  const programs = [await enrolled(), await another(), await another()]
  lab.server.cutOff()
  lab.pass(LIFE + MINUTE)
  const before = stored().refresh_token
  const codes = await Promise.all(programs.map((program) => codeOf(program.whoami())))
  expect(codes).toEqual(Array(3).fill('recovery_forbidden'))
  const asked = lab.server.counts.refused
  lab.pass(30 * DAY)
  const error = await (await another()).whoami().catch((cause: unknown) => cause)
  expect(error).toBeInstanceOf(ReauthorizationRequiredError)
  expect(String(error)).toContain('npx @evergrant/sdk enroll')
  expect(lab.server.counts.refused).toBe(asked)
  expect(stored().refresh_token).toBe(before)
})

test('what a person can lift is asked for again after a while', async () => {
  const program = await enrolled()
  const [installation] = lab.server.installations
  installation!.agent.status = 'suspended'
  lab.pass(LIFE + MINUTE)
  expect(await codeOf(program.whoami())).toBe('agent_suspended')
  installation!.agent.status = 'verified'
  expect(await codeOf(program.whoami())).toBe('agent_suspended')
  lab.pass(6 * MINUTE)
  expect((await program.whoami()).generation).toBe(2)
})

test('the sixth recovery is refused, and says so', async () => {
  const program = await enrolled()
  for (let time = 0; time < 5; time += 1) {
    lab.server.rotate({ ticket: false })
    await program.renew()
  }
  lab.server.rotate({ ticket: false })
  const error = await program.renew().catch((cause: unknown) => cause)
  expect(error).toBeInstanceOf(RecoveryDeniedError)
  expect(error).toMatchObject({ reason: 'recovery_limit_reached', retryAt: expect.any(Date) })
})

test('a recovery that waits for a person is asked for again with the same attempt', async () => {
  lab.server.policy.mode = 'approve'
  const program = await enrolled()
  lab.server.rotate({ ticket: false })
  const error = await program.renew().catch((cause: unknown) => cause)
  expect(error).toBeInstanceOf(RecoveryPendingApprovalError)
  expect(error).toMatchObject({ approvalId: expect.stringMatching(/^apr_/), action: 'wait' })
  const attempt = stored().intent?.attempt_id
  const next = await another()
  lab.pass(LIFE + MINUTE)
  lab.server.approveRecoveries()
  expect((await next.whoami()).generation).toBe(2)
  expect(lab.server.installations[0]?.head.attempt).toBe(attempt)
})

test('a new key takes the place of the old one, which is gone then', async () => {
  const program = await enrolled()
  const before = await program.describe()
  const after = await program.rotateKey()
  expect(after.key_thumbprint).not.toBe(before.key_thumbprint)
  expect(lab.server.installations[0]?.thumbprint).toBe(after.key_thumbprint)
  expect(readdirSync(join(lab.home, 'keys'))).toEqual([`${after.key_thumbprint}.json`])
  lab.pass(LIFE + MINUTE)
  expect((await (await another()).whoami()).key_thumbprint).toBe(after.key_thumbprint)
})

test('whoever reads the file while another process replaces the key takes the new one, and no error', async () => {
  const program = await enrolled()
  await another()
  const old = readFileSync(join(lab.home, 'credentials.json'), 'utf8')
  const after = await program.rotateKey()
  const slot = fileSlot(new CredentialStore({ platform: lab.platform }), { server: lab.server.url, name: 'weather' })
  let reads = 0
  const late = { ...slot, read: () => (reads++ === 0 ? Promise.resolve<Profile>(JSON.parse(old).profiles[0]) : slot.read()) }
  const link = new ServerLink(lab.server.url, lab.platform, 1_000)
  const keys = new KeyStore({ platform: lab.platform })
  const reader = new Rotation({ slot: late, keys, link, platform: lab.platform, machine: null, tell: () => {} })
  expect((await reader.load()).key.thumbprint).toBe(after.key_thumbprint)
})

test('both keys are kept until the answer is stored: after a crash either one may be the right one', async () => {
  const program = lab.program({ enrolmentCode: lab.server.code(), server: lab.server.url, maxRetries: 0 })
  await program.whoami()
  lose('refresh')
  expect(await codeOf(program.rotateKey())).toBe('connection_failed')
  expect(readdirSync(join(lab.home, 'keys'))).toHaveLength(2)
  lab.pass(LIFE + MINUTE)
  const healed = await (await another()).whoami()
  expect(healed.key_thumbprint).toBe(lab.server.installations[0]?.thumbprint)
  expect(lab.server.counts).toMatchObject({ rotations: 1, repeated: 1 })
  expect(readdirSync(join(lab.home, 'keys'))).toHaveLength(1)
})

test('a rotation of the key that never reached the server is finished by the next renewal', async () => {
  const program = lab.program({ enrolmentCode: lab.server.code(), server: lab.server.url, maxRetries: 0 })
  await program.whoami()
  lab.server.once('refresh', () => Promise.reject(new TypeError('no route')))
  expect(await codeOf(program.rotateKey())).toBe('connection_failed')
  lab.pass(LIFE + MINUTE)
  const healed = await (await another()).whoami()
  expect(healed).toMatchObject({ generation: 2, key_thumbprint: lab.server.installations[0]?.thumbprint })
})

test('Unlock and re-key heals with a key that nobody had before', async () => {
  const program = await enrolled()
  const before = await program.describe()
  lab.server.installations[0]!.status = 'locked'
  expect(await codeOf(program.renew())).toBe('installation_locked')
  lab.server.unlock()
  const after = await program.renew()
  expect(after.key_thumbprint).not.toBe(before.key_thumbprint)
})

test('credentials that came from another machine are not shown to anybody', async () => {
  await enrolled()
  lab.env['EVERGRANT_MACHINE_ID'] = 'two'
  lab.pass(LIFE + MINUTE)
  const asked = { ...lab.server.counts }
  const copy = lab.program()
  expect(await copy.whoami().catch((error: unknown) => error)).toBeInstanceOf(CredentialsCopiedError)
  expect(lab.server.counts).toEqual(asked)
  expect(lab.server.installations[0]?.status).toBe('active')
})

test('a copy that is used beside the original is noticed at the next refresh, and locks this installation', async () => {
  await enrolled()
  const file = readFileSync(join(lab.home, 'credentials.json'))
  lab.pass(LIFE + MINUTE)
  await (await another()).whoami()
  lab.pass(LIFE + MINUTE)
  await (await another()).whoami()
  writeFileSync(join(lab.home, 'credentials.json'), file)
  lab.pass(MINUTE)
  expect(await codeOf((await another()).renew())).toBe('installation_locked')
})

test('a token that crosses with its successor loads the file again and locks nobody', async () => {
  const [one, two] = [await enrolled(), await another()]
  lab.pass(LIFE + MINUTE)
  lab.server.once('refresh', async () => {
    // The other process was faster, on a machine without locks.
    return new Response(JSON.stringify({ code: 'reload_credentials', status: 409, detail: 'x' }), { status: 409 })
  })
  expect((await one.whoami()).generation).toBe(2)
  expect((await two.whoami()).generation).toBe(2)
  expect(lab.server.installations[0]?.status).toBe('active')
})

test('where the attempt itself was lost, the answer is taken back as soon as the server is sure that nobody has it', async () => {
  const program = lab.program({ enrolmentCode: lab.server.code(), server: lab.server.url, maxRetries: 0 })
  await program.whoami()
  lab.pass(LIFE + MINUTE)
  lose('refresh')
  expect(await codeOf(program.whoami())).toBe('connection_failed')
  // It would ask again by itself, with the attempt that it remembers.
  await program.close()
  const path = join(lab.home, 'credentials.json')
  const file = JSON.parse(readFileSync(path, 'utf8'))
  file.profiles[0].intent = null
  writeFileSync(path, JSON.stringify(file))
  const next = await another({ maxRetries: 0 })
  expect(await codeOf(next.whoami())).toBe('reload_credentials')
  const asked = lab.server.counts.refused
  lab.pass(10_000)
  expect(await codeOf((await another({ maxRetries: 0 })).whoami())).toBe('reload_credentials')
  expect(lab.server.counts.refused).toBe(asked)
  lab.pass(6 * MINUTE)
  expect((await next.whoami()).generation).toBe(3)
  expect(lab.server.installations[0]?.status).toBe('active')
})

test('whoever holds the lock begins no more requests at a server that is too slow, and the attempt is kept', async () => {
  const program = lab.program({ enrolmentCode: lab.server.code(), server: lab.server.url, maxRetries: 0 })
  await program.whoami()
  lab.server.rotate()
  lab.pass(LIFE + MINUTE)
  const slow = (): void =>
    lab.server.once('refresh', async (commit) => {
      lab.pass(20_000)
      const answer = await commit()
      if (answer.status === 401 && (await answer.clone().json()).code === 'dpop_nonce_required') slow()
      return answer
    })
  slow()
  expect(await codeOf(program.whoami())).toBe('connection_timed_out')
  expect(stored().intent).not.toBeNull()
  lab.pass(3_000)
  expect((await program.whoami()).generation).toBe(2)
})

test('answers that no Evergrant gives change nothing', async () => {
  const program = await enrolled()
  lab.pass(LIFE + MINUTE)
  const before = stored().refresh_token
  lab.server.once('refresh', () => Promise.resolve(new Response('<html>Sign in to the Wi-Fi</html>', { status: 200 })))
  expect(await codeOf(program.whoami())).toBe('invalid_answer')
  expect(stored().refresh_token).toBe(before)
  expect((await program.whoami()).generation).toBe(2)
})

test('a clock that was set back does not keep a token that is over', async () => {
  await enrolled()
  lab.pass(-2 * DAY)
  const program = await another()
  expect((await program.whoami()).generation).toBe(2)
})

test('signing out ends the installation on the server, and only then forgets it', async () => {
  const program = await enrolled()
  lab.server.once('revoke', () => Promise.reject(new TypeError('no route')))
  expect(await codeOf(program.logout())).toBe('connection_failed')
  expect(stored()).toBeDefined()
  await program.logout()
  expect(lab.server.installations[0]?.status).toBe('retired')
  expect(stored()).toBeUndefined()
  expect(readdirSync(join(lab.home, 'keys'))).toEqual([])
  expect(await codeOf(lab.program().whoami())).toBe('not_enrolled')
})

test('nothing that is printed, told or thrown holds a secret', async () => {
  const program = await enrolled()
  lab.server.rotate()
  await program.renew()
  lab.server.cutOff()
  const error = await program.renew().catch((cause: unknown) => cause)
  const keys = readdirSync(join(lab.home, 'keys')).map((name) => JSON.parse(readFileSync(join(lab.home, 'keys', name), 'utf8')).d)
  const { refresh_token: refresh, access_token: access } = stored()
  const shown = [
    ...lab.lines,
    inspect(lab.events, { depth: 9 }),
    JSON.stringify(lab.events),
    inspect(error),
    JSON.stringify(error),
    inspect(program, { depth: 9 }),
    JSON.stringify(await program.describe()),
  ].join('\n')
  for (const secret of [refresh, access, ...keys]) expect(shown).not.toContain(secret)
  expect(shown).toContain('recovery_forbidden')
})

test('a refusal that was noted before the clock was set back is not believed until then', async () => {
  const program = await enrolled()
  const [installation] = lab.server.installations
  lab.pass(30 * DAY)
  installation!.agent.status = 'suspended'
  expect(await codeOf(program.whoami())).toBe('agent_suspended')
  installation!.agent.status = 'verified'
  lab.pass(LIFE + MINUTE - 30 * DAY)
  expect((await (await another()).whoami()).generation).toBe(2)
})

test('a new key that is asked for after an answer was lost goes with an attempt of its own, and locks nobody out', async () => {
  const program = await enrolled()
  lab.pass(LIFE + MINUTE)
  lose('refresh')
  expect(await codeOf((await another({ maxRetries: 0 })).whoami())).toBe('connection_failed')
  const after = await program.rotateKey()
  expect(lab.server.counts).toMatchObject({ repeated: 1, rotations: 2 })
  expect(lab.server.installations[0]?.thumbprint).toBe(after.key_thumbprint)
  expect(readdirSync(join(lab.home, 'keys'))).toEqual([`${after.key_thumbprint}.json`])
  lab.pass(LIFE + MINUTE)
  expect((await (await another()).whoami()).generation).toBe(4)
})

test('the key that counts is the one that the answer names', async () => {
  const program = await enrolled()
  const { key_thumbprint: before } = await program.describe()
  // As a server that has answered this attempt already, without the proof of the new key.
  const withoutNewKey = async (_commit: unknown, request: Request): Promise<Response> => {
    const { next_key_proof: _proof, ...body } = await request.json()
    const { url, method, headers } = request
    const answer = await lab.server.fetch(url, { method, headers, body: JSON.stringify(body) })
    if (answer.status === 401) lab.server.once('refresh', withoutNewKey)
    return answer
  }
  lab.server.once('refresh', withoutNewKey)
  await program.rotateKey()
  expect((await program.describe()).key_thumbprint).toBe(before)
  expect(readdirSync(join(lab.home, 'keys'))).toEqual([`${before}.json`])
})

test('Unlock and re-key heals where the answer to a new key had been lost, too', async () => {
  const program = await enrolled()
  lose('refresh')
  expect(await codeOf(program.rotateKey())).toBe('connection_failed')
  const [installation] = lab.server.installations
  const lost = installation!.thumbprint
  Object.assign(installation!, { status: 'locked' })
  Object.assign(installation!.head, { state: 'revoked', revoked: 'compromise' })
  lab.server.unlock()
  const { key_thumbprint: healed } = await program.renew()
  expect(healed).not.toBe(lost)
  expect(installation).toMatchObject({ status: 'active', rekey: false, thumbprint: healed })
  expect(readdirSync(join(lab.home, 'keys'))).toEqual([`${healed}.json`])
})
