// What operators see of installations and do to them, with machines that speak the protocol by hand.
import { beforeEach, describe, expect, test } from 'vitest'
import { DAY, HOUR, MINUTE } from '../core/time.ts'
import { type AgentLab, createAgentLab } from '../testing/agent-lab.ts'
import { createApiLab } from '../testing/api-lab.ts'
import { installationDesk } from '../testing/installation-desk.ts'
import { signIn } from '../testing/people.ts'
import { RECOVER } from '../testing/sdk-calls.ts'

let lab: AgentLab
let agent: string
beforeEach(async () => {
  lab = await createAgentLab()
  agent = await lab.agent({ access: ['proxy'] })
})

const { idOf, enrolled, post, read, recover } = installationDesk(() => ({ lab, agent }))

describe('an installation', () => {
  test('is shown with its key, its newest token, its next refresh and how much healing is left', async () => {
    const { machine, id } = await enrolled()
    await machine.refresh()
    const seen = await read(`installations/${id}`)
    expect(seen).toMatchObject({
      id,
      agent,
      status: 'active',
      generation: 2,
      key_thumbprint: machine.thumbprint,
      custody: 'file',
      enrolled_via: 'code',
      host: 'web-2',
      lock: null,
      agent_status: 'verified',
      owner: lab.owner.id,
      next_refresh_at: '2026-01-01T00:06:40.000Z',
      last_refreshed_at: '2026-01-01T00:00:00.000Z',
      recovery: { mode: 'standard', limit: 5, used: 0, remaining: 5, window_days: 30, max_offline_days: 30, cooldown_until: null },
      token: { generation: 2, state: 'active', metadata: { source: 'token_rotation', recovered_from: null, recovery_reason: null } },
    })
    expect(JSON.stringify(seen)).not.toContain('egs_1')
  })

  test('is listed by agent, by status and by when it healed, page by page', async () => {
    const made = [await enrolled(), await enrolled(), await enrolled()].map(({ id }) => id).reverse()
    const other = await enrolled(await lab.agent())
    const first = await read(`installations?agent=${agent}&limit=2`)
    const second = await read(`installations?agent=${agent}&limit=2&cursor=${first.cursor}`)
    expect([...first.items, ...second.items].map(({ id }: { id: string }) => id)).toEqual(made)
    expect(second.cursor).toBeNull()
    await post(`installations/${other.id}/cut-off`)
    expect((await read('installations?status=retired')).items.map(({ id }: { id: string }) => id)).toEqual([other.id])
    expect((await read('installations?healed_since=2025-12-31T00:00:00Z')).items).toEqual([])
    expect((await lab.call('GET', '/api/v1/installations?healed_since=2026-02-30T00:00:00Z')).json).toMatchObject({ status: 400, field: '/healed_since' })
    const healed = await enrolled()
    await post(`installations/${healed.id}/rotate`)
    expect((await recover(healed.machine)).status).toBe(200)
    expect((await read('installations?healed_since=2025-12-31T00:00:00Z')).items.map(({ id }: { id: string }) => id)).toEqual([healed.id])
  })

  test('of another organization, or of somebody else for a person who reaches only their own, is as unknown as none', async () => {
    const { id } = await enrolled()
    const foreign = await lab.keyFor(['admin'], await lab.anotherOrganization())
    const member = (await signIn(lab, { role: 'member', organization: lab.organization })).token
    for (const key of [foreign, member]) {
      for (const path of ['', '/timeline', '/why']) expect((await lab.call('GET', `/api/v1/installations/${id}${path}`, { key })).status, path).toBe(404)
      for (const verb of ['rotate', 'cut-off', 'compromised', 'lock', 'unlock'])
        expect((await post(`installations/${id}/${verb}`, {}, key)).status, verb).toBe(404)
      expect((await lab.call('PATCH', `/api/v1/installations/${id}`, { key, body: { name: 'mine' } })).status).toBe(404)
      expect((await lab.call('GET', '/api/v1/installations', { key })).json.items).toEqual([])
    }
    expect((await read(`installations/${id}`)).status).toBe('active')
  })

  test('is renamed, and heals no more when its own recovery mode is off; null is as its agent again', async () => {
    const { machine, id } = await enrolled()
    const changed = await lab.call('PATCH', `/api/v1/installations/${id}`, { body: { name: 'web-9', recovery_mode: 'off' } })
    expect(changed.json).toMatchObject({ name: 'web-9', recovery_mode: 'off', recovery: { mode: 'off', remaining: null } })
    await post(`installations/${id}/rotate`)
    expect((await recover(machine)).json.code).toBe('recovery_disabled')
    await lab.call('PATCH', `/api/v1/installations/${id}`, { body: { recovery_mode: null } })
    expect((await recover(machine)).status).toBe(200)
    const types = (await read(`events?subject=${id}`)).items.map(({ type }: { type: string }) => type)
    expect(types).toContain('recovery.switch_changed')
  })
})

describe('Rotate', () => {
  test('ends the tokens at once, and the machine heals by itself against no limit', async () => {
    const { machine, id } = await enrolled()
    expect((await machine.call('GET', '/api/v1/connections')).status).toBe(200)
    await lab.time.advance(2_000)
    expect((await post(`installations/${id}/rotate`, { reason: 'the yearly exercise' })).json).toEqual({ rotated: 1 })
    expect((await machine.call('GET', '/api/v1/connections')).json.code).toBe('access_token_expired')
    expect((await machine.refresh()).json.code).toBe('sdk_token_rotated')
    const healed = await recover(machine)
    expect([healed.status, healed.json.metadata]).toEqual([
      200,
      { source: 'token_recovery', recovered_from: expect.stringMatching(/^sdk_/), recovery_reason: 'hygiene' },
    ])
    expect((await machine.call('GET', '/api/v1/connections')).status).toBe(200)
    expect((await read(`installations/${id}`)).recovery).toMatchObject({ used: 0, remaining: 5, cooldown_until: null })
  })

  test('thrice within one second: each ends the access token of the healing before it, and none that comes after', async () => {
    const { machine, id } = await enrolled()
    for (let time = 0; time < 3; time++) {
      expect((await machine.call('GET', '/api/v1/connections')).status).toBe(200)
      expect((await post(`installations/${id}/rotate`)).json).toEqual({ rotated: 1 })
      expect((await machine.call('GET', '/api/v1/connections')).json.code).toBe('access_token_expired')
      expect((await recover(machine)).status).toBe(200)
    }
    expect((await machine.call('GET', '/api/v1/connections')).status).toBe(200)
  })

  test('twice at once does nothing more, and leaves what is locked or over as it is', async () => {
    const [one, locked, over] = [await enrolled(), await enrolled(), await enrolled()]
    await post(`installations/${locked.id}/lock`)
    await post(`installations/${over.id}/cut-off`)
    expect((await post(`agents/${agent}/rotate`)).json).toEqual({ rotated: 1 })
    expect((await post(`agents/${agent}/rotate`)).json).toEqual({ rotated: 0 })
    expect((await read(`installations/${one.id}`)).token).toMatchObject({ state: 'revoked', revoke_class: 'hygiene' })
    expect((await read(`installations/${locked.id}`)).status).toBe('locked')
    expect((await read(`installations/${over.id}`)).token.revoke_class).toBe('owner_request')
  })

  test('of all heals all, and trips no breaker', async () => {
    const machines = await Promise.all(Array.from({ length: 25 }, () => lab.enrolled(agent)))
    await enrolled(await lab.agent())
    expect((await post('installations/rotate')).json).toEqual({ rotated: 26 })
    const answers = await Promise.all(machines.map((machine) => recover(machine)))
    expect(answers.map(({ status }) => status)).toEqual(machines.map(() => 200))
    expect((await read('agent-settings')).breaker_until).toBeNull()
  })

  test('of all means their own for a person who reaches nothing else', async () => {
    const member = await signIn(lab, { role: 'member', organization: lab.organization })
    const own = await enrolled(await lab.agent({}, { owner: member.id }))
    const foreign = await enrolled()
    expect((await post('installations/rotate', {}, member.token)).json).toEqual({ rotated: 1 })
    expect((await read(`installations/${own.id}`)).token.state).toBe('revoked')
    expect((await read(`installations/${foreign.id}`)).token.state).toBe('active')
  })
})

describe('Cut off', () => {
  test('is for good: refresh, recovery and the access token are refused, also after a rotation', async () => {
    const { machine, id } = await enrolled()
    await post(`installations/${id}/rotate`)
    const answer = await post(`installations/${id}/cut-off`, { reason: 'the laptop was sold' })
    expect(answer.json).toMatchObject({
      status: 'retired',
      token: { state: 'revoked', revoke_class: 'owner_request', revoke_reason: 'the laptop was sold' },
      next_refresh_at: null,
    })
    expect([(await machine.refresh()).json.code, (await recover(machine)).json.code]).toEqual(['installation_retired', 'installation_retired'])
    expect((await machine.call('GET', '/api/v1/connections')).status).toBe(403)
    expect((await post(`installations/${id}/unlock`)).json.code).toBe('conflict')
    expect((await post(`installations/${id}/rotate`)).json).toEqual({ rotated: 0 })
  })

  test('for a compromise opens an incident and raises an alarm when somebody tries to recover; no unlock brings it back', async () => {
    const { machine, id } = await enrolled()
    const answer = await post(`installations/${id}/compromised`, { reason: 'the key was in a log' })
    expect(answer.json).toMatchObject({
      status: 'retired',
      token: { revoke_class: 'compromise' },
      lock: { code: 'compromise', incident: expect.stringMatching(/^inc_/) },
    })
    expect((await recover(machine)).status).toBe(403)
    expect(lab.logged.map(({ message }) => message).join()).toContain('tried to recover')
    expect((await post(`installations/${id}/unlock`)).json.code).toBe('conflict')
  })

  test('reaches one that a clone alarm had locked', async () => {
    const { id } = await enrolled()
    await post(`installations/${id}/lock`)
    expect((await post(`installations/${id}/compromised`)).json).toMatchObject({ status: 'retired', lock: { code: 'compromise' } })
  })
})

describe('a lock', () => {
  test('stops everything until it is unlocked, and then only a new key goes on, once, within a day', async () => {
    const { machine, id } = await enrolled()
    expect((await post(`installations/${id}/lock`, { reason: 'looking into it' })).json).toMatchObject({
      status: 'locked',
      lock: { code: 'operator', message: 'looking into it' },
    })
    expect((await machine.refresh()).json.code).toBe('installation_locked')
    expect((await read(`installations/${id}/why`)).next).toMatchObject({ verdict: 'refused', rule: 'installation_locked' })
    const unlocked = await post(`installations/${id}/unlock`)
    expect(unlocked.json).toMatchObject({ status: 'active', lock: null, rekey_until: '2026-01-02T00:00:00.000Z' })
    expect((await read(`installations/${id}/why`)).next).toMatchObject({ needed: true, verdict: 'granted', rule: 're_key' })
    expect((await machine.refresh()).json.code).toBe('rekey_required')
    const successor = await lab.machine()
    const token = machine.refreshToken ?? ''
    successor.nonce = machine.nonce
    const next = await successor.proof('POST', RECOVER, { credential: token })
    const rekeyed = await recover(machine, { next_key_proof: next })
    expect([rekeyed.status, rekeyed.json.metadata.source, rekeyed.json.installation.key_thumbprint]).toEqual([200, 're_key', successor.thumbprint])
    expect((await read(`installations/${id}`)).rekey_until).toBeNull()
  })

  test('is not there to be lifted twice, and an unlock that nobody used is over after a day', async () => {
    const { machine, id } = await enrolled()
    expect((await post(`installations/${id}/unlock`)).json.code).toBe('conflict')
    await post(`installations/${id}/lock`)
    await post(`installations/${id}/unlock`)
    await lab.time.advance(DAY + MINUTE)
    expect((await read(`installations/${id}`)).rekey_until).toBeNull()
    expect((await recover(machine)).json.code).toBe('recovery_forbidden')
  })

  test('is lifted by a person only with a recent proof of who they are', async () => {
    const { id } = await enrolled()
    await post(`installations/${id}/lock`)
    const [session] = await lab.store.sessions.listOf(lab.owner.id)
    if (session === undefined) throw new Error('nobody is signed in')
    await lab.store.sessions.reauthenticated(session.id, session.methods, lab.time.clock.wall() - 11 * MINUTE)
    expect((await post(`installations/${id}/unlock`, {}, lab.owner.token)).json.code).toBe('reauthentication_required')
    expect((await lab.call('PATCH', `/api/v1/installations/${id}`, { key: lab.owner.token, body: { recovery_mode: 'relaxed' } })).json.code).toBe(
      'reauthentication_required',
    )
    expect((await post(`installations/${id}/cut-off`, {}, lab.owner.token)).status).toBe(200)
  })
})

describe('why', () => {
  test('says what the last recoveries got, and what the next one would get now', async () => {
    const { machine, id } = await enrolled()
    expect(await read(`installations/${id}/why`)).toEqual({
      next: {
        needed: false,
        verdict: 'granted',
        rule: 'within_limits',
        sentence: 'It recovers by itself; this counts against the limit.',
        counted: true,
        retry_at: null,
      },
      attempts: [],
    })
    await post(`installations/${id}/rotate`)
    expect((await read(`installations/${id}/why`)).next).toMatchObject({ needed: true, verdict: 'granted', rule: 'ticket', counted: false })
    await recover(machine)
    expect((await read(`installations/${id}/why`)).attempts).toEqual([
      expect.objectContaining({
        outcome: 'succeeded',
        counted: false,
        reason: 'The token was rotated (hygiene) by us or an operator; this counts against no limit.',
      }),
    ])
  })

  test('names the pause, the silence and each of the switches that keeps a machine from recovering', async () => {
    const { machine, id } = await enrolled()
    const next = async () => (await read(`installations/${id}/why`)).next
    const end = async () => {
      const [token] = await lab.store.installations.tokensOf(id as `ins_${string}`, 1)
      await lab.time.advance(Math.max(0, (token?.expiresAt ?? 0) - lab.time.clock.wall()))
    }
    await end()
    expect(await next()).toMatchObject({ needed: true, verdict: 'asks', rule: 'offline' })
    await lab.call('PUT', '/api/v1/agent-settings', { body: { recovery: { max_offline_days: 365 } } })
    expect((await recover(machine)).status).toBe(200)
    expect(await next()).toMatchObject({ needed: false, verdict: 'refused', rule: 'recovery_cooldown', retry_at: expect.any(String) })
    await lab.time.advance(HOUR)
    await lab.call('PATCH', `/api/v1/agents/${agent}`, { body: { recovery: { mode: 'approve' } } })
    expect(await next()).toMatchObject({ verdict: 'asks', rule: 'mode' })
    await lab.call('PATCH', `/api/v1/agents/${agent}`, { body: { recovery: { mode: 'standard', limit: 1 } } })
    expect(await next()).toMatchObject({
      verdict: 'refused',
      rule: 'recovery_limit_reached',
      sentence: 'It has reached the limit of its window (1).',
    })
    await lab.call('PATCH', `/api/v1/installations/${id}`, { body: { recovery_mode: 'off' } })
    expect((await next()).sentence).toContain('recovery mode')
    await lab.call('PUT', '/api/v1/agent-settings', { body: { recovery_enabled: false } })
    expect((await next()).sentence).toContain('whole organization')
    await lab.call('POST', `/api/v1/agents/${agent}/suspend`, { body: {} })
    expect((await next()).rule).toBe('agent_suspended')
    await post(`installations/${id}/cut-off`)
    expect((await next()).rule).toBe('installation_retired')
  })
})

test('the timeline tells tokens, recoveries and events in one order, newest first, and no secret', async () => {
  const { machine, id } = await enrolled()
  await lab.time.advance(MINUTE)
  await post(`installations/${id}/rotate`, { reason: 'exercise' })
  await lab.time.advance(MINUTE)
  await recover(machine)
  await lab.time.advance(MINUTE)
  await post(`installations/${id}/lock`)
  const answer = await lab.call('GET', `/api/v1/installations/${id}/timeline`)
  expect(answer.json.items.map(({ kind, what }: { kind: string; what: string }) => `${kind} ${what}`)).toEqual([
    'token_revoked owner_request',
    'event installation.locked',
    'token_issued token_recovery',
    'recovery succeeded',
    'event recovery.succeeded',
    'token_revoked hygiene',
    'event sdk_token.rotated',
    'token_issued enrolment',
  ])
  expect(answer.text).not.toContain('egs_1')
  expect((await read(`installations/${id}/timeline?limit=2`)).items).toHaveLength(2)
})

describe('the settings of all agents', () => {
  test('are read and changed in part, with an event; the switch stops every recovery at once', async () => {
    const { machine, id } = await enrolled()
    expect(await read('agent-settings')).toEqual({
      recovery_enabled: true,
      recovery_works: true,
      off_because: null,
      recovery: { mode: 'standard', limit: 5, window_days: 30, max_offline_days: 30, on_clone: 'lock' },
      breaker_until: null,
    })
    await lab.call('PUT', '/api/v1/agent-settings', { body: { recovery: { limit: 2, on_clone: 'refuse_and_alert' } } })
    const off = await lab.call('PUT', '/api/v1/agent-settings', { body: { recovery_enabled: false } })
    expect(off.json).toMatchObject({
      recovery_enabled: false,
      recovery_works: false,
      off_because: 'organization',
      recovery: { mode: 'standard', limit: 2, on_clone: 'refuse_and_alert' },
    })
    await post(`installations/${id}/rotate`)
    expect((await recover(machine)).json.code).toBe('recovery_disabled')
    await lab.call('PUT', '/api/v1/agent-settings', { body: { recovery_enabled: true } })
    expect((await recover(machine)).status).toBe(200)
    const types = (await read(`events?subject=${lab.organization}`)).items.map(({ type }: { type: string }) => type)
    expect(types).toEqual(expect.arrayContaining(['agent.settings_changed', 'recovery.switch_changed']))
  })

  test('show the configuration of the server as the reason where it keeps everything from recovering', async () => {
    const strict = await createApiLab({ identity: { recovery: false } })
    expect((await strict.call('GET', '/api/v1/agent-settings')).json).toMatchObject({
      recovery_enabled: true,
      recovery_works: false,
      off_because: 'EVERGRANT_RECOVERY',
    })
  })

  test('put a tripped breaker back, and what recovered before trips it no more', async () => {
    const machines = await Promise.all(Array.from({ length: 13 }, () => lab.enrolled(agent)))
    const revocation = { class: 'policy', reason: null, by: 'a policy', ticket: false, status: 'active', lock: null } as const
    const [event] = (await lab.store.events.list(lab.organization, {}, { limit: 1, cursor: null })).items
    if (event === undefined) throw new Error('nothing was told')
    await lab.store.installations.revoke(lab.organization, { organization: true }, revocation, lab.time.clock.wall(), event)
    const statuses: number[] = []
    for (const machine of machines.slice(0, 11)) statuses.push((await recover(machine)).status)
    expect(statuses).toEqual([...Array.from({ length: 10 }, () => 200), 202])
    expect((await read('agent-settings')).breaker_until).toBe('2026-01-01T01:00:00.000Z')
    const waiting = machines[11]
    const last = machines[12]
    if (waiting === undefined || last === undefined) throw new Error('too few machines')
    expect((await read(`installations/${await idOf(waiting)}/why`)).next).toMatchObject({ verdict: 'asks', rule: 'breaker' })
    await lab.time.advance(MINUTE)
    expect((await lab.call('PUT', '/api/v1/agent-settings', { body: { close_breaker: true } })).json.breaker_until).toBeNull()
    expect((await read(`installations/${await idOf(waiting)}/why`)).next).toMatchObject({ verdict: 'granted', rule: 'within_limits' })
    expect([(await recover(waiting)).status, (await recover(last)).status]).toEqual([200, 200])
  })

  test('are for people who reach the whole organization', async () => {
    const member = (await signIn(lab, { role: 'member', organization: lab.organization })).token
    const viewer = (await signIn(lab, { role: 'viewer', organization: lab.organization })).token
    expect((await lab.call('GET', '/api/v1/agent-settings', { key: member })).json.code).toBe('role_missing')
    expect((await lab.call('GET', '/api/v1/agent-settings', { key: viewer })).status).toBe(200)
    expect((await lab.call('PUT', '/api/v1/agent-settings', { key: viewer, body: { recovery_enabled: false } })).json.code).toBe('role_missing')
  })
})
