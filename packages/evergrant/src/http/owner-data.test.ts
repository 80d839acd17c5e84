// Export and erase (peers.md row 71): what is planted about a person is in their export, and nowhere in the database afterwards.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { newId } from '../core/ids.ts'
import { SECOND } from '../core/time.ts'
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts'
import { systemEntropy } from '../system.ts'
import { type ApiLab, createApiLab } from '../testing/api-lab.ts'
import { connectionOf, newMember, openFor, type SignedInPerson, signIn } from '../testing/people.ts'

const OWNER = 'planted-owner@example.com'
const REVOKE = {
  url: 'https://provider.example/revoke',
  method: 'POST',
  clientAuth: 'body',
  format: 'form',
  token: 'refresh',
  parameter: 'token',
  parameters: {},
  reach: 'grant',
  fallback: null,
} as const

let folder: string
let lab: ApiLab
let admin: SignedInPerson
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'evergrant-erase-'))
  lab = await createApiLab({
    record: { revoke: REVOKE },
    store: ({ clock, timers }) => openSqliteStore(join(folder, 'erase.db'), { clock, timers, migrate: true }),
  })
  admin = await signIn(lab, { role: 'owner', organization: lab.organization, name: 'Administrator' })
})
afterEach(async () => {
  await lab.app.close()
  await lab.store.close()
  rmSync(folder, { recursive: true })
})

/** Every value of every row, as text; bytes as hexadecimal. */
function everything(): string {
  const file = new DatabaseSync(join(folder, 'erase.db'), { readOnly: true })
  try {
    const tables = file
      .prepare("select name from sqlite_master where type = 'table'")
      .all()
      .map(({ name }) => String(name))
    return tables
      .flatMap((table) =>
        file
          .prepare(`select * from "${table}"`)
          .all()
          .map((row) => `${table} ${Object.entries(row).map(readable).join(' ')}`),
      )
      .join('\n')
  } finally {
    file.close()
  }
}

function readable([name, value]: readonly [string, unknown]): string {
  return `${name}=${value instanceof Uint8Array ? `${Buffer.from(value).toString('hex')} ${Buffer.from(value).toString('latin1')}` : String(value)}`
}

const planted = (): readonly string[] =>
  everything()
    .split('\n')
    .filter((row) => row.includes('planted'))
const eventOf = (type: 'connect.refused' | 'user.updated', subject: string | null, data: Record<string, string | number>) => ({
  id: newId('evt', systemEntropy),
  organization: lab.organization,
  type,
  at: lab.time.clock.wall(),
  actor: { kind: 'system', id: null } as const,
  connection: null,
  subject,
  data,
})

/** A person with everything that we keep of people. */
async function plantPerson(): Promise<SignedInPerson> {
  const user = await newMember(lab, { role: 'member', organization: lab.organization, externalId: OWNER, email: 'planted@example.com', name: 'planted name' })
  await lab.store.users.addIdentity(
    { issuer: 'https://planted-issuer.example', subject: 'planted-subject', user: user.id, createdAt: lab.time.clock.wall() },
    { ...eventOf('user.updated', user.id, { email: 'planted@example.com' }), type: 'user.identity_added' },
  )
  return openFor(lab, user, { organization: lab.organization })
}

async function plantConnection(owner = OWNER): Promise<`con_${string}`> {
  const made = await lab.call('POST', '/api/v1/connections', {
    body: {
      integration: 'scripted',
      owner,
      access_token: 'planted-access',
      refresh_token: 'planted-refresh',
      account: `planted-account-of-${owner}`,
      account_label: 'planted-label',
      metadata: { note: 'planted-metadata' },
      tags: ['planted-tag'],
    },
  })
  expect([made.status, made.text]).toEqual([201, expect.anything()])
  return made.json.id
}

async function plantSession(): Promise<`cs_${string}`> {
  const id = newId('cs', systemEntropy)
  const at = lab.time.clock.wall()
  await lab.store.connectSessions.insert(
    {
      id,
      organization: lab.organization,
      integration: lab.integration,
      owner: OWNER,
      mode: 'verified',
      connection: null,
      tokenHash: `hash-${id}`,
      state: 'open',
      scopes: null,
      returnUrl: 'https://app.example/planted-return',
      createdAt: at,
      expiresAt: at + 60 * SECOND,
      flow: null,
      staged: null,
      fault: null,
      result: null,
      variables: {},
    },
    { ...eventOf('connect.refused', id, { owner: OWNER, named: 'planted-other', code: 'connect_owner_mismatch' }), type: 'connect.session_created' },
  )
  return id
}

async function joinElsewhere(ana: SignedInPerson) {
  const elsewhere = (await lab.services.users.createOrganization(admin.id, { name: 'Elsewhere', slug: 'elsewhere' })).organization.id
  const joined = { ...eventOf('user.updated', ana.id, { note: 'planted elsewhere' }), organization: elsewhere, type: 'user.joined' as const }
  await lab.store.users.addMember({ organization: elsewhere, user: ana.id, role: 'viewer', createdAt: 1 }, joined)
  return elsewhere
}

const erase = (key: string = admin.token, owner = OWNER) => lab.call('DELETE', `/api/v1/owners/${encodeURIComponent(owner)}`, { key })
const revoked = () => lab.provider.presented.length

describe('an export', () => {
  test('holds all that is kept about an owner, and no secret', async () => {
    const [ana, connection, session] = [await plantPerson(), await plantConnection(), await plantSession()]
    const { status, json, text } = await lab.call('GET', `/api/v1/owners/${encodeURIComponent(OWNER)}/export`, { key: admin.token })
    expect(status).toBe(200)
    expect(json.connections.map(({ id }: { id: string }) => id)).toEqual([connection])
    expect(json.connections[0]).toMatchObject({ metadata: { note: 'planted-metadata' }, tags: ['planted-tag'], account: { label: 'planted-label' } })
    expect(json.connect_sessions.map(({ id }: { id: string }) => id)).toEqual([session])
    expect(json.user).toMatchObject({
      id: ana.id,
      email: 'planted@example.com',
      name: 'planted name',
      identities: [{ issuer: 'https://planted-issuer.example', subject: 'planted-subject' }],
      sessions: [{ id: ana.opened.signedIn.session.id, user_agent: 'test browser', address: '192.0.2.1' }],
    })
    expect(json.events.map(({ type }: { type: string }) => type)).toEqual(
      expect.arrayContaining(['connection.imported', 'connect.session_created', 'session.opened']),
    )
    expect(json.events_complete).toBe(true)
    for (const secret of ['planted-access', 'planted-refresh', 'token_hash', 'password_hash', ana.refreshToken]) expect(text).not.toContain(secret)
  })

  test('is written into the events, without the name of the owner', async () => {
    await plantConnection()
    await lab.call('GET', `/api/v1/owners/${encodeURIComponent(OWNER)}/export`, { key: admin.token })
    const [event] = (await lab.call('GET', '/api/v1/events?type=owner.exported')).json.items
    expect(event.actor).toEqual({ kind: 'user', id: admin.id })
    expect(JSON.stringify(event)).not.toContain('planted')
  })

  test('of a member who belongs elsewhere too says nothing of there; their own does', async () => {
    const ana = await plantPerson()
    const elsewhere = (await lab.services.users.createOrganization(admin.id, { name: 'Elsewhere', slug: 'elsewhere' })).organization.id
    await lab.store.users.addMember({ organization: elsewhere, user: ana.id, role: 'viewer', createdAt: 1 }, eventOf('user.updated', ana.id, {}))
    const there = await openFor(lab, ana.user, { organization: elsewhere })
    const told = await lab.call('GET', `/api/v1/owners/${encodeURIComponent(OWNER)}/export`, { key: admin.token })
    expect([told.json.user.memberships.length, told.json.user.sessions.length]).toEqual([1, 1])
    for (const foreign of [elsewhere, there.opened.signedIn.session.id]) expect(told.text).not.toContain(foreign)
    const own = await lab.call('GET', '/api/v1/users/me/export', { key: ana.token })
    expect([own.json.user.memberships.length, own.json.user.sessions.length]).toEqual([2, 2])
  })

  test('of myself holds mine and nobody else’s', async () => {
    const ana = await plantPerson()
    const [mine] = [await plantConnection(), await plantConnection('neighbour')]
    const { json, text } = await lab.call('GET', '/api/v1/users/me/export', { key: ana.token })
    expect([json.owner, json.user.id]).toEqual([OWNER, ana.id])
    expect(json.connections.map(({ id }: { id: string }) => id)).toEqual([mine])
    expect(text).not.toContain('neighbour')
  })
})

describe('an erasure', () => {
  test('leaves nothing of what was planted anywhere in the database, and the provider is told', async () => {
    const [ana, connection] = [await plantPerson(), await plantConnection()]
    await plantSession()
    const link = { purpose: 'owner_page', user: null, organization: lab.organization, data: { owner: OWNER }, attempts: 0 } as const
    await lab.store.tickets.insert({ ...link, hash: 'link', createdAt: lab.time.clock.wall(), expiresAt: lab.time.clock.wall() + 60 * SECOND })
    await lab.call('PATCH', `/api/v1/connections/${connection}`, { body: { account_label: 'planted-second-label' } })
    expect(planted().length).toBeGreaterThan(5)
    lab.provider.steps.push({ kind: 'answer', status: 200, body: '' })
    const { status, json } = await erase()
    expect([status, json]).toEqual([
      200,
      { connections: [{ id: connection, provider: 'Scripted', grant: 'done' }], connect_sessions: 1, user: { id: ana.id, outcome: 'erased' } },
    ])
    expect(planted()).toEqual([])
    expect(everything()).not.toContain('192.0.2.1 planted')
    expect(revoked()).toBe(1)
    expect((await lab.call('GET', '/api/v1/users/profile', { key: ana.token })).status).toBe(401)
  })

  test('keeps the events with their ids and times, and what is no person’s', async () => {
    const connection = await plantConnection()
    const before = (await lab.call('GET', `/api/v1/events?connection=${connection}`)).json.items
    await erase()
    const after = (await lab.call('GET', `/api/v1/events?connection=${connection}`)).json.items
    const ids = (events: readonly { id: string; at: string; type: string }[]) => events.map(({ id, at, type }) => `${id} ${at} ${type}`)
    expect(ids(after)).toEqual(expect.arrayContaining(ids(before)))
    const read = (await lab.call('GET', `/api/v1/connections/${connection}`)).json
    expect(read).toMatchObject({ status: 'disconnected', account: { id: null, label: null }, metadata: {}, tags: [] })
    expect(read.owner).toMatch(/^owner-[A-Za-z0-9_-]{24}$/)
    const [told] = (await lab.call('GET', '/api/v1/events?type=owner.erased')).json.items
    expect(told).toMatchObject({ subject: read.owner, actor: { kind: 'user', id: admin.id } })
  })

  test('again finds nothing, changes nothing and says so', async () => {
    await plantPerson()
    await plantConnection()
    await erase()
    const before = everything()
    const again = await erase()
    expect([again.status, again.json]).toEqual([200, { connections: [], connect_sessions: 0, user: null }])
    const settled = (text: string) =>
      text
        .split('\n')
        .filter((row) => !/^(session|api_key) /.test(row))
        .join('\n')
    expect(settled(everything())).toBe(settled(before))
  })

  test('touches no other owner, and no same name in another organization', async () => {
    const [neighbour, foreignOrganization] = [await plantConnection('neighbour'), await lab.anotherOrganization()]
    const foreignIntegration = await lab.store.integrations.get(lab.organization, lab.integration)
    if (foreignIntegration === undefined) throw new Error('no integration')
    const id = newId('int', systemEntropy)
    await lab.store.integrations.insert(
      { ...foreignIntegration, id, organization: foreignOrganization, slug: 'theirs' },
      { ...eventOf('user.updated', id, {}), organization: foreignOrganization, type: 'integration.created' },
    )
    const theirs = await connectionOf(lab.store, { organization: foreignOrganization, integration: id, owner: OWNER, account: 'planted-theirs' })
    await plantConnection()
    const before = [await lab.store.credentials.read(neighbour), await lab.store.credentials.read(theirs)]
    await erase()
    expect([await lab.store.credentials.read(neighbour), await lab.store.credentials.read(theirs)]).toEqual(before)
  })

  test('does not wait for a provider that is silent, and says which grant it could not end', async () => {
    await plantConnection()
    lab.provider.steps.push({ kind: 'silent' })
    const pending = erase()
    while (revoked() === 0) await lab.time.advance(0)
    await lab.time.advance(11 * SECOND)
    const { json } = await pending
    expect(json.connections[0].grant).toBe('not_answered')
    expect(planted()).toEqual([])
  })

  test('takes the token that the engine has in memory, the stored one, and the answer that brought it', async () => {
    const read = () => lab.call('GET', `/api/v1/connections/${lab.connection}/token`)
    expect((await lab.call('POST', `/api/v1/connections/${lab.connection}/refresh`)).status).toBe(200)
    expect((await read()).json.access_token).toBe('at-2')
    const answers = () =>
      everything()
        .split('\n')
        .filter((row) => row.startsWith('answer ') && row.includes(lab.connection))
    expect(answers()).toHaveLength(1)
    await erase(admin.token, 'owner-1')
    expect((await read()).status).toBe(410)
    expect(answers()).toEqual([])
    const { accessToken, refreshToken, fingerprint } = (await lab.row()).credential
    expect([accessToken, refreshToken, fingerprint]).toEqual([null, null, null])
  })

  test('of myself ends my sessions and takes my account away', async () => {
    const ana = await plantPerson()
    const connection = await plantConnection()
    const { status, json } = await lab.call('DELETE', '/api/v1/users/me', { key: ana.token })
    expect([status, json.user, json.connections[0].id]).toEqual([200, { id: ana.id, outcome: 'erased' }, connection])
    expect(planted()).toEqual([])
    await expect(lab.services.sessions.refresh(ana.refreshToken, { address: null, userAgent: null })).rejects.toMatchObject({ definition: { status: 401 } })
  })

  /** Somebody with a connection whose provider is silent, and what happens while it is waited for. */
  async function whileProvidersAreSilent<Met>(start: (ana: SignedInPerson) => ReturnType<typeof erase>, meanwhile: (ana: SignedInPerson) => Promise<Met>) {
    const ana = await plantPerson()
    await plantConnection()
    lab.provider.steps.push({ kind: 'silent' })
    const pending = start(ana)
    while (revoked() === 0) await lab.time.advance(0)
    const met = await meanwhile(ana)
    await lab.time.advance(11 * SECOND)
    return { ana, met, ...(await pending) }
  }

  test('of a member who joins another organization while providers are waited for takes them out of this one alone', async () => {
    const { ana, met: elsewhere, status, json } = await whileProvidersAreSilent(() => erase(), joinElsewhere)
    expect([status, json.user]).toEqual([200, { id: ana.id, outcome: 'removed' }])
    expect(await lab.store.users.get(ana.id)).toMatchObject({ email: 'planted@example.com' })
    expect((await lab.store.users.membershipsOf(ana.id)).map(({ organization }) => organization)).toEqual([elsewhere])
    const told = await lab.store.events.list(elsewhere, { subject: ana.id }, { limit: 5, cursor: null })
    expect(told.items.map(({ type, data }) => [type, data])).toEqual([['user.joined', { note: 'planted elsewhere' }]])
  })

  test('of myself goes on in an organization that I join while providers are waited for', async () => {
    const erasing = ({ token }: SignedInPerson) => lab.call('DELETE', '/api/v1/users/me', { key: token })
    const { ana, met: elsewhere, status, json } = await whileProvidersAreSilent(erasing, joinElsewhere)
    expect([status, json.user]).toEqual([200, { id: ana.id, outcome: 'erased' }])
    expect(planted()).toEqual([])
    const told = await lab.store.events.list(elsewhere, { type: 'owner.erased' }, { limit: 5, cursor: null })
    expect(told.items).toHaveLength(1)
  })

  test('of a member who becomes an owner while providers are waited for leaves them where they are', async () => {
    const { ana, status, json } = await whileProvidersAreSilent(
      async () => erase(await lab.keyFor(['admin'])),
      (person) => lab.store.users.changeRole(lab.organization, person.id, 'owner', eventOf('user.updated', person.id, {})),
    )
    expect([status, json.code]).toEqual([409, 'conflict'])
    expect((await lab.store.users.membershipsOf(ana.id)).map(({ role }) => role)).toEqual(['owner'])
  })

  test('of myself also takes what I connect at that moment', async () => {
    const ana = await plantPerson()
    const first = await plantConnection()
    const { erase: eraseOwner } = lab.store.owners
    let second = ''
    lab.store.owners.erase = async (erasure) => {
      lab.store.owners.erase = eraseOwner
      const outcome = await eraseOwner(erasure)
      second = await plantConnection()
      return outcome
    }
    const { json } = await lab.call('DELETE', '/api/v1/users/me', { key: ana.token })
    expect(json.connections.map(({ id }: { id: string }) => id)).toEqual([first, second])
    expect(planted()).toEqual([])
  })

  test('of somebody who came by an invitation takes the address out of the link that they used', async () => {
    const { joining } = lab.services.identity
    const cli = { kind: 'cli', id: null } as const
    const invitation = { organization: lab.organization, email: 'planted-guest@example.com', role: 'member', name: 'planted guest', actor: cli } as const
    const { link } = await joining.invite({ ...invitation, inviter: null }, false)
    const chosen = { password: 'correct kettle battery orbit', name: null, mode: 'bearer', key: null } as const
    const joined = await joining.accept(link.split('#')[1] ?? '', chosen, { address: null, userAgent: null, bucket: 'planted', device: null })
    expect((await erase(admin.token, joined?.opened.signedIn.user.id)).json.user.outcome).toBe('erased')
    expect(planted()).toEqual([])
  })

  test('of two owners of one organization, each by themselves and at once, takes one', async () => {
    const founder = await signIn(lab, { role: 'member', organization: lab.organization })
    const { id: organization } = (await lab.services.users.createOrganization(founder.id, { name: 'Two', slug: 'two' })).organization
    const second = await signIn(lab, { role: 'owner', organization })
    const first = await openFor(lab, founder.user, { organization })
    const answers = await Promise.all([first, second].map(({ token }) => lab.call('DELETE', '/api/v1/users/me', { key: token })))
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409])
    const { items } = await lab.store.users.list(organization, { limit: 9, cursor: null })
    expect(items.map(({ membership }) => membership.role)).toEqual(['owner'])
  })

  test('of an owner who administers: an admin key has no say, and nothing is erased', async () => {
    const boss = await signIn(lab, { role: 'owner', organization: lab.organization, externalId: 'boss' })
    const connection = await plantConnection('boss')
    const refused = await erase(await lab.keyFor(['admin']), 'boss')
    expect([refused.status, refused.json.code]).toEqual([403, 'role_missing'])
    expect((await lab.call('GET', `/api/v1/connections/${connection}`)).json.status).toBe('active')
    expect(await lab.store.users.get(boss.id)).toBeDefined()
  })
})
