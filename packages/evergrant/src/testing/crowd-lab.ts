import type { Integration } from '../core/connection/integration.ts'
import { type ConnectionId, type IntegrationId, newId } from '../core/ids.ts'
import { NotSent, type OpenLine, type ProviderRequest, type TokenEndpoint, type WireOutcome } from '../core/provider/wire.ts'
import type { GrantRow } from '../core/refresh/credentials.ts'
import { newCredential } from '../core/refresh/new-credential.ts'
import { type Clock, HOUR, type Instant, type Timers } from '../core/time.ts'
import { systemEntropy } from '../system.ts'
import { createEngineLab, type EngineLab, type LabOptions } from './engine-lab.ts'
import { testSeal } from './seal.ts'

/** How the provider answers everybody, or one token. */
export type Mood = 'well' | 'dead' | 'unreachable' | 'down' | 'hangs' | { readonly throttlesSeconds: number }

export interface Presented {
  /** Milliseconds since the lab began. */
  readonly at: number
  /** `rt-<integration index>-<connection index>`, whatever rotation did to it. */
  readonly grant: string
}

/** A token endpoint that serves many grants, each with its own family; `mood` says how. */
export class CrowdProvider implements TokenEndpoint {
  readonly presented: Presented[] = []
  mood: (grant: string) => Mood = () => 'well'
  answerMs = 0
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
    if (this.answerMs > 0) await this.#time.timers.sleep(this.answerMs)
    if (mood === 'hangs') {
      await this.#time.timers.sleep(deadlineMs)
      return { kind: 'no_answer', cause: 'timeout' }
    }
    if (mood === 'dead') return answered(400, { error: 'invalid_grant', error_description: 'no longer valid' })
    if (mood === 'down') return answered(500, { error: 'server_error' })
    if (typeof mood === 'object') return answered(429, { error: 'slow_down' }, { 'retry-after': String(mood.throttlesSeconds) })
    const next = Number(token.split('.')[1] ?? 0) + 1
    return answered(200, { access_token: `at-${grant}.${next}`, refresh_token: `${grant}.${next}`, token_type: 'Bearer', expires_in: this.lifetimeSeconds })
  }
}

function answered(status: number, body: object, headers: Readonly<Record<string, string>> = {}): WireOutcome {
  const text = JSON.stringify(body)
  return { kind: 'answered', answer: { status, headers: { 'content-type': 'application/json', ...headers }, body: new TextEncoder().encode(text), text } }
}

export interface CrowdLab extends Omit<EngineLab, 'provider' | 'row' | 'read'> {
  readonly crowd: CrowdProvider
  /** Connections of the first integration, without the one of the lab itself (which is never due). */
  readonly members: readonly ConnectionId[]
  row(connection: ConnectionId): Promise<GrantRow>
  read(connection: ConnectionId): Promise<{ readonly generation: number; readonly status: string }>
  states(of?: readonly ConnectionId[]): Promise<Readonly<Record<string, number>>>
  /** One more integration at an endpoint of its own, with `count` connections due at `dueAt`. */
  integrationOf(count: number, options?: MemberOptions): Promise<{ readonly integration: IntegrationId; readonly members: readonly ConnectionId[] }>
  loadIntegration(): Promise<Integration>
  /** As the worker does: a run a second, and again at once while there is more. */
  live(ms: number): Promise<void>
  events(type: string): Promise<number>
}

export interface MemberOptions {
  /** When each is due; the default is its soft time. */
  readonly dueAt?: (index: number, softAt: Instant) => Instant | null
  readonly lifetimeMs?: (index: number) => number
  /** How long ago its tokens were obtained: 0 by default; 50 minutes of an hour make it due. */
  readonly ageMs?: number
  readonly lastReadAt?: (index: number) => Instant | null
  readonly concurrency?: number
}

/** The engine lab with many connections of one integration, each with a token family of its own. */
export async function createCrowdLab(count: number, options: LabOptions & MemberOptions = {}): Promise<CrowdLab> {
  let crowd: CrowdProvider | undefined
  const lab = await createEngineLab({
    reuse: 'P4',
    ...options,
    ports: (ports) => {
      crowd ??= new CrowdProvider(ports)
      return { endpoint: crowd, ...options.ports?.(ports) }
    },
  })
  await lab.store.credentials.reschedule(lab.connection, null)
  const provider = crowd as unknown as CrowdProvider
  const first = await lab.store.integrations.load(lab.integration)
  if (first === undefined) throw new Error('the integration of the lab is gone')
  let made = 0

  const connect = async (integration: IntegrationId, group: number, index: number, member: MemberOptions): Promise<ConnectionId> => {
    const now = lab.time.clock.wall()
    const obtainedAt = now - (member.ageMs ?? 0)
    const connection = newId('con', systemEntropy)
    const record = lab.directory.get('scripted')
    if (record === undefined) throw new Error('the record of the lab is gone')
    const tokens = {
      accessToken: `at-${group}-${index}`,
      refreshToken: `rt-${group}-${index}.0`,
      tokenType: 'Bearer',
      accessExpiresAt: obtainedAt + (member.lifetimeMs?.(index) ?? HOUR),
      refreshExpiresAt: null,
    }
    const { organization } = lab
    const credential = newCredential(
      { organization, connection, generation: 1, tokens, obtainedAt, record, settings: first.settings },
      testSeal(),
      systemEntropy,
    )
    const softAt = credential.softAt ?? now
    await lab.store.connections.insert({
      connection: {
        id: connection,
        organization,
        integration,
        owner: `owner-${group}-${index}`,
        account: null,
        accountLabel: null,
        state: 'active',
        fault: null,
        metadata: {},
        tags: [],
        scopes: null,
        variables: {},
        facts: {},
        consentedAt: now,
        createdAt: now,
        updatedAt: now,
        lastReadAt: member.lastReadAt?.(index) ?? null,
        lastRefreshedAt: null,
        disconnectedAt: null,
        version: 1,
      },
      credential,
      dueAt: member.dueAt === undefined ? softAt : member.dueAt(index, softAt),
      event: eventOf(organization, now, 'connection.created'),
    })
    return connection
  }

  const fill = async (integration: IntegrationId, size: number, member: MemberOptions): Promise<readonly ConnectionId[]> => {
    const group = made++
    const members: ConnectionId[] = []
    for (let index = 0; index < size; index += 1) members.push(await connect(integration, group, index, member))
    return members
  }

  const members = await fill(lab.integration, count, options)
  const row = async (connection: ConnectionId): Promise<GrantRow> => {
    const found = await lab.store.credentials.read(connection)
    if (found === undefined) throw new Error('the connection is gone')
    return found
  }
  return {
    ...lab,
    crowd: provider,
    members,
    row,
    read: (connection) => lab.engine.token({ organization: lab.organization, connection, minTtlMs: 0, rejectedGeneration: null }),
    states: async (of = members) => {
      const tally: Record<string, number> = {}
      for (const member of of) {
        const { state } = (await row(member)).connection
        tally[state] = (tally[state] ?? 0) + 1
      }
      return tally
    },
    integrationOf: async (size, member = {}) => {
      const integration = newId('int', systemEntropy)
      const settings = { ...first.settings, concurrency: member.concurrency ?? first.settings.concurrency }
      await lab.store.integrations.insert(
        { ...first, id: integration, slug: integration.replace('_', '-'), settings },
        eventOf(lab.organization, lab.time.clock.wall(), 'integration.created'),
      )
      return { integration, members: await fill(integration, size, member) }
    },
    loadIntegration: async () => {
      const loaded = await lab.store.integrations.load(lab.integration)
      if (loaded === undefined) throw new Error('the integration of the lab is gone')
      return loaded
    },
    live: async (ms) => {
      for (let past = 0; past < ms; past += 1_000) {
        for (let started = 1; started > 0; ) {
          started = 0
          const run = lab.engine.runDue().then((count) => {
            started = count
          })
          run.catch(() => {})
          for (let turn = 0; turn < 3; turn += 1) await lab.time.advance(0)
        }
        await lab.time.advance(Math.min(1_000, ms - past))
      }
    },
    events: async (type) => {
      const page = await lab.store.events.list(lab.organization, { type: type as 'connection.suspect' }, { limit: 200, cursor: null })
      return page.items.length
    },
  }
}

function eventOf(organization: `org_${string}`, at: Instant, type: 'connection.created' | 'integration.created') {
  return { id: newId('evt', systemEntropy), organization, type, at, actor: { kind: 'system', id: null } as const, connection: null, subject: null, data: {} }
}
