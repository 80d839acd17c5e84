import { beforeEach, describe, expect, test } from 'vitest'
import { type AgentId, newId } from '../core/ids.ts'
import { MINUTE } from '../core/time.ts'
import { systemEntropy } from '../system.ts'
import { type AgentLab, createAgentLab } from '../testing/agent-lab.ts'
import { AgentMachine } from '../testing/agent-machine.ts'
import { signIn } from '../testing/people.ts'

let lab: AgentLab
beforeEach(async () => {
  lab = await createAgentLab()
})

const ENROLL = '/api/v1/agents/enroll'
const told = async (agent: string): Promise<readonly string[]> =>
  (await lab.call('GET', `/api/v1/events?subject=${agent}&limit=50`)).json.items.map(({ type }: { type: string }) => type).reverse()

describe('an enrolment code', () => {
  test('enrols one machine and answers as the protocol says; the agent is verified by its first proven key', async () => {
    const agent = await lab.agent()
    const machine = await lab.machine()
    const answer = await machine.enrol({ code: await lab.code(agent) }, { name: 'web-2', custody: 'keychain' })
    expect([answer.status, answer.json]).toEqual([200, expect.objectContaining({ token_type: 'DPoP', expires_in: 600, generation: 1 })])
    expect(answer.json.refresh_token).toMatch(/^egs_1\./)
    expect(answer.json.installation).toMatchObject({ name: 'web-2', status: 'active', key_thumbprint: machine.thumbprint, expires_at: null })
    expect(answer.json.agent).toMatchObject({ id: agent, status: 'verified' })
    expect(answer.json.metadata).toEqual({ source: 'enrolment', recovered_from: null, recovery_reason: null })
    const seen = (await lab.call('GET', `/api/v1/agents/${agent}`)).json
    expect(seen).toMatchObject({ status: 'verified', accepted_by: { kind: 'system', id: null }, owner_active: true })
    expect(await told(agent)).toEqual(['agent.created', 'enrolment.created', 'installation.enrolled', 'agent.verified'])
    expect((await machine.refresh()).json).toMatchObject({ generation: 2, metadata: { source: 'token_rotation' } })
  })

  test('begins with egc_, holds the address of the server, and only its hash is stored', async () => {
    const agent = await lab.agent()
    const code = await lab.code(agent)
    const [secret = '', address = ''] = code.split('.')
    expect(secret).toMatch(/^egc_[A-Za-z0-9_-]{43}$/)
    expect(Buffer.from(address, 'base64url').toString()).toBe('https://evergrant.example/')
    const listed = await lab.call('GET', `/api/v1/agents/${agent}/enrolment-codes`)
    expect(listed.json.items).toHaveLength(1)
    expect(listed.text + (await lab.call('GET', '/api/v1/events?limit=50')).text).not.toContain(secret)
  })

  test('is repeated by the same key with the same attempt for ten minutes, byte for byte, and by nobody else', async () => {
    const code = await lab.code(await lab.agent())
    const [machine, other] = [await lab.machine(), await lab.machine()]
    const attempt_id = AgentMachine.attempt()
    const first = await machine.enrol({ code }, { attempt_id })
    const again = await machine.enrol({ code }, { attempt_id })
    expect([again.status, again.json.refresh_token, again.json.installation.id]).toEqual([200, first.json.refresh_token, first.json.installation.id])
    expect((await other.enrol({ code }, { attempt_id })).json).toMatchObject({ status: 401, code: 'enrolment_code_invalid' })
    expect((await machine.enrol({ code })).json.code).toBe('enrolment_code_invalid')
    await lab.time.advance(11 * MINUTE)
    expect((await machine.enrol({ code }, { attempt_id })).json.code).toBe('enrolment_code_invalid')
  })

  test('of ten machines that use it at once enrols one', async () => {
    const agent = await lab.agent()
    const code = await lab.code(agent)
    const machines = await Promise.all(Array.from({ length: 10 }, () => lab.machine()))
    const answers = await Promise.all(machines.map((machine) => machine.enrol({ code })))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array.from({ length: 9 }, () => 401)])
    // Told, and told once.
    expect((await told(agent)).filter((type) => type === 'enrolment.refused')).toHaveLength(1)
  })

  test('that is over, withdrawn, made up, or of a revoked agent is refused with the same words', async () => {
    const agent = await lab.agent()
    const made = await lab.call('POST', `/api/v1/agents/${agent}/enrolment-codes`, { body: { expires_in: 600 } })
    const withdrawn = await lab.call('POST', `/api/v1/agents/${agent}/enrolment-codes`, { body: {} })
    expect((await lab.call('DELETE', `/api/v1/agents/${agent}/enrolment-codes/${withdrawn.json.id}`)).status).toBe(204)
    expect((await lab.call('DELETE', `/api/v1/agents/${agent}/enrolment-codes/${withdrawn.json.id}`)).status).toBe(404)
    const ended = await lab.agent()
    const lost = await lab.code(ended)
    await lab.call('DELETE', `/api/v1/agents/${ended}`)
    await lab.time.advance(11 * MINUTE)
    const words = new Set<string>()
    for (const code of [made.json.code, withdrawn.json.code, lost, `egc_${'A'.repeat(43)}`, 'nonsense']) {
      const { request_id: _id, ...said } = (await (await lab.machine()).enrol({ code })).json
      words.add(JSON.stringify(said))
    }
    expect([...words].map((text) => JSON.parse(text).code)).toEqual(['enrolment_code_invalid'])
  })

  test('works with no proof, no nonce, another credential in the proof, or a proof that was used before', async () => {
    const code = await lab.code(await lab.agent())
    const secret = code.split('.')[0] ?? ''
    const machine = await lab.machine()
    const body = { code, attempt_id: AgentMachine.attempt() }
    const send = (dpop: string | null) => lab.call('POST', ENROLL, { key: null, body, headers: dpop === null ? {} : { dpop } })
    expect((await send(null)).json.code).toBe('dpop_proof_invalid')
    const asked = await send(await machine.proof('POST', ENROLL, { credential: secret }))
    expect([asked.json.code, typeof asked.headers['dpop-nonce']]).toEqual(['dpop_nonce_required', 'string'])
    const nonce = String(asked.headers['dpop-nonce'])
    expect((await send(await machine.proof('POST', ENROLL, { nonce }))).json.code).toBe('dpop_proof_invalid')
    expect((await send(await machine.proof('POST', ENROLL, { nonce, credential: `${secret}x` }))).json.code).toBe('dpop_proof_invalid')
    const good = await machine.proof('POST', ENROLL, { nonce, credential: secret })
    expect((await send(good)).status).toBe(200)
    expect((await send(good)).json.code).toBe('dpop_proof_invalid')
  })

  test('exactly one credential is sent', async () => {
    const machine = await lab.machine()
    for (const body of [{}, { code: 'a', device_code: 'b' }])
      expect((await machine.post(ENROLL, 'a', { attempt_id: AgentMachine.attempt(), ...body })).json).toMatchObject({ code: 'invalid_request', field: '/code' })
  })
})

test('a device code that was used in time is repeated by the same key with the same attempt, also when its quarter of an hour is over meanwhile', async () => {
  const agent = (await lab.agent()) as AgentId
  const [machine, other] = [await lab.machine(), await lab.machine()]
  const { device_code, user_code } = (await lab.call('POST', '/api/v1/auth/sdk/device', { key: null, body: {} })).json
  const waiting = await lab.store.enrolments.byUserCode(user_code.replace('-', ''))
  await lab.time.advance(14 * MINUTE)
  const event = {
    id: newId('evt', systemEntropy),
    organization: lab.organization,
    type: 'device.approved' as const,
    at: lab.time.clock.wall(),
    actor: { kind: 'cli' as const, id: null },
    connection: null,
    subject: agent,
    data: {},
  }
  await lab.store.enrolments.decide(waiting!.id, { status: 'approved', organization: lab.organization, agent, name: null }, event)
  const attempt_id = AgentMachine.attempt()
  const first = await machine.enrol({ device_code }, { attempt_id })
  await lab.time.advance(2 * MINUTE)
  const again = await machine.enrol({ device_code }, { attempt_id })
  expect([first.status, again.status, again.json.refresh_token]).toEqual([200, 200, first.json.refresh_token])
  expect((await other.enrol({ device_code }, { attempt_id })).json).toMatchObject({ status: 401, code: 'enrolment_code_invalid' })
})

describe('an agent', () => {
  test('waits for its owner where its policy accepts nobody by itself, and works from the moment it is accepted', async () => {
    const agent = await lab.agent({ access: ['token'], connections: [{}], auto_accept: [] })
    const machine = await lab.enrolled(agent)
    const read = () => machine.call('GET', `/api/v1/connections/${lab.connection}/token`)
    expect((await read()).json).toMatchObject({ status: 403, code: 'agent_not_verified' })
    expect((await machine.call('GET', '/api/v1/connections')).json.code).toBe('agent_not_verified')
    expect((await lab.call('POST', `/api/v1/agents/${agent}/accept`)).json).toMatchObject({ status: 'verified' })
    expect((await read()).json.access_token).toEqual(expect.any(String))
  })

  test('that is suspended does nothing until it is resumed, and one that is revoked never again', async () => {
    const agent = await lab.agent({ access: ['token'], connections: [{}] })
    const machine = await lab.enrolled(agent)
    const read = async () => (await machine.call('GET', `/api/v1/connections/${lab.connection}/token`)).json.code ?? 'answered'
    expect(await read()).toBe('answered')
    expect((await lab.call('POST', `/api/v1/agents/${agent}/suspend`)).json.status).toBe('suspended')
    expect([await read(), (await machine.refresh()).json.code]).toEqual(['agent_suspended', 'agent_suspended'])
    expect((await lab.call('POST', `/api/v1/agents/${agent}/resume`)).json.status).toBe('verified')
    expect((await lab.call('POST', `/api/v1/agents/${agent}/resume`)).json.code).toBe('conflict')
    expect(await read()).toBe('answered')
    expect((await lab.call('DELETE', `/api/v1/agents/${agent}`)).json.status).toBe('revoked')
    expect((await lab.call('DELETE', `/api/v1/agents/${agent}`)).json.status).toBe('revoked')
    expect([await read(), (await machine.refresh()).json.code]).toEqual(['agent_revoked', 'agent_revoked'])
    expect((await lab.call('PATCH', `/api/v1/agents/${agent}`, { body: { name: 'again' } })).json.code).toBe('agent_revoked')
    expect(
      (await lab.store.installations.list(lab.organization, { agent: agent as `agt_${string}`, limit: 5, after: null })).map((one) => one.installation.status),
    ).toEqual(['retired'])
  })

  test('does nothing while its owner is disabled', async () => {
    const machine = await lab.enrolled(await lab.agent({ access: ['token'], connections: [{}] }))
    const read = async () => (await machine.call('GET', `/api/v1/connections/${lab.connection}/token`)).json.code ?? 'answered'
    expect(await read()).toBe('answered')
    expect((await lab.call('PATCH', `/api/v1/users/${lab.owner.id}`, { body: { disabled: true } })).status).toBe(200)
    expect(await read()).toBe('owner_inactive')
  })

  test('is owned by an active member; a backend names one, and a new owner has to accept it anew', async () => {
    expect((await lab.call('POST', '/api/v1/agents', { body: { name: 'a' } })).json).toMatchObject({ code: 'invalid_request', field: '/owner' })
    const stranger = await signIn(lab, { role: 'owner', organization: await lab.anotherOrganization() })
    expect((await lab.call('POST', '/api/v1/agents', { body: { name: 'a', owner: stranger.id } })).json).toMatchObject({
      code: 'invalid_request',
      field: '/owner',
    })
    const agent = await lab.agent()
    await lab.enrolled(agent)
    const next = await signIn(lab, { role: 'admin', organization: lab.organization })
    expect((await lab.call('PATCH', `/api/v1/agents/${agent}`, { body: { owner: next.id } })).json).toMatchObject({
      owner: next.id,
      status: 'pending',
      accepted_at: null,
    })
    expect((await lab.call('POST', `/api/v1/agents/${agent}/accept`, { key: next.token })).json).toMatchObject({
      status: 'verified',
      accepted_by: { kind: 'user', id: next.id },
    })
  })

  test('changes by version, keeps a name of its own, and is reviewed by people', async () => {
    const [agent, other] = [await lab.agent(), await lab.agent()]
    const { name, version } = (await lab.call('GET', `/api/v1/agents/${agent}`)).json
    expect((await lab.call('PATCH', `/api/v1/agents/${other}`, { body: { name } })).json).toMatchObject({ code: 'already_exists', field: '/name' })
    expect((await lab.call('PATCH', `/api/v1/agents/${agent}`, { body: { description: 'new', version } })).json.version).toBe(version + 1)
    expect((await lab.call('PATCH', `/api/v1/agents/${agent}`, { body: { description: 'newer', version } })).json.code).toBe('conflict')
    expect((await lab.call('POST', `/api/v1/agents/${agent}/review`)).json.code).toBe('forbidden')
    expect((await lab.call('POST', `/api/v1/agents/${agent}/review`, { key: lab.owner.token })).json.reviewed_by).toBe(lab.owner.id)
  })

  test('is listed newest first, page by page', async () => {
    const made = [await lab.agent(), await lab.agent(), await lab.agent()]
    const seen: string[] = []
    let cursor = ''
    do {
      const page = (await lab.call('GET', `/api/v1/agents?limit=2${cursor}`)).json
      seen.push(...page.items.map(({ id }: { id: string }) => id))
      cursor = page.cursor === null ? '' : `&cursor=${page.cursor}`
    } while (cursor !== '')
    expect(seen).toEqual(made.reverse())
    expect((await lab.call('GET', '/api/v1/agents?cursor=nonsense')).json).toMatchObject({ code: 'invalid_request', field: 'cursor' })
  })
})

describe('a member', () => {
  test('does not resume what somebody of the whole organization suspended, also not after suspending it again', async () => {
    const member = await signIn(lab, { role: 'member', organization: lab.organization })
    const agent = await lab.agent({}, { owner: member.id })
    const state = (verb: string, key?: string) => lab.call('POST', `/api/v1/agents/${agent}/${verb}`, key === undefined ? {} : { key })
    expect((await state('suspend', member.token)).json.status).toBe('suspended')
    expect((await state('resume', member.token)).json.status).toBe('pending')
    await state('suspend', lab.owner.token)
    await state('suspend', member.token)
    expect((await state('resume', member.token)).json).toMatchObject({ status: 403, code: 'role_missing', detail: expect.stringContaining('administrator') })
    expect((await state('resume')).json.status).toBe('pending')
    expect([(await state('suspend', member.token)).json.status, (await state('suspend')).json.status]).toEqual(['suspended', 'suspended'])
    expect((await state('resume', member.token)).json.code).toBe('role_missing')
  })

  test('makes and sees only agents of their own, which use only connections of their own', async () => {
    const others = await lab.agent()
    const member = await signIn(lab, { role: 'member', organization: lab.organization })
    const ask = (method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown) =>
      lab.call(method, path, { key: member.token, ...(body === undefined ? {} : { body }) })
    const own = await ask('POST', '/api/v1/agents', { name: 'mine', policy: { access: ['proxy'], connections: [{ owner: member.id }] } })
    expect([own.status, own.json.owner]).toEqual([201, member.id])
    expect((await ask('GET', '/api/v1/agents')).json.items.map(({ id }: { id: string }) => id)).toEqual([own.json.id])
    expect((await ask('GET', `/api/v1/agents?owner=${lab.owner.id}`)).json.items).toEqual([])
    for (const [method, path] of [
      ['GET', ''],
      ['DELETE', ''],
      ['POST', '/enrolment-codes'],
      ['GET', '/uses'],
      ['POST', '/suspend'],
    ] as const)
      expect((await ask(method, `/api/v1/agents/${others}${path}`, method === 'POST' ? {} : undefined)).json).toMatchObject({ status: 404, code: 'not_found' })
    expect((await ask('POST', '/api/v1/agents', { name: 'x', owner: lab.owner.id })).json).toMatchObject({ code: 'role_missing', field: '/owner' })
    expect((await ask('PUT', `/api/v1/agents/${own.json.id}/policy`, { access: ['proxy'], connections: [{}] })).json).toMatchObject({ code: 'role_missing' })
    expect((await ask('PUT', `/api/v1/agents/${own.json.id}/policy`, { access: ['token'], connections: [{ owner: member.id }] })).json).toMatchObject({
      code: 'role_missing',
      field: '/access',
    })
  })
})

describe('nobody gives a program what they lack', () => {
  test('an operator, who reads no tokens, makes no agent that does, and enrols no machine in the place of one', async () => {
    const operator = await signIn(lab, { role: 'operator', organization: lab.organization })
    const admin = await signIn(lab, { role: 'admin', organization: lab.organization })
    const policy = { access: ['token'], connections: [{}] }
    expect((await lab.call('POST', '/api/v1/agents', { key: operator.token, body: { name: 'a', policy } })).json).toMatchObject({ code: 'role_missing' })
    const made = await lab.call('POST', '/api/v1/agents', { key: admin.token, body: { name: 'b', policy } })
    expect(made.status).toBe(201)
    const ask = (path: string, body: unknown, method: 'POST' | 'PATCH' = 'POST') =>
      lab.call(method, `/api/v1/agents/${made.json.id}${path}`, { key: operator.token, body })
    const workload = { name: 'ci', issuer: 'https://ci.example', conditions: [{ claim: 'sub', value: 'repo:*' }] }
    for (const answer of [
      await ask('/enrolment-codes', {}),
      await ask('/workloads', workload),
      await ask('', { owner: operator.id }, 'PATCH'),
      await ask('/accept', {}),
    ])
      expect([answer.status, answer.json.code]).toEqual([403, 'role_missing'])
    const key = await lab.keyFor(['agents:write', 'proxy'])
    expect((await lab.call('PUT', `/api/v1/agents/${made.json.id}/policy`, { key, body: policy })).json.code).toBe('role_missing')
  })

  test('a person proves again who they are before they give a program power', async () => {
    const agent = await lab.agent()
    const fresh = await lab.call('POST', `/api/v1/agents/${agent}/enrolment-codes`, { key: lab.owner.token, body: {} })
    expect([fresh.status, fresh.json.code]).toEqual([201, expect.stringMatching(/^egc_/)])
    const stale = await signIn(lab, { role: 'admin', organization: lab.organization })
    const { session } = stale.opened.signedIn
    await lab.store.sessions.reauthenticated(session.id, session.methods, lab.time.clock.wall() - 11 * MINUTE)
    for (const path of ['/enrolment-codes', '/accept'])
      expect((await lab.call('POST', `/api/v1/agents/${agent}${path}`, { key: stale.token, body: {} })).json.code).toBe('reauthentication_required')
  })
})
