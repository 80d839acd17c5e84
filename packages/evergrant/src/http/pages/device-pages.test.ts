// A person lets a machine in that shows a code (RFC 8628), on a page without JavaScript.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { AgentId } from '../../core/ids.ts'
import { AgentMachine, type AgentServer } from '../../testing/agent-machine.ts'
import type { PageVisitor } from '../../testing/page-visitor.ts'
import { openPeoplePages, type PeoplePages } from '../../testing/people-place.ts'

let place: PeoplePages
let server: AgentServer
beforeAll(async () => {
  place = await openPeoplePages()
  server = {
    publicUrl: place.evergrant.publicUrl,
    now: () => Date.now(),
    send: async (method, url, { headers, body }) => {
      const payload = body === undefined ? {} : { payload: JSON.stringify(body) }
      const answer = await place.app.inject({ method, url, headers: { 'content-type': 'application/json', ...headers }, ...payload })
      return { status: answer.statusCode, headers: answer.headers, text: answer.body, json: JSON.parse(answer.body) }
    },
  }
}, 60_000)
afterAll(() => place.close())

let visitor: PageVisitor
let userId: string
let people = 0
beforeEach(async () => {
  const email = `device${++people}@example.com`
  userId = (await place.person(email, 'operator')).id
  visitor = await place.signedIn(email)
})

interface Asking {
  readonly machine: AgentMachine
  readonly userCode: string
  enrol(): ReturnType<AgentMachine['enrol']>
}

async function asking(host = 'web-2'): Promise<Asking> {
  const machine = await AgentMachine.make(server)
  const asked = await server.send('POST', '/api/v1/auth/sdk/device', { headers: {}, body: { hints: { host, platform: 'linux node 24' } } })
  expect(asked.json).toMatchObject({ verification_uri: `${server.publicUrl}/device`, expires_in: 900, interval: 5 })
  expect(asked.json.verification_uri_complete).toBe(`${server.publicUrl}/device?user_code=${asked.json.user_code}`)
  return { machine, userCode: asked.json.user_code, enrol: () => machine.enrol({ device_code: asked.json.device_code }) }
}

describe('a machine that waits', () => {
  test('is let in as a new agent by the person who confirms its code, and was told to wait until then', async () => {
    const one = await asking()
    expect(one.userCode).toMatch(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/)
    expect((await one.enrol()).json).toMatchObject({ status: 400, code: 'authorization_pending', interval: 5 })
    expect((await one.enrol()).json).toMatchObject({ status: 400, code: 'slow_down', interval: 10 })
    const shown = await visitor.get(`/device?user_code=${one.userCode.toLowerCase().replace('-', '')}`)
    expect(shown.status).toBe(200)
    for (const fact of [one.userCode, 'web-2', 'linux node 24', '127.0.0.1', 'Only if you started it yourself']) expect(shown.body).toContain(fact)
    const allowed = await visitor.post('/device/allow', { user_code: one.userCode, agent: 'new', name: `weather ${people}` })
    expect([allowed.status, allowed.location]).toEqual([303, '/device?done=allowed'])
    expect((await visitor.follow(allowed)).body).toContain('goes on by itself')
    const enrolled = await one.enrol()
    expect([enrolled.status, enrolled.json.agent]).toEqual([200, { id: expect.stringMatching(/^agt_/), name: `weather ${people}`, status: 'verified' }])
    expect((await place.store.agents.get(place.organization, enrolled.json.agent.id as AgentId))?.agent.owner).toBe(userId)
    expect(await visitor.get(`/device?user_code=${one.userCode}`)).toMatchObject({
      status: 400,
      body: expect.stringContaining('No machine waits with this code'),
    })
  })

  test('becomes an installation of an agent that is there, and hears of a refusal at once', async () => {
    const { services } = place.parts
    const caller = {
      organization: place.organization,
      actor: { kind: 'user', id: userId } as const,
      user: userId as `usr_${string}`,
      own: null,
      gives: ['proxy'] as const,
    }
    const { agent } = await services.agents.create(caller, { name: `there ${people}`, description: null, owner: null, policy: {}, recovery: {} })
    const [one, other] = [await asking('a'), await asking('b')]
    const page = (await visitor.get(`/device?user_code=${one.userCode}`)).body
    expect(page).toContain(agent.name)
    // Nobody is led to give a stranger what an agent of theirs may do: that is chosen by hand.
    expect(page).toContain('<option value="new" selected>')
    await visitor.post('/device/allow', { user_code: one.userCode, agent: agent.id })
    expect((await one.enrol()).json.agent.id).toBe(agent.id)
    await visitor.post('/device/deny', { user_code: other.userCode })
    expect((await other.enrol()).json).toMatchObject({ status: 403, code: 'device_denied' })
  })

  test('is let in by nobody who only looks at the page, or whose browser was led to send the form', async () => {
    const one = await asking()
    await visitor.get(`/device?user_code=${one.userCode}`)
    const form = { user_code: one.userCode, agent: 'new', name: 'stolen' }
    expect((await visitor.postFrom('https://evil.example', '/device/allow', form)).status).toBe(403)
    expect((await visitor.get('/device/allow')).status).toBe(405)
    expect((await one.enrol()).json.code).toBe('authorization_pending')
  })
})

describe('the person', () => {
  test('signs in first and comes back with the code', async () => {
    const one = await asking()
    const seen = await place.browser().get(`/device?user_code=${one.userCode}`)
    expect([seen.status, seen.location]).toEqual([303, `/auth/sign-in?return_url=${encodeURIComponent(`/device?user_code=${one.userCode}`)}`])
    const stranger = place.browser()
    const signedIn = await stranger.post('/auth/sign-in', {
      email: `device${people}@example.com`,
      password: 'correct kettle battery orbit',
      return_url: `/device?user_code=${one.userCode}`,
    })
    expect(signedIn.location).toBe(`/device?user_code=${one.userCode}`)
  })

  test('proves again who they are when that was long ago, before they see or allow anything', async () => {
    const one = await asking()
    await place.makeStale(userId as `usr_${string}`)
    for (const seen of [
      await visitor.get(`/device?user_code=${one.userCode}`),
      await visitor.post('/device/allow', { user_code: one.userCode, agent: 'new', name: 'x' }),
    ])
      expect([seen.status, seen.location]).toEqual([303, `/auth/confirm?return_url=${encodeURIComponent(`/device?user_code=${one.userCode}`)}`])
    expect((await visitor.get('/device')).status).toBe(200)
  })

  test('is told in the form what is wrong: a code that is none, a name that is missing or taken', async () => {
    expect((await visitor.get('/device?user_code=AAAA-BBBB')).body).toContain('No machine waits with this code')
    const one = await asking()
    const unnamed = await visitor.post('/device/allow', { user_code: one.userCode, agent: 'new', name: ' ' })
    expect([unnamed.status, unnamed.body.includes('Give the new agent a name'), unnamed.body.includes(one.userCode)]).toEqual([400, true, true])
    await visitor.post('/device/allow', { user_code: one.userCode, agent: 'new', name: `taken ${people}` })
    const other = await asking()
    const taken = await visitor.post('/device/allow', { user_code: other.userCode, agent: 'new', name: `taken ${people}` })
    expect([taken.status, taken.body.includes('aria-invalid')]).toEqual([409, true])
  })

  test('who only looks on lets no program in', async () => {
    const email = `viewer${people}@example.com`
    await place.person(email, 'viewer')
    const viewer = await place.signedIn(email)
    expect((await viewer.get('/device')).status).toBe(403)
  })

  test('and their address try twenty codes, and then wait', async () => {
    let last = await visitor.get('/device?user_code=BBBB-BBBB')
    for (let index = 0; index < 30 && last.status === 400; index++) last = await visitor.get('/device?user_code=BBBB-BBBB')
    expect([last.status, last.body.includes('Too many codes were tried')]).toEqual([429, true])
  })
})
