import type { Connections } from './connections.ts'
import type { Core } from './core.ts'
import type { problemError, ReconnectRequiredError } from './problems.ts'
import { reconnect } from './reconnect.ts'
import type { authorizedFetch } from './request.ts'
import type { on } from './state.ts'
import { createWatching, find, list, type Watching, watch, watchAll } from './watching.ts'

/** What the first use of `connections` loads. */
export type ConnectionsPart = Connections

/**
 * Imports nothing of the client but types, and is handed what it needs: a bundler that finds something on both sides makes a third file of it, which would be
 * downloaded with every page.
 */
export function connectionsPart(
  core: Core,
  listen: typeof on,
  send: typeof authorizedFetch,
  refusal: typeof problemError,
  Reconnect: typeof ReconnectRequiredError,
): ConnectionsPart {
  const call: Watching['call'] = async (path, body) => {
    const response = await send(core, core.api + path, body && { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
    const value = await response.json().catch(() => null)
    if (!response.ok || !value) throw refusal(value, response.status, value?.action === 'reconnect' ? Reconnect : undefined)
    return value
  }
  const watching = createWatching(core, call, listen)
  return {
    list: () => list(watching),
    get: async (id) => find(await list(watching), id),
    known: () => watching.known,
    watch: (id, listener) => watch(watching, id, listener),
    watchAll: (listener) => watchAll(watching, listener),
    reconnect: (id, options) => reconnect(watching, id, options),
  }
}
