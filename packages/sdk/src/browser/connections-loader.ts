import { EvergrantError } from '../evergrant-error.ts'
import { nothing } from './clock.ts'
import type { Connections } from './connections.ts'
import type { ConnectionsPart } from './connections-part.ts'
import type { Core } from './core.ts'
import { problemError, ReconnectRequiredError } from './problems.ts'
import { authorizedFetch } from './request.ts'
import { on } from './state.ts'

/**
 * What must be there in the click, or before anybody is asked. The rest is loaded by the first use, and shared by all. A load that failed (a network that
 * is away, a file that a new version of the application replaced) rejects those who wait for it, and the next use tries again.
 */
export function connectionsOf(core: Core): Connections {
  let loading: Promise<ConnectionsPart> | undefined
  let part: ConnectionsPart | undefined
  const load = (): Promise<ConnectionsPart> => {
    loading ??= import('./connections-part.ts')
      .then(({ connectionsPart }) => {
        part = connectionsPart(core, on, authorizedFetch, problemError, ReconnectRequiredError)
        return part
      })
      .catch((cause: unknown) => {
        loading = undefined
        throw new EvergrantError({ status: 0, code: 'part_not_loaded', detail: 'A part of the client did not load. Try again, then reload the page.' }, cause)
      })
    return loading
  }
  /** Watching goes on when a later try loads it. */
  const begin = (start: (loaded: ConnectionsPart) => () => void): (() => void) => {
    const againMs = 10_000
    let halt = nothing
    const stop = (): void => {
      halt()
      core.ends.delete(stop)
    }
    const go = async (): Promise<void> => {
      const loaded = await load().catch(nothing)
      if (core.ends.has(stop)) halt = loaded ? start(loaded) : core.after(againMs, () => void go())
    }
    core.ends.add(stop)
    void go()
    return stop
  }
  return {
    list: async () => (await load()).list(),
    get: async (id) => (await load()).get(id),
    // Until the rest is loaded, what the last refresh reported is all that was heard.
    known: () => (part ? part.known() : (core.answer?.connections ?? null)),
    watch: (id, listener) => begin((loaded) => loaded.watch(id, listener)),
    watchAll: (listener) => begin((loaded) => loaded.watchAll(listener)),
    // Without a pause once it is there, so that the window opens in the click.
    reconnect: (id, options) => (part ? part.reconnect(id, options) : load().then((loaded) => loaded.reconnect(id, options))),
  }
}
