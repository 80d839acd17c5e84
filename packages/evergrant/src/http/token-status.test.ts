import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createPersonConnections } from '../core/session/due-connections.ts'
import { DAY, HOUR, MINUTE } from '../core/time.ts'
import { type ApiLab, createApiLab } from '../testing/api-lab.ts'
import { type SignedInPerson, signIn } from '../testing/people.ts'

let lab: ApiLab
let ana: SignedInPerson
beforeEach(async () => {
  lab = await createApiLab()
  ana = await signIn(lab, { role: 'member', organization: lab.organization, externalId: 'owner-1' })
})
afterEach(() => lab.app.close())

const status = async (token = ana.token) => (await lab.call('GET', '/api/v1/auth/token-status', { key: token })).json
/** A refresh of the session, with the credential that is current. */
const refresh = (credential = ana.refreshToken) => lab.call('POST', '/api/v1/auth/refresh', { key: null, body: { refresh_token: credential } })
const exchanges = (): number => lab.provider.presented.length

/** Turns of the event loop, while no time passes, until it is so: signatures are checked by other threads, which come to it when they can. */
async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const look = async () => {
    await lab.time.advance(0)
    if (!(await isSo())) throw new Error(`${what} never came`)
  }
  await vi.waitFor(look, { interval: 1 })
}

describe('auth/token-status', () => {
  test('says how the session and my connections are, in the shape of the contract', async () => {
    expect(await status()).toEqual({
      session: { status: 'valid', expires_at: expect.any(String), idle_expires_at: expect.any(String) },
      connections: [
        {
          id: lab.connection,
          integration: 'scripted',
          provider: 'Scripted',
          account: 'ada',
          status: 'valid',
          connection_status: 'active',
          code: null,
          title: null,
          message: null,
          action: 'none',
          expires_at: null,
          reconnect_url: null,
          retry_at: null,
        },
      ],
    })
  })

  test('asks no provider, however late a connection is', async () => {
    await lab.time.advance(2 * HOUR)
    const { opened } = ana
    const token = (await lab.services.sessions.current(opened.signedIn.session.id)).accessToken
    expect((await status(token)).connections[0].status).toBe('valid')
    expect(exchanges()).toBe(0)
  })

  test('a grant that is over has its reason, its words and the page that repairs it', async () => {
    lab.provider.familyAlive = false
    await lab.time.advance(2 * HOUR)
    const { json } = await refresh()
    const [told] = json.connections
    expect(told).toMatchObject({ status: 'needs_reauth', connection_status: 'needs_reauth', code: 'connection_revoked', action: 'reconnect' })
    expect(told.reconnect_url).toMatch(/^https:\/\/evergrant\.example\/connect\/repair\/con_/)
    expect(told.title).toBe('Scripted access was removed')
    expect(told.message).toContain('ada')
    expect((await status(json.access_token)).connections).toEqual(json.connections)
  })

  test('shows nobody else’s connections, and the person of no connection an empty list', async () => {
    const bea = await signIn(lab, { role: 'owner', organization: lab.organization })
    expect((await status(bea.token)).connections).toEqual([])
  })

  test('a session that ends within an hour is expiring', async () => {
    await lab.time.advance(30 * DAY - 30 * MINUTE)
    const { accessToken } = await lab.services.sessions.current(ana.opened.signedIn.session.id)
    expect((await status(accessToken)).session.status).toBe('expiring')
  })

  test('is for a person: an API key has no session', async () => {
    expect((await lab.call('GET', '/api/v1/auth/token-status')).status).toBe(403)
  })
})

describe('a refresh of the session', () => {
  test('leaves a connection alone that is not due', async () => {
    const { json } = await refresh()
    expect(json.connections.map(({ id, status }: { id: string; status: string }) => [id, status])).toEqual([[lab.connection, 'valid']])
    expect(exchanges()).toBe(0)
  })

  test('renews a connection that is past its soft instant, though its token still lives', async () => {
    const { softAt, accessExpiresAt } = (await lab.row()).credential
    await lab.time.advance((softAt ?? 0) - lab.time.clock.wall())
    expect(lab.time.clock.wall()).toBeLessThan(accessExpiresAt ?? 0)
    const { json } = await refresh()
    expect([exchanges(), (await lab.row()).credential.generation, json.connections[0].status]).toEqual([1, 2, 'valid'])
  })

  test.each(['past its soft instant', 'over'])('20 refreshes at once cost one exchange of a connection that is %s', async (when) => {
    const { softAt, accessExpiresAt } = (await lab.row()).credential
    await lab.time.advance((when === 'over' ? (accessExpiresAt ?? 0) + 1 : (softAt ?? 0)) - lab.time.clock.wall())
    const answers = await Promise.all(Array.from({ length: 20 }, () => refresh()))
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200))
    expect(new Set(answers.map(({ json }) => json.refresh_token)).size).toBe(1)
    expect(exchanges()).toBe(1)
    expect(lab.provider.overlapped).toBe(false)
    for (const { json } of answers) expect(json.connections[0]).toMatchObject({ id: lab.connection, status: 'valid' })
  })

  test('one right after another renews nothing again', async () => {
    await lab.time.advance(2 * HOUR)
    const first = await refresh()
    await refresh(first.json.refresh_token)
    expect(exchanges()).toBe(1)
  })

  test('a look at the connections that was overtaken by somebody else’s renewal renews nothing again', async () => {
    await lab.time.advance(2 * HOUR)
    const overtaken = await lab.services.connections.list(lab.organization, { owner: 'owner-1' }, { limit: 50, cursor: null })
    await refresh()
    const late = createPersonConnections({ ...lab.services, connections: { list: async () => overtaken } })
    const { signedIn } = await lab.services.sessions.current(ana.opened.signedIn.session.id)
    await late.renewDue(signedIn, 2_000)
    expect(exchanges()).toBe(1)
  })

  test('waits for a database that has just gone away two seconds and no longer: the session is renewed already', async () => {
    await lab.time.advance(2 * HOUR)
    const { signedIn } = await lab.services.sessions.current(ana.opened.signedIn.session.id)
    const gone = createPersonConnections({ ...lab.services, connections: { list: () => new Promise(() => {}) } })
    const answer = gone.renewDue(signedIn, 2_000)
    await lab.time.advance(2_000)
    expect(await Promise.race([answer, Promise.resolve('still waiting')])).toEqual([])
  })

  test('tells what it saw first when the database goes away while the provider is asked', async () => {
    await lab.time.advance(2 * HOUR)
    const { signedIn } = await lab.services.sessions.current(ana.opened.signedIn.session.id)
    const seen = await lab.services.connections.list(lab.organization, { owner: 'owner-1' }, { limit: 50, cursor: null })
    const looks = [Promise.resolve(seen)]
    const gone = createPersonConnections({ ...lab.services, connections: { list: () => looks.shift() ?? new Promise(() => {}) } })
    const answer = gone.renewDue(signedIn, 2_000)
    await until('the request to the provider', () => exchanges() === 1)
    await lab.time.advance(2_000)
    await lab.time.advance(1_000)
    expect(await Promise.race([answer, Promise.resolve('still waiting')])).toMatchObject([{ id: lab.connection }])
  })

  test('waits for a provider two seconds and no longer; what was begun goes on by itself', async () => {
    await lab.time.advance(2 * HOUR)
    lab.provider.steps.push({ kind: 'late', ms: 4_000 })
    let answered = false
    const answer = refresh().then((given) => {
      answered = true
      return given
    })
    await until('the request to the provider', () => exchanges() === 1)
    await lab.time.advance(1_900)
    expect(answered).toBe(false)
    await lab.time.advance(200)
    expect((await answer).status).toBe(200)
    expect([exchanges(), (await lab.row()).credential.generation]).toEqual([1, 1])
    await lab.time.advance(3_000)
    await until('the second generation', async () => (await lab.row()).credential.generation === 2)
    expect(exchanges()).toBe(1)
  })

  test('a provider that is down keeps nobody out, and shows as what it is', async () => {
    await lab.time.advance(2 * HOUR)
    lab.provider.steps.push({ kind: 'answer', status: 503, body: 'down' })
    const { status: code, json } = await refresh()
    expect(code).toBe(200)
    expect(json.connections[0]).toMatchObject({ status: 'refreshing', connection_status: 'degraded', action: 'wait' })
    expect(json.connections[0].retry_at).not.toBeNull()
  })

  test('leaves paused and disconnected connections alone', async () => {
    await lab.call('POST', `/api/v1/connections/${lab.connection}/pause`)
    await lab.time.advance(2 * HOUR)
    const paused = await refresh()
    expect(paused.json.connections[0]).toMatchObject({ status: 'unavailable', code: 'connection_paused' })
    await lab.call('DELETE', `/api/v1/connections/${lab.connection}`)
    expect((await refresh(paused.json.refresh_token)).json.connections[0]).toMatchObject({ status: 'disconnected' })
    expect(exchanges()).toBe(0)
  })
})
