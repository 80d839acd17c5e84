// Credentials of installations on both databases, over two nodes where there are two: one lineage, one lock, and nobody out who is honest.
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SdkRevocation } from '../../packages/evergrant/src/core/agent/installations.ts'
import { type AgentId, type InstallationId, newId } from '../../packages/evergrant/src/core/ids.ts'
import { systemClock, systemEntropy } from '../../packages/evergrant/src/system.ts'
import { AgentMachine, type AgentServer } from '../../packages/evergrant/src/testing/agent-machine.ts'
import { signIn } from '../../packages/evergrant/src/testing/people.ts'
import { present, RECOVER, REFRESH, saidBy } from '../../packages/evergrant/src/testing/sdk-calls.ts'
import { openWholeNode, type WholeNode } from '../../packages/evergrant/src/testing/whole-node.ts'
import { freshDatabase } from '../fresh-database.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const MASTER_KEYS = `k1:${randomBytes(32).toString('base64')}`
/** What happens at one node shows at every other within this time. */
const SEEN_WITHIN = { timeout: 2_000, interval: 20 }

type Value = string | number | null
type Row = Readonly<Record<string, Value>>

/** Nodes over one database. `sql` runs a statement beside them; parameters are `?`. */
class World {
  readonly nodes: readonly WholeNode[]
  readonly sql: (text: string, ...params: readonly Value[]) => Promise<readonly Row[]>
  readonly agent: AgentId
  readonly key: string
  #turn = 0

  private constructor(nodes: World['nodes'], sql: World['sql'], agent: AgentId, key: string) {
    this.nodes = nodes
    this.sql = sql
    this.agent = agent
    this.key = key
  }

  static async open(nodes: World['nodes'], sql: World['sql']): Promise<World> {
    const [node] = nodes
    if (node === undefined) throw new Error('a world has a node')
    const { organization, services } = node.parts
    const owner = await signIn(node, { role: 'operator', organization })
    const { text } = await services.apiKeys.create(organization, { name: 'e2e', scopes: ['admin'], expiresAt: null }, { kind: 'cli', id: null })
    const made = await node.ask('POST', '/api/v1/agents', text, { name: 'weather', owner: owner.id, policy: { access: ['proxy'], connections: [{}] } })
    if (made.status !== 201) throw new Error(made.text)
    return new World(nodes, sql, made.json.id, text)
  }

  /** Requests go round the nodes, where no one is named. */
  server(only?: WholeNode): AgentServer {
    return {
      publicUrl: this.nodes[0]!.evergrant.publicUrl,
      now: () => systemClock.wall(),
      send: async (method, url, { headers, body }) => {
        const node = only ?? this.nodes[this.#turn++ % this.nodes.length]!
        const answer = await node.app.inject({
          method,
          url,
          headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
          ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
        })
        return { status: answer.statusCode, headers: answer.headers, text: answer.body, json: answer.body === '' ? null : JSON.parse(answer.body) }
      },
    }
  }

  async enrolled(): Promise<AgentMachine> {
    const code = await this.nodes[0]!.ask('POST', `/api/v1/agents/${this.agent}/enrolment-codes`, this.key, {})
    const machine = await AgentMachine.make(this.server())
    const answer = await machine.enrol({ code: code.json.code })
    if (answer.status !== 200) throw new Error(answer.text)
    return machine
  }

  revoke(installation: InstallationId | null, changes: Partial<SdkRevocation> = {}): Promise<readonly InstallationId[]> {
    const { store, parts } = this.nodes[0]!
    const revocation: SdkRevocation = { class: 'hygiene', reason: null, by: 'e2e', ticket: true, status: 'active', lock: null, ...changes }
    const at = systemClock.wall()
    const { organization } = parts
    return store.installations.revoke(organization, installation === null ? { agent: this.agent } : { installation }, revocation, at, {
      id: newId('evt', systemEntropy),
      organization,
      type: 'sdk_token.revoked',
      at,
      actor: { kind: 'cli', id: null },
      connection: null,
      subject: this.agent,
      data: {},
    })
  }

  /** As if an hour had gone by without this installation. */
  async anHourLater(id: InstallationId): Promise<void> {
    const earlier = ['created_at', 'activated_at', 'superseded_at'].map((column) => `${column} = ${column} - ${HOUR}`)
    await this.sql(`update sdk_token set ${earlier.join(', ')} where installation_id = ?`, id)
  }

  /** Its generation was seen in use, and an hour has gone by. */
  async usedForAnHour(id: InstallationId): Promise<void> {
    await this.sql('update sdk_token set activated_at = created_at where activated_at is null and installation_id = ?', id)
    await this.anHourLater(id)
  }

  async restore(id: InstallationId, { installation, tokens }: Backup): Promise<void> {
    await this.sql('delete from sdk_token where installation_id = ?', id)
    const columns = Object.keys(installation).filter((column) => column !== 'id')
    const assigned = columns.map((column) => `"${column}" = ?`).join(', ')
    await this.sql(`update installation set ${assigned} where id = ?`, ...columns.map((column) => installation[column] ?? null), id)
    for (const token of tokens) await this.sql(...insertOf('sdk_token', token))
  }

  async backup(id: InstallationId): Promise<Backup> {
    const [installation] = await this.sql('select * from installation where id = ?', id)
    if (installation === undefined) throw new Error(`${id} is not stored`)
    return { installation, tokens: await this.sql('select * from sdk_token where installation_id = ?', id) }
  }
}

interface Backup {
  readonly installation: Row
  readonly tokens: readonly Row[]
}

function insertOf(table: string, row: Row): [string, ...Value[]] {
  const columns = Object.keys(row)
  return [`insert into ${table} (${columns.map((column) => `"${column}"`).join(', ')}) values (${columns.map(() => '?').join(', ')})`, ...Object.values(row)]
}

const idOf = (machine: AgentMachine): InstallationId => `ins_${machine.refreshToken?.split('.')[1]}`

async function statusOf(world: World, id: InstallationId): Promise<string | undefined> {
  return (await world.nodes[0]!.store.installations.get(id))?.installation.status
}

function life(open: () => World): void {
  test('fifty requests of one attempt at once get one and the same token, whichever node answers', async () => {
    const world = open()
    const machine = await world.enrolled()
    const [token, attempt] = [machine.refreshToken!, AgentMachine.attempt()]
    const answers = await Promise.all(Array.from({ length: 50 }, () => present(machine, REFRESH, { token, attempt, heard: false })))
    const given = answers.flatMap(({ status, json }) => (status === 200 ? [json.refresh_token] : []))
    expect(new Set(given).size).toBe(1)
    expect([...new Set(answers.map(saidBy))].filter((said) => said !== '200 token_rotation' && said !== '429 rate_limited')).toEqual([])
    expect(given.length).toBeGreaterThan(20)
  })

  test('a delayed first request arriving after its retry was answered locks nobody', async () => {
    const world = open()
    const machine = await world.enrolled()
    const id = idOf(machine)
    const token = machine.refreshToken!
    const body = { refresh_token: token, attempt_id: AgentMachine.attempt() }
    const late = { dpop: await machine.proof('POST', REFRESH, { credential: token }) }
    const other = { dpop: await machine.proof('POST', REFRESH, { credential: token }) }
    await present(machine, REFRESH, { token, attempt: body.attempt_id })
    await world.sql('update sdk_token set activated_at = created_at where activated_at is null and installation_id = ?', id)
    expect(saidBy(await world.server().send('POST', REFRESH, { headers: late, body }))).toBe('409 attempt_over')
    const another = { ...body, attempt_id: AgentMachine.attempt() }
    expect(saidBy(await world.server().send('POST', REFRESH, { headers: other, body: another }))).toBe('409 reload_credentials')
    expect(saidBy(await present(machine, REFRESH))).toBe('200 token_rotation')
  })

  test('a proof is good once, on whichever node', async () => {
    const world = open()
    const machine = await world.enrolled()
    const body = { refresh_token: machine.refreshToken, attempt_id: AgentMachine.attempt() }
    const headers = { dpop: await machine.proof('POST', REFRESH, { credential: machine.refreshToken! }) }
    const answers = [await world.server().send('POST', REFRESH, { headers, body }), await world.server().send('POST', REFRESH, { headers, body })]
    expect(answers.map(saidBy)).toEqual(['200 token_rotation', '401 sdk_token_invalid'])
  })

  test('two clones -> lock within one refresh, on every node, and the sibling goes on', async () => {
    const world = open()
    const [machine, sibling] = [await world.enrolled(), await world.enrolled()]
    const [id, copy] = [idOf(machine), machine.refreshToken!]
    await present(machine, REFRESH)
    for (const node of world.nodes) expect((await onNode(world, node, machine)).status).toBe(200)
    await world.usedForAnHour(id)
    expect(saidBy(await present(machine, REFRESH, { token: copy }))).toBe('403 installation_locked')
    for (const node of world.nodes) await expect.poll(async () => saidBy(await onNode(world, node, machine)), SEEN_WITHIN).toBe('403 installation_locked')
    expect(saidBy(await present(machine, REFRESH))).toBe('403 installation_locked')
    expect(saidBy(await present(sibling, REFRESH))).toBe('200 token_rotation')
  })

  test('a cut-off at one node is a cut-off at every node, and stays one', async () => {
    const world = open()
    const machine = await world.enrolled()
    for (const node of world.nodes) expect((await onNode(world, node, machine)).status).toBe(200)
    await world.revoke(idOf(machine), { class: 'owner_request', ticket: false, status: 'retired' })
    for (const node of world.nodes) await expect.poll(async () => saidBy(await onNode(world, node, machine)), SEEN_WITHIN).toBe('403 installation_retired')
    for (const path of [REFRESH, RECOVER] as const) expect(saidBy(await present(machine, path))).toBe('403 installation_retired')
  })

  test('stolen revoked token without key -> 401, byte-identical to an unknown one, on every node', async () => {
    const world = open()
    const machine = await world.enrolled()
    await world.revoke(idOf(machine))
    const thief = await AgentMachine.make(world.server())
    thief.nonce = machine.nonce
    const unknown = machine.refreshToken!.replace(/.{4}$/, 'AAAA')
    const texts: string[] = []
    for (const token of [machine.refreshToken!, unknown, machine.refreshToken!, unknown]) {
      const headers = { dpop: await thief.proof('POST', RECOVER, { credential: token }), 'request-id': 'the-same' }
      texts.push((await world.server().send('POST', RECOVER, { headers, body: { old_refresh_token: token, attempt_id: AgentMachine.attempt() } })).text)
    }
    expect(new Set(texts).size).toBe(1)
    expect(texts[0]).toContain('sdk_token_invalid')
    expect(saidBy(await present(machine, RECOVER))).toBe('200 token_recovery')
  })

  test('switch off -> immediate, whichever node is asked', async () => {
    const world = open()
    const machine = await world.enrolled()
    await world.revoke(idOf(machine))
    const { store, parts } = world.nodes[0]!
    const settings = await store.agents.settings(parts.organization)
    const event = () => ({
      id: newId('evt', systemEntropy),
      organization: parts.organization,
      type: 'recovery.switch_changed' as const,
      at: 0,
      actor: { kind: 'cli', id: null } as const,
      connection: null,
      subject: null,
      data: {},
    })
    await store.agents.saveSettings(parts.organization, { ...settings, recoveryEnabled: false }, systemClock.wall(), event())
    for (const _node of world.nodes) expect(saidBy(await present(machine, RECOVER))).toBe('403 recovery_disabled')
    await store.agents.saveSettings(parts.organization, settings, systemClock.wall(), event())
    expect(saidBy(await present(machine, RECOVER))).toBe('200 token_recovery')
  })

  test('a restored older database locks nobody: the record follows, also when the first answer afterwards is lost', async () => {
    const world = open()
    const machine = await world.enrolled()
    const id = idOf(machine)
    const backup = await world.backup(id)
    for (let round = 0; round < 5; round++) {
      await world.usedForAnHour(id)
      expect(saidBy(await present(machine, REFRESH))).toBe('200 token_rotation')
    }
    await world.restore(id, backup)
    const attempt = AgentMachine.attempt()
    expect(saidBy(await present(machine, REFRESH, { attempt, heard: false }))).toBe('200 roll_forward')
    expect(saidBy(await present(machine, REFRESH, { attempt }))).toBe('200 roll_forward')
    expect((await onNode(world, world.nodes[0]!, machine)).status).toBe(200)
    await world.usedForAnHour(id)
    expect(saidBy(await present(machine, REFRESH))).toBe('200 token_rotation')
    expect(await statusOf(world, id)).toBe('active')
  })

  test('Rotate on 1,000 installations at once heals all of them, without an approval', { timeout: 180_000 }, async () => {
    const world = open()
    const machine = await world.enrolled()
    const { store, parts } = world.nodes[0]!
    const { installation, tokens } = await world.backup(idOf(machine))
    const [token] = tokens
    const ids = Array.from({ length: 1_000 }, () => newId('ins', systemEntropy))
    for (const id of ids) {
      const head = newId('sdk', systemEntropy)
      await world.sql(...insertOf('installation', { ...installation, id, head_id: head }))
      await world.sql(...insertOf('sdk_token', { ...token, id: head, installation_id: id, activated_at: token!.created_at ?? null }))
    }
    const rotated = await world.revoke(null)
    expect(ids.filter((id) => !rotated.includes(id))).toEqual([])
    const said = new Map<string, number>()
    let turn = 0
    const heal = async (id: InstallationId) => {
      const node = world.nodes[turn++ % world.nodes.length]!
      const presented = await node.store.installations.present({
        verb: 'recover',
        installation: id,
        generation: 1,
        attempt: String(token!.attempt),
        nextAttempt: AgentMachine.attempt(),
        key: machine.thumbprint,
        provenAfter: systemClock.wall(),
        nextKey: null,
        tokenLifeMs: 60 * DAY,
        recoveryEnabled: true,
        ids: {
          token: newId('sdk', systemEntropy),
          adopted: newId('sdk', systemEntropy),
          family: systemEntropy.uuid(),
          events: [newId('evt', systemEntropy), newId('evt', systemEntropy)],
          attempt: newId('rca', systemEntropy),
          approval: newId('apr', systemEntropy),
          incident: newId('inc', systemEntropy),
        },
        address: null,
        userAgent: null,
        hints: null,
        requestId: 'e2e',
      })
      const what = presented.kind === 'known' && presented.judgement.kind === 'issue' ? presented.judgement.token.metadata.source : JSON.stringify(presented)
      said.set(what, (said.get(what) ?? 0) + 1)
    }
    for (let from = 0; from < ids.length; from += 25) await Promise.all(ids.slice(from, from + 25).map(heal))
    expect([...said]).toEqual([['token_recovery', 1_000]])
    const settings = await store.agents.settings(parts.organization)
    expect(settings.breakerUntil).toBeNull()
    expect(await store.approvals.list(parts.organization, { limit: 10, after: null })).toEqual([])
  })
}

/** A request with the access token, at one node. */
async function onNode(world: World, node: WholeNode, machine: AgentMachine) {
  const path = '/api/v1/connections'
  const headers = { authorization: `DPoP ${machine.accessToken}`, dpop: await machine.proof('GET', path, { accessToken: machine.accessToken! }) }
  return world.server(node).send('GET', path, { headers })
}

const environment = { EVERGRANT_MASTER_KEYS: MASTER_KEYS, EVERGRANT_PUBLIC_URL: 'https://evergrant.example' }

describe('on the embedded database', () => {
  let folder: string
  let world: World
  let beside: DatabaseSync
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'evergrant-sdk-'))
    const node = await openWholeNode({ env: { ...environment, EVERGRANT_DATA_DIR: folder } })
    beside = new DatabaseSync(join(folder, 'evergrant.db'), { timeout: 5_000 })
    world = await World.open([node], (text, ...params) => Promise.resolve(beside.prepare(text).all(...params) as Row[]))
  }, 60_000)
  afterAll(async () => {
    beside.close()
    await world.nodes[0]!.close()
    await rm(folder, { recursive: true, force: true })
  })
  life(() => world)
})

const { database, skip } = await freshDatabase()

describe.skipIf(database === null)(`on PostgreSQL, over two nodes${skip ?? ''}`, () => {
  let world: World
  let beside: pg.Client
  beforeAll(async () => {
    const url = database?.url ?? ''
    pg.types.setTypeParser(20, Number)
    const node = (name: string) =>
      openWholeNode({ env: { ...environment, EVERGRANT_DATABASE_URL: url, EVERGRANT_NODE_ID: name, EVERGRANT_DATABASE_CONNECTIONS: '10' } })
    const nodes = [await node('one'), await node('two')]
    beside = new pg.Client(url)
    await beside.connect()
    const sql: World['sql'] = async (text, ...params) => {
      let place = 0
      return (
        await beside.query(
          text.replace(/\?/g, () => `$${++place}`),
          [...params],
        )
      ).rows
    }
    world = await World.open(nodes, sql)
  }, 60_000)
  afterAll(async () => {
    await beside.end()
    for (const node of world.nodes) await node.close()
    await database?.drop()
  })
  life(() => world)
})
