import type { Access } from './authentication.ts'
import type { App } from './schema.ts'

/** What a route says of itself. */
export interface RouteFacts {
  readonly method: string
  readonly path: string
  /** Undefined: it says nothing, and refuses everybody. */
  readonly access: Access | undefined
  readonly own: boolean
}

const TABLES = new WeakMap<object, RouteFacts[]>()

/** From here on, every route of this app and of its scopes is written down. */
export function noteRoutes(app: App): void {
  const table: RouteFacts[] = []
  TABLES.set(app, table)
  app.addHook('onRoute', ({ method, url, config }) => {
    for (const one of [method].flat()) table.push({ method: one, path: url, access: config?.access, own: config?.own === true })
  })
}

/** Every route in the order it was registered, `HEAD` beside `GET` left out. Complete once the app is ready. */
export function routesOf(app: App): readonly RouteFacts[] {
  return (TABLES.get(app) ?? []).filter(({ method }) => method !== 'HEAD')
}
