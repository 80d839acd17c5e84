// Credentials of installations over HTTP, on both stores: the acceptance tests of recovery, by name, and what nobody without the key may learn.
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { DowntimeTickets } from '../../core/agent/downtime-tickets.ts'
import type { SdkRevocation } from '../../core/agent/installations.ts'
import type { EventType, NewEvent } from '../../core/audit/event.ts'
import { type InstallationId, newId } from '../../core/ids.ts'
import { DAY, HOUR, MINUTE, SECOND } from '../../core/time.ts'
import type { Role } from '../../core/user/user.ts'
import { systemEntropy } from '../../system.ts'
import { type AgentLab, createAgentLab } from '../../testing/agent-lab.ts'
import { AgentMachine } from '../../testing/agent-machine.ts'
import type { ApiLabOptions } from '../../testing/api-lab.ts'
import { postgresLab } from '../../testing/postgres-lab.ts'
import { present, RECOVER, REFRESH, REVOKE, saidBy } from '../../testing/sdk-calls.ts'

const { postgres, skip } = await postgresLab()
afterAll(() => postgres?.close())

const onPostgres = (options: ApiLabOptions = {}) => createAgentLab({ ...options, ...(postgres !== null && { store: postgres.open }) })

const STORES = [{ store: 'the embedded store', open: createAgentLab }, ...(postgres === null ? [] : [{ store: 'PostgreSQL', open: onPostgres }])]
test.skipIf(postgres !== null)(`PostgreSQL runs here${skip ?? ''}`, () => {})

describe.each(STORES)('on $store', ({ open }) => {
  let lab: AgentLab
  let agent: string
  let machine: AgentMachine
  let installation: InstallationId
  beforeEach(async () => {
    lab = await open()
    agent = await lab.agent({ access: ['proxy', 'token'], connections: [{}] })
    machine = await lab.enrolled(agent)
    installation = await idOf(machine)
  })

  async function idOf(one: AgentMachine): Promise<InstallationId> {
    return `ins_${one.refreshToken?.split('.')[1]}`
  }

  async function standing(id = installation) {
    const found = await lab.store.installations.get(id)
    if (found === undefined) throw new Error(`${id} is not stored`)
    return found
  }

  const headOf = async (id = installation) => (await lab.store.installations.tokensOf(id, 1))[0]

  function revoke(changes: Partial<SdkRevocation> = {}) {
    const revocation: SdkRevocation = { class: 'hygiene', reason: null, by: 'usr_1', ticket: false, status: 'active', lock: null, ...changes }
    const at = lab.time.clock.wall()
    return lab.store.installations.revoke(lab.organization, { installation }, revocation, at, event('sdk_token.revoked', installation))
  }

  function event(type: EventType, subject: string | null = null): NewEvent {
    return {
      id: newId('evt', systemEntropy),
      organization: lab.organization,
      type,
      at: lab.time.clock.wall(),
      actor: { kind: 'cli', id: null },
      connection: null,
      subject,
      data: {},
    }
  }

  async function toldTypes(subject: string = installation): Promise<readonly string[]> {
    const { items } = await lab.store.events.list(lab.organization, { subject }, { limit: 100, cursor: null })
    return items.map(({ type }) => type)
  }

  /** An access token of this machine was seen, and the sight is written. */
  async function used(one = machine): Promise<void> {
    await one.call('GET', '/api/v1/connections')
    await lab.time.advance(2 * SECOND)
  }

  describe('refresh', () => {
    test('gives the next credentials, with everything that the protocol promises', async () => {
      const attempt = AgentMachine.attempt()
      const answer = await present(machine, REFRESH, { attempt })
      expect(answer.json).toMatchObject({
        token_type: 'DPoP',
        expires_in: 600,
        generation: 2,
        attempt_id: attempt,
        server_time: new Date(lab.time.clock.wall()).toISOString(),
        refresh_expires_at: new Date(lab.time.clock.wall() + 60 * DAY).toISOString(),
        installation: { id: installation, status: 'active', key_thumbprint: machine.thumbprint, expires_at: null },
        agent: { id: agent },
        organization: { id: lab.organization },
        metadata: { source: 'token_rotation', recovered_from: null, recovery_reason: null },
        recovery: { mode: 'standard', remaining: 5, window_days: 30 },
      })
      expect(answer.headers['dpop-nonce']).toBeTypeOf('string')
      expect(answer.headers['cache-control']).toContain('no-store')
    })

    test('attempt_id replay idempotent: the same attempt gets the same bytes', async () => {
      const token = machine.refreshToken!
      const attempt = AgentMachine.attempt()
      const answers = await Promise.all(Array.from({ length: 10 }, () => present(machine, REFRESH, { token, attempt })))
      expect(new Set(answers.map(({ json }) => json.refresh_token)).size).toBe(1)
      expect((await standing()).installation.generation).toBe(2)
    })

    test('response dropped by proxy -> healed, by the same attempt and by another one', async () => {
      const attempt = AgentMachine.attempt()
      await present(machine, REFRESH, { attempt, heard: false })
      expect(saidBy(await present(machine, REFRESH, { attempt, heard: false }))).toBe('200 token_rotation')
      await lab.time.advance(10 * MINUTE)
      expect(saidBy(await present(machine, REFRESH))).toBe('200 token_reissue')
      expect(saidBy(await present(machine, REFRESH))).toBe('200 token_rotation')
    })

    test('a delayed first request arriving after its retry was answered locks nobody', async () => {
      const token = machine.refreshToken!
      const attempt = AgentMachine.attempt()
      // Its proof was made now, and it arrives an hour later with a nonce that is over, or within its time.
      const proof = await machine.proof('POST', REFRESH, { credential: token })
      await present(machine, REFRESH, { attempt })
      await used()
      const late = await lab.call('POST', REFRESH, { key: null, headers: { dpop: proof }, body: { refresh_token: token, attempt_id: attempt } })
      expect(saidBy(late)).toBe('409 attempt_over')
      const other = await machine.proof('POST', REFRESH, { credential: token })
      await lab.time.advance(3 * MINUTE)
      const later = await lab.call('POST', REFRESH, { key: null, headers: { dpop: other }, body: { refresh_token: token, attempt_id: AgentMachine.attempt() } })
      expect(saidBy(later)).toBe('409 reload_credentials')
      expect((await standing()).installation.status).toBe('active')
      expect(saidBy(await present(machine, REFRESH))).toBe('200 token_rotation')
    })

    test('clock off by 2 h: the nonce counts, and no clock of a machine', async () => {
      const token = machine.refreshToken!
      for (const hours of [-2, 2]) {
        const off = await AgentMachine.make({
          publicUrl: 'https://evergrant.example',
          now: () => lab.time.clock.wall() + hours * HOUR,
          send: (method, path, { headers, body }) => lab.call(method, path, { key: null, headers, body }),
        })
        const answer = await off.enrol({ code: await lab.code(agent) })
        expect(answer.status).toBe(200)
        expect(saidBy(await present(off, REFRESH))).toBe('200 token_rotation')
      }
      expect(machine.refreshToken).toBe(token)
    })

    test('without a nonce, or with one that is over, the answer brings a fresh one', async () => {
      const token = machine.refreshToken!
      for (const nonce of [null, 'over', machine.nonce]) {
        if (nonce === machine.nonce) await lab.time.advance(10 * MINUTE)
        const dpop = await machine.proof('POST', REFRESH, { credential: token, nonce })
        const answer = await lab.call('POST', REFRESH, { key: null, headers: { dpop }, body: { refresh_token: token, attempt_id: AgentMachine.attempt() } })
        expect(saidBy(answer)).toBe('401 dpop_nonce_required')
        expect(answer.headers['dpop-nonce']).toBeTypeOf('string')
      }
    })

    test('a captured proof goes with no other token, and a proof without `rth` with none', async () => {
      const other = await lab.enrolled(agent)
      const dpop = await machine.proof('POST', REFRESH, { credential: other.refreshToken! })
      const bare = await machine.proof('POST', REFRESH)
      for (const header of [dpop, bare]) {
        const answer = await lab.call('POST', REFRESH, {
          key: null,
          headers: { dpop: header },
          body: { refresh_token: machine.refreshToken, attempt_id: AgentMachine.attempt() },
        })
        expect(saidBy(answer)).toBe('401 dpop_proof_invalid')
        expect(answer.json.detail).toContain('`rth`')
      }
    })

    test('a new key that proves itself is the key from then on; the old one is a stranger', async () => {
      const next = await lab.machine()
      const token = machine.refreshToken!
      next.nonce = machine.nonce
      const nextKeyProof = () => next.proof('POST', REFRESH, { credential: token })
      const attempt = AgentMachine.attempt()
      const answer = await present(machine, REFRESH, { attempt, heard: false, body: { next_key_proof: await nextKeyProof(), custody: 'keychain' } })
      expect(answer.json.installation.key_thumbprint).toBe(next.thumbprint)
      // The answer was lost: both keys are still there.
      const again = await present(machine, REFRESH, { attempt, heard: false, body: { next_key_proof: await nextKeyProof(), custody: 'keychain' } })
      expect(again.json.refresh_token).toBe(answer.json.refresh_token)
      next.refreshToken = answer.json.refresh_token
      expect(saidBy(await present(machine, REFRESH, { token: answer.json.refresh_token }))).toBe('401 sdk_token_invalid')
      expect(saidBy(await present(next, REFRESH))).toBe('200 token_rotation')
      expect(await toldTypes()).toContain('installation.key_rotated')
      const bad = await present(next, REFRESH, { body: { next_key_proof: 'nothing' } })
      expect([saidBy(bad), bad.json.field]).toEqual(['401 dpop_proof_invalid', '/next_key_proof'])
    })

    test('a bearer access token is given only where the policy says so', async () => {
      expect(saidBy(await present(machine, REFRESH, { body: { bound: false } }))).toBe('403 agent_policy_refused')
      const free = await lab.enrolled(await lab.agent({ access: ['proxy'], connections: [{}], bearer: true }))
      const answer = await present(free, REFRESH, { body: { bound: false } })
      expect(answer.json.token_type).toBe('Bearer')
      expect((await lab.call('GET', '/api/v1/connections', { key: answer.json.access_token })).status).toBe(200)
    })
  })

  describe('recovery', () => {
    test('hygiene revocation -> healed with one call', async () => {
      await revoke({ ticket: true })
      expect(saidBy(await present(machine, REFRESH))).toBe('401 sdk_token_rotated')
      const answer = await present(machine, RECOVER)
      expect(answer.json.metadata).toMatchObject({ source: 'token_recovery', recovery_reason: 'hygiene' })
      expect(answer.json.recovery.remaining).toBe(5)
      expect(saidBy(await present(machine, REFRESH))).toBe('200 token_rotation')
      expect(await toldTypes()).toContain('recovery.succeeded')
    })

    test('stolen revoked token without key -> 401 and no lock, whatever was revoked and how often it is tried', async () => {
      await revoke()
      const thief = await lab.machine()
      const stolen = machine.refreshToken!
      for (const path of [REFRESH, RECOVER] as const)
        for (let round = 0; round < 3; round++) expect(saidBy(await present(thief, path, { token: stolen }))).toBe('401 sdk_token_invalid')
      expect((await standing()).installation.status).toBe('active')
      expect(saidBy(await present(machine, RECOVER))).toBe('200 token_recovery')
    })

    test('unknown hash and wrong key give byte-identical answers, with the same headers', async () => {
      const thief = await lab.machine()
      await present(thief, REFRESH, { token: machine.refreshToken! })
      const genuine = machine.refreshToken!
      const [, uuid, generation, attempt, mac] = genuine.split('.')
      const forged = `egs_1.${uuid}.${generation}.${attempt}.${mac!.slice(0, -2)}AA`
      const unknown = `egs_1.${newId('ins', systemEntropy).slice(4)}.1.${attempt}.${mac}`
      const used = await thief.proof('POST', REFRESH, { credential: genuine })
      const ask = async (token: string, dpop?: string) => {
        const answer = await lab.call('POST', REFRESH, {
          key: null,
          headers: { dpop: dpop ?? (await thief.proof('POST', REFRESH, { credential: token })), 'request-id': 'the-same' },
          body: { refresh_token: token, attempt_id: 'AAAAAAAAAAAAAAAAAAAAAA' },
        })
        const { date: _date, ...headers } = answer.headers
        return { status: answer.status, text: answer.text, headers }
      }
      const answers = [await ask(genuine), await ask(forged), await ask(unknown), await ask('nothing'), await ask(genuine, used), await ask(genuine, used)]
      expect(answers[0]).toMatchObject({ status: 401, text: expect.stringContaining('sdk_token_invalid') })
      for (const answer of answers) expect(answer).toEqual(answers[0])
    })

    test('a thief with the key alone has no token, and makes none', async () => {
      for (const token of ['egs_1', `egs_1.${installation.slice(4)}.2.AAAAAAAAAAAAAAAAAAAAAA.${'A'.repeat(43)}`]) {
        for (const path of [REFRESH, RECOVER] as const) expect(saidBy(await present(machine, path, { token }))).toBe('401 sdk_token_invalid')
      }
      expect((await standing()).installation.generation).toBe(1)
    })

    test('a token that is shown without its key is counted, told once a minute, and locks nobody', async () => {
      const thief = await lab.machine()
      const stolen = machine.refreshToken!
      for (let round = 0; round < 5; round++) await present(thief, REFRESH, { token: stolen })
      // Nobody waits for these events: they are written beside the answers.
      const told = async () => {
        const { items } = await lab.store.events.list(lab.organization, { type: 'installation.proof_failed' }, { limit: 10, cursor: null })
        return items.map(({ data }) => [data.reason, data.count])
      }
      await vi.waitFor(async () => expect(await told()).toEqual([['token_presented_without_key', 1]]))
      await lab.time.advance(MINUTE)
      await vi.waitFor(async () =>
        expect(await told()).toEqual([
          ['token_presented_without_key', 4],
          ['token_presented_without_key', 1],
        ]),
      )
      await lab.time.advance(5 * MINUTE)
      expect((await toldTypes()).filter((type) => type === 'installation.proof_failed')).toHaveLength(2)
      expect(lab.logged.some(({ message }) => message.includes('without the key'))).toBe(true)
      expect(saidBy(await present(machine, REFRESH))).toBe('200 token_rotation')
    })

    test('compromise -> refused for ever, and an attempt to recover is an alarm', async () => {
      await revoke({ class: 'compromise', status: 'locked', lock: { code: 'compromise', at: 0, message: 'stolen', incident: newId('inc', systemEntropy) } })
      for (const days of [0, 1, 400]) {
        await lab.time.advance(days * DAY)
        expect(saidBy(await present(machine, RECOVER))).toBe('403 installation_locked')
      }
      expect(lab.logged.some(({ message }) => message.includes('cut off tried to recover'))).toBe(true)
    })

    test('a cut-off without a lock is forbidden as well', async () => {
      await revoke({ class: 'owner_request' })
      const answer = await present(machine, RECOVER)
      expect(saidBy(answer)).toBe('403 recovery_forbidden')
      expect(answer.json.detail).toMatch(/was cut off by somebody .* on \d{4}-\d\d-\d\d \d\d:\d\d UTC.*enroll/)
    })

    test('two clones -> lock within one refresh, and the siblings go on', async () => {
      const sibling = await lab.enrolled(agent)
      const copy = machine.refreshToken!
      await present(machine, REFRESH)
      await used()
      await lab.time.advance(10 * MINUTE)
      expect(saidBy(await present(machine, REFRESH, { token: copy }))).toBe('403 installation_locked')
      expect((await standing()).installation.lock?.code).toBe('clone')
      expect(saidBy(await present(machine, REFRESH))).toBe('403 installation_locked')
      expect(saidBy(await machine.call('GET', '/api/v1/connections'))).toBe('403 installation_locked')
      expect(saidBy(await present(sibling, REFRESH))).toBe('200 token_rotation')
      expect(await toldTypes()).toEqual(expect.arrayContaining(['installation.clone_suspected', 'installation.locked']))
      expect(lab.logged.some(({ message }) => message.includes('two machines hold'))).toBe(true)
    })

    test('restored old file on the same machine -> locked, unlocked with a new key, and the copy is out', async () => {
      const old = machine.refreshToken!
      await present(machine, REFRESH)
      await used()
      await lab.time.advance(HOUR)
      expect(saidBy(await present(machine, REFRESH, { token: old }))).toBe('403 installation_locked')
      await lab.store.installations.unlock(lab.organization, installation, true, lab.time.clock.wall() + DAY, event('installation.unlocked', installation))
      expect(saidBy(await present(machine, REFRESH, { token: old }))).toBe('409 rekey_required')
      const next = await lab.machine()
      next.nonce = machine.nonce
      const answer = await present(machine, REFRESH, {
        token: old,
        heard: false,
        body: { next_key_proof: await next.proof('POST', REFRESH, { credential: old }) },
      })
      expect(saidBy(answer)).toBe('200 re_key')
      expect(saidBy(await present(machine, REFRESH))).toBe('401 sdk_token_invalid')
      next.refreshToken = answer.json.refresh_token
      next.accessToken = answer.json.access_token
      expect((await next.call('GET', '/api/v1/connections')).status).toBe(200)
      expect(saidBy(await present(next, REFRESH))).toBe('200 token_rotation')
    })

    test('expired: recovered while the policy allows it, and asked about beyond', async () => {
      await lab.time.advance(61 * DAY)
      expect(saidBy(await present(machine, REFRESH))).toBe('401 sdk_token_expired')
      const attempt = AgentMachine.attempt()
      const waiting = await present(machine, RECOVER, { attempt })
      expect([waiting.status, waiting.json.approval.why, waiting.json.retry_after, waiting.headers['retry-after']]).toEqual([202, 'offline', 30, '30'])
      const approved = await lab.call('POST', `/api/v1/approvals/${waiting.json.approval.id}/approve`, { body: {} })
      expect(approved.status).toBe(200)
      expect((await present(machine, RECOVER, { attempt })).json.metadata).toMatchObject({ source: 'token_recovery', recovery_reason: 'approved' })
      await lab.services.uses.flush()
      const agent = (await standing()).agent.id
      expect(await lab.store.uses.daysOf(agent, 0)).toEqual([expect.objectContaining({ rotations: 1, rotationsOnTime: 0 })])
    })

    test('6th recovery refused with 429 and reason', async () => {
      for (let count = 0; count < 5; count++) {
        await revoke()
        expect(saidBy(await present(machine, RECOVER))).toBe('200 token_recovery')
        await lab.time.advance(DAY)
      }
      await revoke()
      const sixth = await present(machine, RECOVER)
      expect(saidBy(sixth)).toBe('429 recovery_limit_reached')
      expect(sixth.json.retry_at).toBe(new Date(lab.time.clock.wall() + 25 * DAY).toISOString())
      expect((await lab.store.installations.attemptsOf(installation, 10)).map(({ outcome }) => outcome)).toEqual([
        'denied',
        ...Array.from({ length: 5 }, () => 'succeeded'),
      ])
    })

    test('a second recovery within minutes waits, and is told how long', async () => {
      await revoke()
      await present(machine, RECOVER)
      await revoke()
      const soon = await present(machine, RECOVER)
      expect([saidBy(soon), soon.headers['retry-after']]).toEqual(['429 recovery_cooldown', '600'])
    })

    test('switch off -> immediate: of the organization, of the installation, of the server', async () => {
      await revoke()
      const settings = await lab.store.agents.settings(lab.organization)
      await lab.store.agents.saveSettings(lab.organization, { ...settings, recoveryEnabled: false }, 0, event('recovery.switch_changed'))
      const refused = await present(machine, RECOVER)
      expect([saidBy(refused), refused.json.detail]).toEqual(['403 recovery_disabled', expect.stringContaining('whole organization')])
      await lab.store.agents.saveSettings(lab.organization, settings, 0, event('recovery.switch_changed'))
      await lab.store.installations.update(lab.organization, installation, { status: 'recovery_blocked' }, event('installation.updated'))
      expect((await present(machine, RECOVER)).json.detail).toContain('this installation')
      await lab.store.installations.update(lab.organization, installation, { status: 'active' }, event('installation.updated'))
      expect(saidBy(await present(machine, RECOVER))).toBe('200 token_recovery')
    })

    test('EVERGRANT_RECOVERY=off stops it whatever any policy says, and names the switch', async () => {
      const closed = await open({ identity: { recovery: false } })
      const one = await closed.enrolled(await closed.agent({ access: ['proxy'], connections: [{}] }, { recovery: { mode: 'relaxed' } }))
      await closed.time.advance(61 * DAY)
      const refused = await present(one, RECOVER)
      expect([saidBy(refused), refused.json.detail]).toEqual(['403 recovery_disabled', expect.stringContaining('EVERGRANT_RECOVERY')])
    })

    test('where the policy says to refuse and not to lock, the copy is refused and the machine goes on', async () => {
      const settings = await lab.store.agents.settings(lab.organization)
      const gentle = { ...settings, recovery: { ...settings.recovery, onClone: 'refuse_and_alert' } } as const
      await lab.store.agents.saveSettings(lab.organization, gentle, 0, event('agent.settings_changed'))
      const copy = machine.refreshToken!
      await present(machine, REFRESH)
      await used()
      await lab.time.advance(HOUR)
      expect(saidBy(await present(machine, REFRESH, { token: copy, heard: false }))).toBe('403 credentials_copied')
      expect(await toldTypes()).toContain('installation.clone_suspected')
      expect(saidBy(await present(machine, REFRESH))).toBe('200 token_rotation')
    })

    test('demoted user -> recovered token has the lower role, and viewer does not gain', async () => {
      const seen = async () => (await machine.call('GET', '/api/v1/connections')).json.items.map(({ id }: { readonly id: string }) => id)
      const become = (role: Role) => lab.store.users.changeRole(lab.organization, lab.owner.id, role, event('user.role_changed'))
      expect(await seen()).toEqual([lab.connection])
      // No right is in the token: what the owner may is looked up.
      const claims = JSON.parse(Buffer.from(machine.accessToken!.split('.')[1]!, 'base64url').toString())
      expect(Object.keys(claims).sort()).toEqual(['aud', 'cnf', 'exp', 'gen', 'iat', 'ins', 'iss', 'jti', 'org', 'sub'])
      for (const role of ['member', 'viewer'] as const) {
        await become(role)
        await revoke({ ticket: true })
        expect(saidBy(await present(machine, RECOVER))).toBe('200 token_recovery')
        expect(await seen()).toEqual([])
      }
      await become('admin')
      expect(await seen()).toEqual([lab.connection])
    })

    test('an owner who has left takes the agent along: access, refresh and recovery', async () => {
      await revoke()
      await lab.store.users.removeMember(lab.organization, lab.owner.id, lab.time.clock.wall(), event('user.left'))
      expect(saidBy(await machine.call('GET', '/api/v1/connections'))).toBe('403 owner_inactive')
      expect(saidBy(await present(machine, REFRESH))).toBe('403 owner_inactive')
      expect(saidBy(await present(machine, RECOVER))).toBe('403 owner_inactive')
    })

    test('a token that ended while the server was down counts against nothing, and asks nobody', async () => {
      const downtime = new DowntimeTickets({ clock: lab.time.clock, installations: lab.store.installations, meta: lab.store.meta })
      expect(await downtime.tick()).toBe(0)
      await lab.time.advance(61 * DAY)
      expect(await downtime.tick()).toBe(1)
      expect(await downtime.tick()).toBe(0)
      const answer = await present(machine, RECOVER)
      expect([saidBy(answer), answer.json.recovery.remaining]).toEqual(['200 token_recovery', 5])
    })
  })

  describe('access tokens', () => {
    test('let the machine in with a proof of its key, and nobody without', async () => {
      await lab.call('POST', `/api/v1/agents/${agent}/accept`, { body: {} })
      expect((await machine.call('GET', '/api/v1/connections')).status).toBe(200)
      const bearer = await lab.call('GET', '/api/v1/connections', { key: machine.accessToken! })
      expect(saidBy(bearer)).toBe('401 dpop_proof_invalid')
      const thief = await lab.machine()
      const proof = await thief.proof('GET', '/api/v1/connections', { accessToken: machine.accessToken! })
      const stolen = await lab.call('GET', '/api/v1/connections', { key: null, headers: { authorization: `DPoP ${machine.accessToken}`, dpop: proof } })
      expect(saidBy(stolen)).toBe('401 dpop_proof_invalid')
    })

    test('do nothing but see and use connections', async () => {
      await lab.call('POST', `/api/v1/agents/${agent}/accept`, { body: {} })
      for (const [method, path] of [
        ['GET', '/api/v1/api-keys'],
        ['POST', '/api/v1/organizations'],
        ['GET', '/api/v1/auth/validate'],
        ['GET', '/api/v1/users'],
        ['GET', '/api/v1/agents'],
        ['GET', '/api/v1/events'],
      ] as const)
        expect([path, saidBy(await machine.call(method, path))]).toEqual([path, '403 agent_policy_refused'])
    })

    test('a suspended agent stops at once and goes on at once, without a new token', async () => {
      await lab.call('POST', `/api/v1/agents/${agent}/accept`, { body: {} })
      expect((await machine.call('GET', '/api/v1/connections')).status).toBe(200)
      await lab.call('POST', `/api/v1/agents/${agent}/suspend`, { body: {} })
      expect(saidBy(await machine.call('GET', '/api/v1/connections'))).toBe('403 agent_suspended')
      await lab.call('POST', `/api/v1/agents/${agent}/resume`, { body: {} })
      expect((await machine.call('GET', '/api/v1/connections')).status).toBe(200)
    })

    test('are over ten minutes after they were given', async () => {
      await lab.time.advance(10 * MINUTE + 6 * SECOND)
      // The proof is judged before the token is.
      await machine.call('GET', '/api/v1/connections')
      expect(saidBy(await machine.call('GET', '/api/v1/connections'))).toBe('401 access_token_expired')
    })

    test('the first use of a generation is written down: after it the one before is old', async () => {
      await present(machine, REFRESH)
      expect((await headOf())?.activatedAt).toBeNull()
      await used()
      expect((await headOf())?.activatedAt).not.toBeNull()
      expect((await standing()).installation.lastSeenAt).not.toBeNull()
    })
  })

  describe('the end', () => {
    const end = (one: AgentMachine, token = one.refreshToken!) => one.post(REVOKE, token, { refresh_token: token })

    test('a machine signs itself out, once and again', async () => {
      for (let round = 0; round < 2; round++) expect((await end(machine)).json).toEqual({ revoked: true })
      expect((await standing()).installation.status).toBe('retired')
      expect(saidBy(await present(machine, REFRESH))).toBe('403 installation_retired')
      expect(saidBy(await machine.call('GET', '/api/v1/connections'))).toBe('403 installation_retired')
      expect((await toldTypes()).filter((type) => type === 'installation.retired')).toHaveLength(1)
    })

    test('nobody else signs it out', async () => {
      const thief = await lab.machine()
      expect(saidBy(await end(thief, machine.refreshToken!))).toBe('401 sdk_token_invalid')
      expect(saidBy(await present(machine, REFRESH))).toBe('200 token_rotation')
    })
  })

  describe('a flood', () => {
    test('of one token from one address is slowed before anything is looked at, and its owner elsewhere is not', async () => {
      const token = machine.refreshToken!
      let limited = 0
      for (let count = 0; count < 40; count++) {
        const answer = await lab.app.inject({
          method: 'POST',
          url: REFRESH,
          remoteAddress: '203.0.113.66',
          headers: { 'content-type': 'application/json' },
          payload: { refresh_token: token, attempt_id: AgentMachine.attempt() },
        })
        if (answer.statusCode === 429) limited += 1
        else expect(answer.json().code).toBe('dpop_proof_invalid')
      }
      expect(limited).toBe(10)
      expect(saidBy(await present(machine, REFRESH))).toBe('200 token_rotation')
    })
  })
})
