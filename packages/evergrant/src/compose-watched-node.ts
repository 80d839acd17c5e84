import type { NodeParts } from './compose-node.ts'
import { type Seal, SealError } from './core/seal/seal.ts'
import { SECOND } from './core/time.ts'
import { areaOf, type RequestWatch } from './http/request-watch.ts'
import type { Services } from './http/services.ts'
import type { Meters } from './observability/meters.ts'
import type { NodeTracing } from './observability/node-tracing.ts'
import type { Scopes } from './observability/scopes.ts'
import { watchParts } from './observability/watched-parts.ts'
import type { Store } from './store/index.ts'

/** The parts of a node, each measured from outside; none of them knows. */
export function watchedNode(node: NodeParts, meters: Meters, tracing: NodeTracing | null): NodeParts {
  const mono = () => node.clock.mono()
  return { ...node, store: watchedStore(node.store, mono, meters, tracing), seal: watchedSeal(node.seal, meters) }
}

/** Nodes and changes are this process's own; the rest is the database. */
const NOT_PARTS: ReadonlySet<string> = new Set(['nodes', 'changes', 'ping', 'close'])

function watchedStore(store: Store, mono: () => number, meters: Meters, tracing: NodeTracing | null): Store {
  const names = (Object.keys(store) as (keyof Store)[]).filter((name) => !NOT_PARTS.has(name))
  const watched = watchParts(store, names, {
    around: async (part, method, call) => {
      const began = mono()
      try {
        return await (tracing === null ? call() : tracing.call(part, method, call))
      } catch (error) {
        meters.count('evergrant_store_errors_total', { part })
        throw error
      } finally {
        meters.observe('evergrant_store_seconds', { part }, (mono() - began) / SECOND)
      }
    },
  })
  return {
    ...watched,
    ...countedPresentations(watched, meters),
    alerts: countedNotices(countedEvents(watched.alerts, meters), meters),
    webhooks: countedTries(watched.webhooks, meters),
  }
}

/** What became of credentials that were presented: the one place through which all of them go. */
function countedPresentations({ sessions, installations }: Store, meters: Meters): Pick<Store, 'sessions' | 'installations'> {
  return {
    sessions: {
      ...sessions,
      present: async (presentation) => {
        const presented = await sessions.present(presentation)
        const outcome = 'judgement' in presented ? presented.judgement.kind : presented.kind
        meters.count('evergrant_session_presentations_total', { outcome })
        return presented
      },
    },
    installations: {
      ...installations,
      present: async (presentation) => {
        const presented = await installations.present(presentation)
        const outcome = presented.kind === 'known' ? presented.judgement.kind : presented.kind
        meters.count('evergrant_sdk_presentations_total', { outcome })
        return presented
      },
    },
  }
}

/** An event is settled by one node, once: so it is counted once among all of them. */
function countedEvents(alerts: Store['alerts'], meters: Meters): Store['alerts'] {
  const types = new Map<string, string>()
  return {
    ...alerts,
    pending: async (...asked) => {
      const found = await alerts.pending(...asked)
      types.clear()
      for (const { id, type } of found) types.set(id, type)
      return found
    },
    commit: async (change) => {
      const outcome = await alerts.commit(change)
      for (const id of outcome === 'committed' ? change.done : []) {
        const type = types.get(id)
        if (type !== undefined) meters.count('evergrant_events_total', { type })
      }
      return outcome
    },
  }
}

function countedTries(webhooks: Store['webhooks'], meters: Meters): Store['webhooks'] {
  return {
    ...webhooks,
    settle: async (settlement) => {
      await webhooks.settle(settlement)
      const { status, durationMs } = settlement.attempt
      const outcome = settlement.state === 'delivered' ? 'delivered' : status === null ? 'unreachable' : 'refused'
      meters.count('evergrant_webhook_tries_total', { outcome })
      meters.observe('evergrant_webhook_try_seconds', {}, durationMs / SECOND)
    },
  }
}

/** Notices of alerts to channels, and letters to owners. What waits for its next try has counted as a failure of this one. */
function countedNotices(alerts: Store['alerts'], meters: Meters): Store['alerts'] {
  return {
    ...alerts,
    settleNotices: async (settled) => {
      await alerts.settleNotices(settled)
      for (const { state } of settled) meters.count('evergrant_notices_total', { outcome: state === 'waiting' ? 'retried' : state })
    },
    settleLetter: async (id, state, nextAt, event) => {
      await alerts.settleLetter(id, state, nextAt, event)
      meters.count('evergrant_owner_letters_total', { outcome: state === 'waiting' ? 'retried' : state })
    },
  }
}

function watchedSeal(seal: Seal, meters: Meters): Seal {
  const counted =
    <Value>(read: (...args: Parameters<Seal['open']>) => Value) =>
    (...args: Parameters<Seal['open']>): Value => {
      try {
        return read(...args)
      } catch (error) {
        if (error instanceof SealError) meters.count('evergrant_seal_failures_total', { reason: error.code })
        throw error
      }
    }
  return { ...seal, open: counted((...args) => seal.open(...args)), openText: counted((...args) => seal.openText(...args)) }
}

/** Counts the streams that are open. */
export function countedStreams(live: Services['live'], meters: Meters): Services['live'] {
  let open = 0
  const changed = (by: number) => {
    open += by
    meters.set('evergrant_live_streams', {}, open)
  }
  changed(0)
  return {
    streamsOf: (listener) => live.streamsOf(listener),
    publish: (organization, message) => live.publish(organization, message),
    close: () => live.close(),
    subscribe: (subscription) => {
      const leave = live.subscribe(subscription)
      changed(1)
      let left = false
      return () => {
        leave()
        if (!left) changed(-1)
        left = true
      }
    },
  }
}

/** Requests: how long they took, which trace they belong to, and whose lines in the log are theirs. */
export function requestWatch(meters: Meters, scopes: Scopes, tracing: NodeTracing | null): RequestWatch {
  return {
    begin: tracing === null ? null : (request, response, handle) => tracing.request(request, response, handle),
    within: (request, id, route, go) => scopes.within(tracing?.routed(request, id, route) ?? { request: id }, go),
    refused: (code) => meters.count('evergrant_refused_requests_total', { kind: code }),
    answered: ({ route, status, ms }) =>
      meters.observe('evergrant_http_request_seconds', { area: areaOf(route), status: `${Math.floor(status / 100)}xx` }, ms / SECOND),
  }
}
