import type { NewEvent } from '../core/audit/event.ts'
import type { Integration } from '../core/connection/integration.ts'
import { newConnection } from '../core/connection/new-connection.ts'
import { type ConnectionId, type IntegrationId, newId } from '../core/ids.ts'
import type { ProviderRecord } from '../core/provider/record.ts'
import { NotSent, type OpenLine, type ProviderRequest, type TokenEndpoint, type WireOutcome } from '../core/provider/wire.ts'
import type { GrantRow } from '../core/refresh/credentials.ts'
import { newCredential } from '../core/refresh/new-credential.ts'
import { type Clock, HOUR, type Instant, type Timers } from '../core/time.ts'
import { systemEntropy } from '../system.ts'
import { setDueAt } from './due-time.ts'
import { createEngineLab, type EngineLab, type LabOptions } from './engine-lab.ts'
import { testSeal } from './seal.ts'

/** How the provider answers everybody, or one token. */
type Mood =
  | 'well'
  | 'dead'
  | 'unreachable'
  | 'down'
  | 'hangs'
  | 'slow'
  | 'refuses_client'
  | { readonly throttlesSeconds: number }
  | { readonly takesMs: number }

interface Presented {
  /** Milliseconds since the lab began. */
  readonly at: number
  /** `rt-<integration index>-<connection index>`, whatever rotation did to it. */
  readonly grant: string
}

/** A token endpoint that serves many grants, each with its own family; `mood` says how. */
class CrowdProvider implements TokenEndpoint {
  readonly presented: Presented[] = []
  mood: (grant: string) => Mood = () => 'well'
  lifetimeSeconds = 3_600
  readonly #time: { readonly clock: Clock; readonly timers: Timers }

  constructor(time: { readonly clock: Clock; readonly timers: Timers }) {
    this.#time = time
  }

  /** How many presentations began in [from, to) milliseconds of the lab. */
  between(from: number, to: number, of = ''): number {
    return this.presented.filter(({ at, grant }) => at >= from && at < to && grant.startsWith(of)).length
  }

  open(url: string): Promise<OpenLine> {
    const mood = this.mood(url)
    if (mood === 'unreachable') {
      this.presented.push({ at: this.#time.clock.mono(), grant: 'unreachable' })
      return Promise.reject(new NotSent('ECONNREFUSED', 'refused'))
    }
    return Promise.resolve({ send: (request, deadlineMs) => this.#answer(request, deadlineMs), close: () => {} })
  }

  async #answer(request: ProviderRequest, deadlineMs: number): Promise<WireOutcome> {
    const token = new URLSearchParams(request.body ?? '').get('refresh_token') ?? ''
    const grant = token.replace(/\..*$/, '')
    this.presented.push({ at: this.#time.clock.mono(), grant })
    const mood = this.mood(grant)
    if (mood === 'slow') await this.#time.timers.sleep(Math.min(60_000, deadlineMs - 1_000))
    if (mood === 'hangs') {
      await this.#time.timers.sleep(deadlineMs)
      return { kind: 'no_answer', cause: 'timeout' }
    }
    if (mood === 'dead') return answered(400, { error: 'invalid_grant', error_description: 'no longer valid' })
    if (mood === 'refuses_client') return answered(401, { error: 'invalid_client' })
    if (mood === 'down') return answered(500, { error: 'server_error' })
    if (typeof mood === 'object' && 'takesMs' in mood) await this.#time.timers.sleep(mood.takesMs)
    else if (typeof mood === 'object') return answered(429, { error: 'slow_down' }, { 'retry-after': String(mood.throttlesSeconds) })
    const next = Number(token.split('.')[1] ?? 0) + 1
    return answered(200, { access_token: `at-${grant}.${next}`, refresh_token: `${grant}.${next}`, token_type: 'Bearer', expires_in: this.lifetimeSeconds })
  }
}

function answered(status: number, body: object, headers: Readonly<Record<string, string>> = {}): WireOutcome {
  const text = JSON.stringify(body)
  return { kind: 'answered', answer: { status, headers: { 'content-type': 'application/json', ...headers }, body: new TextEncoder().encode(text), text } }
}

interface MemberOptions {
  readonly livesMs?: (index: number) => number
  /** How long ago its tokens were obtained: 0 by default; 50 minutes of an hour make it due. */
  readonly ageMs?: number
  readonly lastReadAt?: (index: number) => Instant | null
}

/** The engine lab with many connections of one integration, each with a token family of its own. */
export async function createCrowdLab(count: number, options: LabOptions & MemberOptions = {}): Promise<CrowdLab> {
  let crowd: CrowdProvider | undefined
  const lab = await createEngineLab({
    reuse: 'P4',
    ...options,
    record: {
      token: { url: 'https://{place}.provider.example/token' },
      variables: { place: { label: 'Place', pattern: '^[a-z0-9]+$', example: 'main', default: 'main' } },
      ...options.record,
    },
    ports: (ports) => {
      crowd ??= new CrowdProvider(ports)
      return { endpoint: crowd, ...options.ports?.(ports) }
    },
  })
  await setDueAt(lab.store, lab.connection, null)
  const first = await lab.store.integrations.load(lab.integration)
  const record = lab.directory.get('scripted')
  if (crowd === undefined || first === undefined || record === undefined) throw new Error('the lab is not complete')
  const crowded = new CrowdLab(lab, crowd, first, record)
  await crowded.fill(count, options)
  return crowded
}

export class CrowdLab {
  readonly lab: EngineLab
  readonly crowd: CrowdProvider
  /** Connections of the first integration, without the one of the lab itself (which is never due). */
  readonly members: ConnectionId[] = []
  readonly #first: Integration
  readonly #record: ProviderRecord
  #groups = 0
  #running = false

  constructor(lab: EngineLab, crowd: CrowdProvider, first: Integration, record: ProviderRecord) {
    this.lab = lab
    this.crowd = crowd
    this.#first = first
    this.#record = record
  }

  get time(): EngineLab['time'] {
    return this.lab.time
  }

  get store(): EngineLab['store'] {
    return this.lab.store
  }

  get engine(): EngineLab['engine'] {
    return this.lab.engine
  }

  async fill(count: number, options: MemberOptions): Promise<void> {
    this.members.push(...(await this.#connect(this.lab.integration, count, options)))
  }

  /** One more integration at an endpoint of its own, with `count` connections. */
  async integrationOf(count: number, options: MemberOptions = {}): Promise<{ readonly integration: IntegrationId; readonly members: readonly ConnectionId[] }> {
    const integration = newId('int', systemEntropy)
    const variables = { place: `place${this.#groups}` }
    await this.store.integrations.insert({ ...this.#first, id: integration, slug: integration.replace('_', '-'), variables }, this.event('integration.created'))
    return { integration, members: await this.#connect(integration, count, options) }
  }

  async row(connection: ConnectionId): Promise<GrantRow> {
    const found = await this.store.credentials.read(connection)
    if (found === undefined) throw new Error('the connection is gone')
    return found
  }

  read(connection: ConnectionId): ReturnType<EngineLab['engine']['token']> {
    return this.engine.token({ organization: this.lab.organization, connection, minTtlMs: 0, rejectedGeneration: null })
  }

  async states(of: readonly ConnectionId[] = this.members): Promise<Readonly<Record<string, number>>> {
    const tally: Record<string, number> = {}
    for (const member of of) {
      const { state } = (await this.row(member)).connection
      tally[state] = (tally[state] ?? 0) + 1
    }
    return tally
  }

  async loadIntegration(): Promise<Integration> {
    return (await this.store.integrations.load(this.lab.integration)) ?? this.#first
  }

  /** As the worker does: a run a second, and again at once while there is more; never two at a time. */
  async live(ms: number): Promise<void> {
    for (let past = 0; past < ms; past += 1_000) {
      for (let started = 1; started > 0 && !this.#running; ) {
        started = 0
        this.#running = true
        void this.engine.runDue().then((count) => {
          this.#running = false
          started = count
        })
        for (let turn = 0; turn < 3; turn += 1) await this.time.advance(0)
      }
      await this.time.advance(Math.min(1_000, ms - past))
    }
  }

  async events(type: NewEvent['type']): Promise<number> {
    return (await this.store.events.list(this.lab.organization, { type }, { limit: 200, cursor: null })).items.length
  }

  event(type: NewEvent['type']): NewEvent {
    const at = this.time.clock.wall()
    const actor = { kind: 'system', id: null } as const
    return { id: newId('evt', systemEntropy), organization: this.lab.organization, type, at, actor, connection: null, subject: null, data: {} }
  }

  async #connect(integration: IntegrationId, count: number, options: MemberOptions): Promise<readonly ConnectionId[]> {
    const group = this.#groups++
    const made: ConnectionId[] = []
    for (let index = 0; index < count; index += 1) made.push(await this.#connectOne(integration, `${group}-${index}`, index, options))
    return made
  }

  async #connectOne(integration: IntegrationId, name: string, index: number, member: MemberOptions): Promise<ConnectionId> {
    const now = this.time.clock.wall()
    const obtainedAt = now - (member.ageMs ?? 0)
    const connection = newId('con', systemEntropy)
    const { organization } = this.lab
    const accessExpiresAt = obtainedAt + (member.livesMs?.(index) ?? HOUR)
    const tokens = { accessToken: `at-${name}`, refreshToken: `rt-${name}.0`, tokenType: 'Bearer', accessExpiresAt, refreshExpiresAt: null }
    const credential = newCredential(
      { organization, connection, generation: 1, tokens, obtainedAt, record: this.#record, settings: this.#first.settings },
      testSeal(),
      systemEntropy,
    )
    await this.store.connections.insert({
      connection: newConnection(now, { id: connection, organization, integration, owner: `owner-${name}`, lastReadAt: member.lastReadAt?.(index) ?? null }),
      credential,
      dueAt: credential.softAt,
      event: this.event('connection.created'),
    })
    return connection
  }
}
