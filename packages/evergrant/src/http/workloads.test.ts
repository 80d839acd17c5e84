// Machines that their platform vouches for: no secret anywhere, every claim checked, and an end that nothing extends.
import { createHmac } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { HOUR, MINUTE } from '../core/time.ts'
import { type AgentLab, createAgentLab } from '../testing/agent-lab.ts'
import { signIn } from '../testing/people.ts'
import { startWorkloadPlatform, type WorkloadPlatform } from '../testing/workload-platform.ts'

let lab: AgentLab
let platform: WorkloadPlatform
beforeEach(async () => {
  lab = await createAgentLab()
  platform = await startWorkloadPlatform(() => lab.time.clock.wall())
})
afterEach(() => platform.close())

async function trust(agent: string, more: object = {}) {
  const body = {
    name: 'CI',
    issuer: platform.issuer,
    conditions: [
      { claim: 'repository', value: 'acme/weather' },
      { claim: 'sub', value: 'repo:acme/*' },
    ],
    ...more,
  }
  return lab.call('POST', `/api/v1/agents/${agent}/workloads`, { body })
}

/** What enrolling with a token of these claims answers. */
async function enrol(audience: string, claims: Readonly<Record<string, unknown>> = {}, header: Readonly<Record<string, unknown>> = {}) {
  const machine = await lab.machine()
  return machine.enrol({ workload_token: await platform.token({ aud: audience, ...claims }, header) })
}

describe('a workload that was cut off', () => {
  const enrolling = async (audience: string, claims = {}) => {
    const machine = await lab.machine()
    const answer = await machine.enrol({ workload_token: await platform.token({ aud: audience, ...claims }) })
    return { machine, answer, id: answer.json.installation?.id as string }
  }
  const post = (path: string, key?: string) => lab.call('POST', `/api/v1/installations/${path}`, { body: {}, ...(key === undefined ? {} : { key }) })

  test.each(['cut-off', 'compromised', 'lock'])(
    '(%s) does not enrol again with its next identity token, also long after its end, until that is taken back',
    async (verb) => {
      const agent = await lab.agent({ auto_accept: ['workload'] })
      const { json: trusted } = await trust(agent)
      const { id } = await enrolling(trusted.audience)
      expect((await post(`${id}/${verb}`)).json.workload_refused).toBe(true)
      const refused = (await enrolling(trusted.audience)).answer
      expect(refused.json).toMatchObject({ status: 401, code: 'workload_refused', detail: expect.stringContaining(id) })
      const { items } = (await lab.call('GET', '/api/v1/events?type=enrolment.refused')).json
      expect(items).toEqual([expect.objectContaining({ subject: agent, data: expect.objectContaining({ stopped: id }) })])
      expect((await enrolling(trusted.audience, { sub: 'repo:acme/other' })).answer.status).toBe(200)
      await lab.call('DELETE', `/api/v1/agents/${agent}/workloads/${trusted.id}`)
      await trust(agent)
      await lab.store.installations.forgetEnded(lab.time.clock.wall() + 40 * 24 * HOUR, 100)
      expect((await enrolling(trusted.audience)).answer.json.code).toBe('workload_refused')
      const undo = verb === 'lock' ? 'unlock' : 'lift'
      expect((await post(`${id}/${undo}`)).json.workload_refused).toBe(false)
      expect((await enrolling(trusted.audience)).answer.status).toBe(200)
      expect((await post(`${id}/lift`)).json.code).toBe('conflict')
    },
  )

  test('by somebody of the whole organization is not let in by the member who owns the program', async () => {
    const member = await signIn(lab, { role: 'member', organization: lab.organization })
    const { json: trusted } = await trust(await lab.agent({ auto_accept: ['workload'] }, { owner: member.id }))
    const { id } = await enrolling(trusted.audience)
    await post(`${id}/cut-off`)
    expect((await post(`${id}/lift`, member.token)).json).toMatchObject({ status: 403, code: 'role_missing' })
    expect((await enrolling(trusted.audience)).answer.json.code).toBe('workload_refused')
    await post(`${id}/lift`)
    const again = await enrolling(trusted.audience)
    await post(`${again.id}/cut-off`, member.token)
    expect((await post(`${again.id}/lift`, member.token)).json.workload_refused).toBe(false)
  })

  test.each(['owner', 'somebody of the whole organization'])('by a lock of %s does not get around it by signing its own machine out', async (by) => {
    const member = await signIn(lab, { role: 'member', organization: lab.organization })
    const { json: trusted } = await trust(await lab.agent({ auto_accept: ['workload'] }, { owner: member.id }))
    const { id, machine } = await enrolling(trusted.audience)
    expect((await post(`${id}/lock`, by === 'owner' ? member.token : undefined)).json.workload_refused).toBe(true)
    const refreshToken = machine.refreshToken ?? ''
    expect((await machine.post('/api/v1/auth/sdk/revoke', refreshToken, { refresh_token: refreshToken })).status).toBe(200)
    expect((await enrolling(trusted.audience)).answer.json.code).toBe('workload_refused')
    expect((await post(`${id}/lift`)).json.workload_refused).toBe(false)
    expect((await enrolling(trusted.audience)).answer.status).toBe(200)
  })

  test('is not one that signed out or that was rotated: these enrol again', async () => {
    const { json: trusted } = await trust(await lab.agent({ auto_accept: ['workload'] }))
    const { machine, id } = await enrolling(trusted.audience)
    await post(`${id}/rotate`)
    const next = await enrolling(trusted.audience)
    expect(next.answer.status).toBe(200)
    const token = machine.refreshToken ?? ''
    expect((await machine.post('/api/v1/auth/sdk/revoke', token, { refresh_token: token })).status).toBeLessThan(300)
    expect((await enrolling(trusted.audience)).answer.status).toBe(200)
  })
})

test('an issuer without TLS is refused where no private host is allowed', async () => {
  const strict = await createAgentLab({ identity: { development: false } })
  const body = { name: 'CI', issuer: 'http://ci.example', conditions: [{ claim: 'sub', value: 'acme' }] }
  const at = `/api/v1/agents/${await strict.agent()}/workloads`
  expect((await strict.call('POST', at, { body })).json).toMatchObject({ code: 'invalid_request', field: '/issuer' })
  expect((await strict.call('POST', at, { body: { ...body, issuer: 'https://ci.example' } })).status).toBe(201)
})

describe('a workload', () => {
  test('enrols with the identity token of its platform, and its installation ends by itself, whatever it refreshes', async () => {
    const agent = await lab.agent({ auto_accept: ['workload'] })
    const trusted = await trust(agent, { installation_seconds: 1_800 })
    expect([trusted.status, trusted.json.audience]).toEqual([201, `https://evergrant.example/${lab.organization}`])
    const machine = await lab.machine()
    const answer = await machine.enrol({ workload_token: await platform.token({ aud: [trusted.json.audience, 'other'] }) })
    expect([answer.status, answer.json.agent]).toEqual([200, expect.objectContaining({ id: agent, status: 'verified' })])
    const end = new Date(lab.time.clock.wall() + 30 * MINUTE).toISOString()
    expect([answer.json.installation.expires_at, answer.json.refresh_expires_at]).toEqual([end, end])
    await lab.time.advance(20 * MINUTE)
    expect((await machine.refresh()).json.refresh_expires_at).toBe(end)
    await lab.time.advance(11 * MINUTE)
    expect((await machine.refresh()).json).toMatchObject({ status: 403, code: 'installation_expired' })
  })

  test('waits for the owner where the policy accepts no workload by itself', async () => {
    const agent = await lab.agent()
    const { audience } = (await trust(agent)).json
    expect((await enrol(audience)).json.agent.status).toBe('pending')
  })

  test.each<[string, Readonly<Record<string, unknown>>, string]>([
    ['another audience', { aud: 'https://elsewhere.example' }, 'aud'],
    ['an end that is over', { exp: Date.UTC(2025, 11, 31) / 1_000 }, 'exp'],
    ['no end', { exp: undefined }, 'exp'],
    ['a beginning that is to come', { nbf: Date.UTC(2026, 0, 2) / 1_000 }, 'nbf'],
    ['a time of issue that is to come', { iat: Date.UTC(2026, 0, 2) / 1_000 }, 'iat'],
    ['no time of issue', { iat: undefined }, 'iat'],
    ['another repository', { repository: 'acme/other' }, 'repository'],
    ['a repository that only begins so', { repository: 'acme/weather-2' }, 'repository'],
    ['a claim that is missing', { repository: undefined }, 'repository'],
    ['a claim that is a list', { repository: ['acme/weather'] }, 'repository'],
    ['a prefix that does not hold', { sub: 'repo:evil/acme' }, 'sub'],
    ['an issuer that nobody trusts', { iss: 'https://evil.example' }, 'issuer'],
  ])('with %s is refused, and is told which check it was', async (_name, claims, check) => {
    const { audience } = (await trust(await lab.agent())).json
    const answer = await enrol(audience, claims)
    expect([answer.status, answer.json.code]).toEqual([401, 'workload_refused'])
    expect(answer.json.detail).toContain(check)
  })

  test('with a token that its issuer did not sign is refused: another key, an HMAC with its public key, none at all', async () => {
    const { audience } = (await trust(await lab.agent())).json
    const other = await startWorkloadPlatform(() => lab.time.clock.wall())
    const genuine = await platform.token({ aud: audience })
    const [, claims = ''] = genuine.split('.')
    const head = (of: object) => Buffer.from(JSON.stringify(of)).toString('base64url')
    const published = await (await fetch(`${platform.issuer}/jwks`)).text()
    const hmac = `${head({ alg: 'HS256', kid: 'key-1' })}.${claims}`
    const forged = [
      await other.token({ aud: audience, iss: platform.issuer }),
      `${hmac}.${createHmac('sha256', published).update(hmac).digest('base64url')}`,
      `${head({ alg: 'none' })}.${claims}.`,
      `${genuine.slice(0, -4)}AAAA`,
      'nonsense',
    ]
    for (const workload_token of forged) expect((await (await lab.machine()).enrol({ workload_token })).json.code).toBe('workload_refused')
    await other.close()
  })

  test('is known again by its key and attempt, and another process with the same token is another installation', async () => {
    const { audience } = (await trust(await lab.agent())).json
    const workload_token = await platform.token({ aud: audience })
    const [one, two] = [await lab.machine(), await lab.machine()]
    const attempt_id = 'A'.repeat(22)
    const ids = [
      await one.enrol({ workload_token }, { attempt_id }),
      await one.enrol({ workload_token }, { attempt_id }),
      await two.enrol({ workload_token }, { attempt_id }),
    ].map(({ json }) => json.installation.id)
    expect([ids[0] === ids[1], ids[0] === ids[2]]).toEqual([true, false])
  })
})

describe('the keys of an issuer', () => {
  test('are read once, and again for a key that is not among them, at most once a minute', async () => {
    const { audience } = (await trust(await lab.agent())).json
    for (let round = 0; round < 3; round++) expect((await enrol(audience)).status).toBe(200)
    expect(platform.asked).toBe(2)
    await platform.rotate()
    expect((await enrol(audience)).json.detail).toContain('a key that its issuer does not publish')
    expect(platform.asked).toBe(2)
    await lab.time.advance(MINUTE)
    expect((await enrol(audience)).status).toBe(200)
    expect(platform.asked).toBe(4)
    for (let round = 0; round < 3; round++) expect((await enrol(audience, {}, { kid: `made-up-${round}` })).status).toBe(401)
    expect(platform.asked).toBe(4)
    await lab.time.advance(HOUR)
    expect((await enrol(audience)).status).toBe(200)
    expect(platform.asked).toBe(6)
  })

  test('that cannot be read refuse nobody for longer than that lasts', async () => {
    const { audience } = (await trust(await lab.agent())).json
    platform.broken = 503
    expect((await enrol(audience)).json).toMatchObject({ code: 'workload_refused', detail: expect.stringContaining('could not be read') })
    platform.broken = null
    expect((await enrol(audience)).status).toBe(200)
  })

  test('are fetched for nobody whom no agent trusts', async () => {
    expect((await enrol('any')).json.code).toBe('workload_refused')
    expect(platform.asked).toBe(0)
  })
})

describe('a trust', () => {
  test('has conditions, is listed, and ends when it is removed; what came by it goes on', async () => {
    const agent = await lab.agent()
    expect((await trust(agent, { conditions: [] })).json).toMatchObject({ code: 'invalid_request' })
    const made = (await trust(agent)).json
    const machine = await lab.machine()
    await machine.enrol({ workload_token: await platform.token({ aud: made.audience }) })
    expect((await lab.call('GET', `/api/v1/agents/${agent}/workloads`)).json.items).toEqual([made])
    expect((await lab.call('DELETE', `/api/v1/agents/${agent}/workloads/${made.id}`)).status).toBe(204)
    expect((await lab.call('DELETE', `/api/v1/agents/${agent}/workloads/${made.id}`)).status).toBe(404)
    expect((await enrol(made.audience)).json.code).toBe('workload_refused')
    expect((await machine.refresh()).status).toBe(200)
  })

  test('has an audience that no other organization can take, and a token that fits two agents enrols in neither', async () => {
    const [agent, other] = [await lab.agent(), await lab.agent()]
    expect((await trust(agent, { audience: 'shared' })).status).toBe(201)
    const stranger = await signIn(lab, { role: 'owner', organization: await lab.anotherOrganization() })
    const theirs = (await lab.call('POST', '/api/v1/agents', { key: stranger.token, body: { name: 'theirs' } })).json.id
    const wanted = { name: 'CI', issuer: platform.issuer, audience: 'shared', conditions: [{ claim: 'sub', value: 'repo:*' }] }
    expect((await lab.call('POST', `/api/v1/agents/${theirs}/workloads`, { key: stranger.token, body: wanted })).json).toMatchObject({
      code: 'already_exists',
      field: '/audience',
    })
    expect((await trust(other, { audience: 'shared' })).status).toBe(201)
    expect((await enrol('shared')).json.detail).toContain('more than one agent')
  })

  test('of a member keeps nobody else out: its audience is that of their own agent, and not one that others have', async () => {
    const agent = await lab.agent()
    const { audience } = (await trust(agent)).json
    expect((await trust(agent, { audience: 'shared' })).status).toBe(201)
    const member = await signIn(lab, { role: 'member', organization: lab.organization })
    const own = (await lab.call('POST', '/api/v1/agents', { key: member.token, body: { name: 'mine' } })).json.id
    const wanted = { name: 'CI', issuer: platform.issuer, conditions: [{ claim: 'sub', value: 'repo:*' }] }
    const ask = (more: object) => lab.call('POST', `/api/v1/agents/${own}/workloads`, { key: member.token, body: { ...wanted, ...more } })
    for (const taken of [audience, 'shared', `${audience}/${agent}`, 'https://evergrant.example/org_other'])
      expect((await ask({ audience: taken })).json).toMatchObject({ code: 'already_exists', field: '/audience' })
    expect((await ask({})).json.audience).toBe(`${audience}/${own}`)
    expect((await enrol(audience)).json.agent.id).toBe(agent)
    expect((await enrol(`${audience}/${own}`)).json.agent.id).toBe(own)
  })
})
