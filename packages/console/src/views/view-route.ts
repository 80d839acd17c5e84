import type { ComponentType } from 'react'

/** What the address says behind `?`: strings, numbers, booleans and lists of them. */
export type Search = Readonly<Record<string, unknown>>

/** A page that is loaded when somebody goes there. */
export interface ViewRoute {
  /** Below the console's address, with `$name` for a parameter: `/providers/$id`. */
  readonly path: string
  /** Which entry of the navigation is lit: its path, `/providers`. */
  readonly section: string
  /** Makes typed search parameters of what the address says; what it does not know is left out. */
  readonly search?: (search: Search) => Search
  /** The module with the page: `() => import('./providers/providers-page.tsx').then((module) => module.ProvidersPage)`. */
  readonly load: () => Promise<ComponentType>
}
