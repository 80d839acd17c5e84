import { readFileSync } from 'node:fs'
import type { Agents } from './core/agent/agents.ts'
import type { UseCount, Uses } from './core/agent/uses.ts'
import type { ConnectionService } from './core/connection/connection-service.ts'
import { isIntegrationId } from './core/connection/integration-service.ts'
import type { ApiKeyId, InstallationId, OrganizationId } from './core/ids.ts'
import type { Log } from './core/log.ts'
import { BulkService } from './core/observe/bulk-service.ts'
import { connectionUses } from './core/observe/connection-uses.ts'
import { ConsoleService } from './core/observe/console-service.ts'
import type { HistoryCounter } from './core/observe/history-counter.ts'
import { HistoryService } from './core/observe/history-service.ts'
import { type HeardChange, LiveFeed } from './core/observe/live-feed.ts'
import { LiveHub } from './core/observe/live-hub.ts'
import { StoryService } from './core/observe/story-service.ts'
import type { ProviderDirectory } from './core/provider/context.ts'
import type { Engine } from './core/refresh/engine.ts'
import { refusalOf } from './core/session/session-refusals.ts'
import type { Clock, Entropy, Timers } from './core/time.ts'
import { RIGHTS } from './core/user/roles.ts'
import { connectionView, iso } from './http/connection-view.ts'
import { eventView } from './http/owner-view.ts'
import type { Caller, Services } from './http/services.ts'
import type { Change, Store } from './store/index.ts'

/** What operators look at, and what they do to many connections at once. */
export interface ObserveParts extends Pick<Services, 'console' | 'pageUses' | 'bulks' | 'stories' | 'live' | 'stillAllowed' | 'eventSearch'> {
  readonly history: HistoryService
}

interface ObserveComposition {
  readonly store: Pick<
    Store,
    | 'observed'
    | 'integrations'
    | 'organizations'
    | 'events'
    | 'uses'
    | 'credentials'
    | 'agents'
    | 'installations'
    | 'sessions'
    | 'apiKeys'
    | 'changes'
    | 'webhooks'
  >
  readonly engine: Pick<Engine, 'refresh' | 'openBreakers' | 'contexts'>
  readonly connections: ConnectionService
  readonly repairLink: Services['repairLink']
  readonly providers: Pick<ProviderDirectory, 'get'>
  readonly counter: HistoryCounter
  readonly historyMs: number | null
  readonly node: { readonly id: string; readonly incarnation: string }
  readonly clock: Clock
  readonly timers: Timers
  readonly entropy: Entropy
  readonly log: Log
}

export function composeObserve(parts: ObserveComposition): ObserveParts {
  const { store, engine, connections, repairLink, providers, counter, clock, timers, entropy } = parts
  const openBreakers = () => engine.openBreakers()
  const providerOf = providersOf(parts)
  return {
    console: new ConsoleService({ observed: store.observed, connections, integrations: store.integrations, providers, clock, openBreakers }),
    bulks: new BulkService({ observed: store.observed, connections, engine, repairLink, clock, entropy }),
    pageUses: (organization, ids) => connectionUses({ uses: store.uses, clock, nameOf: (of, actor) => actorName(store, of, actor) }, organization, ids),
    stories: new StoryService({ connections, events: store.events, uses: store.uses, clock }),
    eventSearch: {
      events: (organization, query, page) => store.observed.events(organization, query, page),
      event: (organization, id) => store.webhooks.event(organization, id),
    },
    history: new HistoryService({
      observed: store.observed,
      integrations: store.integrations,
      organizations: store.organizations,
      counter,
      clock,
      keptMs: parts.historyMs,
      openBreakers: () => openBreakers().flatMap(({ integration }) => providerOf(integration)),
    }),
    live: composeLive(parts, timers),
    stillAllowed: (caller) => stillAllowed(parts, caller),
  }
}

/** What a person would call whoever used a connection. */
async function actorName(
  { installations, apiKeys }: Pick<ObserveComposition['store'], 'installations' | 'apiKeys'>,
  organization: OrganizationId,
  { kind, id }: UseCount['actor'],
): Promise<string | null> {
  if (kind === 'installation') return (await installations.get(id as InstallationId))?.installation.name ?? null
  if (kind === 'api_key') return (await apiKeys.get(organization, id as ApiKeyId))?.name ?? null
  return null
}

/** Contexts are in memory wherever a breaker is open: it was opened by a request of theirs. Filled as they are asked for. */
function providersOf({ engine, timers }: ObserveComposition) {
  const known = new Map<string, { readonly organization: OrganizationId; readonly provider: string }>()
  const asked = new Set<string>()
  const ask = (id: string) => {
    if (asked.has(id) || !isIntegrationId(id)) return
    asked.add(id)
    timers.after(60_000, () => asked.delete(id))
    engine.contexts.of(id).then(
      ({ integration }) => void known.set(id, { organization: integration.organization, provider: integration.provider }),
      () => {},
    )
  }
  return (id: string) => {
    ask(id)
    const found = known.get(id)
    return found === undefined ? [] : [found]
  }
}

function composeLive({ store, connections, repairLink, clock, log, node }: ObserveComposition, timers: Timers): Services['live'] {
  const hub = new LiveHub({ clock, timers, incarnation: node.incarnation, node: node.id, version: ownVersion(), timeText: iso })
  const feed = new LiveFeed({
    hub,
    observed: store.observed,
    connections,
    readRow: (id) => store.credentials.read(id),
    agentIn: inOrganization(store.agents),
    organizationOf: async (id) => (await store.installations.get(id))?.installation.organization,
    connectionText: (details) => JSON.stringify(connectionView(details, repairLink(details))),
    eventText: (event) => JSON.stringify(eventView(event)),
    clock,
    timers,
    log,
  })
  store.changes.subscribe((change) => {
    const heard = heardOf(change)
    if (heard !== null) feed.hear(heard)
  })
  return {
    subscribe: (subscription) => {
      const leave = hub.subscribe(subscription)
      feed.listen()
      return leave
    },
    streamsOf: (listener) => hub.streamsOf(listener),
    publish: (organization, message) => hub.publish(organization, message),
    close: () => {
      feed.close()
      hub.close()
    },
  }
}

const inOrganization = (agents: Pick<Agents, 'get'>) => async (organization: OrganizationId, id: `agt_${string}`) =>
  (await agents.get(organization, id)) !== undefined

function heardOf(change: Change): HeardChange | null {
  switch (change.kind) {
    case 'connection':
    case 'agent':
    case 'installation':
    case 'unknown':
      return change
    case 'session':
    case 'user':
    case 'organization':
    case 'api_key':
      return { kind: 'people' }
    default:
      return null
  }
}

/** Whoever could begin to listen with this credential may go on: the session or the key lives, and still has the right. */
async function stillAllowed({ store, clock }: ObserveComposition, { organization, person, key, actor }: Caller): Promise<boolean> {
  if (person !== null) {
    const signedIn = await store.sessions.get(person.session.id)
    if (signedIn === undefined || signedIn.role === null || refusalOf(signedIn, clock.wall()) !== null) return false
    const { scopes } = RIGHTS[signedIn.role]
    return signedIn.session.organization === organization && (scopes.includes('events:read') || scopes.includes('admin'))
  }
  if (key === null || actor.kind === 'cli') return true
  const found = await store.apiKeys.get(organization, key.id)
  const now = clock.wall()
  return found !== undefined && (found.revokedAt === null || found.revokedAt > now) && (found.expiresAt === null || found.expiresAt > now)
}

/** Uses of connections by the hour: reads of tokens, and calls through the proxy. */
export function countingUses(uses: Uses, counter: Pick<HistoryCounter, 'count'>): Uses {
  return {
    ...uses,
    add: (counts, days) => {
      for (const { organization, count } of counts as readonly UseCount[]) counter.count(organization, '', 'reads', count)
      return uses.add(counts, days)
    },
  }
}

/** All packages have one version number. */
export function ownVersion(): string {
  const manifest: { readonly version?: unknown } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  return typeof manifest.version === 'string' ? manifest.version : '0.0.0'
}
