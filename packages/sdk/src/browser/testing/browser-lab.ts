import { createEvergrant, type Evergrant, type EvergrantOptions } from '../create.ts'
import { cookieSession } from '../modes.ts'
import type { EventName } from '../snapshot.ts'
import { createHeldTime, type HeldTime } from './held-time.ts'
import { API, createStrictServer, type Jar, type StrictServer } from './strict-server.ts'

export interface BrowserLab {
  readonly time: HeldTime
  readonly server: StrictServer
  /** A page. The answer to an address with `?delay=<ms>` takes that long. */
  page(jar?: Jar, options?: Partial<EvergrantOptions>): Evergrant
  /** A page whose person is signed in, with a fresh token. The counters start at nothing. */
  signedIn(options?: Partial<EvergrantOptions>): Promise<{ readonly client: Evergrant; readonly jar: Jar }>
  /** Lets time pass until all requests are settled; a status, or the name of the error. */
  outcomes(requests: readonly Promise<Response>[]): Promise<(number | string)[]>
}

export function createBrowserLab(options: { readonly lifetimeSeconds?: number } = {}): BrowserLab {
  const time = createHeldTime()
  const server = createStrictServer(time.now, options)
  const slowly =
    (send: typeof fetch): typeof fetch =>
    async (input, init) => {
      const delay = Number(new URL((input as Request).url ?? input).searchParams.get('delay'))
      const response = await send(input, init)
      if (delay > 0) await new Promise<void>((resolve) => time.clock.after(delay, resolve))
      return response
    }
  const page: BrowserLab['page'] = (jar, more = {}) =>
    createEvergrant({
      baseUrl: server.urls.base,
      session: cookieSession(),
      origins: [API],
      coordination: 'none',
      fetch: slowly(server.fetchOf(jar)),
      clock: time.clock,
      ...more,
    })
  return {
    time,
    server,
    page,
    async signedIn(more) {
      const jar = server.signedIn()
      const client = page(jar, more)
      await client.refresh()
      forget(server)
      return { client, jar }
    },
    outcomes: (requests) =>
      time.run(
        Promise.all(
          requests.map((request) =>
            request.then(
              ({ status }) => status,
              (error: Error) => error.name,
            ),
          ),
        ),
      ),
  }
}

export function forget(server: StrictServer): void {
  for (const name of Object.keys(server.counts) as (keyof StrictServer['counts'])[]) server.counts[name] = 0
  server.sent.length = 0
}

/** Every event, in order. */
export function recordEvents(client: Evergrant): string[] {
  const names: EventName[] = ['signed_in', 'signed_out', 'refreshed', 'degraded', 'recovered', 'queued', 'replayed', 'refresh_ineffective']
  const seen: string[] = []
  for (const name of names) client.on(name, () => seen.push(name))
  return seen
}

export const times = <Value>(count: number, make: (index: number) => Value): Value[] => Array.from({ length: count }, (_, index) => make(index))
