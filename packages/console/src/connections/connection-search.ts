import type { ConnectionFilter } from '../api/console-operations.ts'
import { textsOf } from '../router/page-search.ts'

const KEYS = [
  'q',
  'status',
  'provider',
  'integration',
  'owner',
  'tag',
  'code',
  'expires_before',
  'expires_after',
  'sort',
] as const satisfies readonly (keyof ConnectionFilter)[]

/** What the address of the list may say. */
export const connectionSearch = (search: Readonly<Record<string, unknown>>): ConnectionFilter & Readonly<Record<string, unknown>> => textsOf(search, KEYS)

/** Whether anything narrows the list; the order does not. */
export const isNarrowed = ({ sort: _sort, ...filter }: ConnectionFilter): boolean => Object.values(filter).some((value) => value !== undefined)

/** `status=needs_reauth&provider=google` or an object, as the server names what is behind a number. */
export function searchOf(filter: Readonly<Record<string, string>> | string): ConnectionFilter {
  return connectionSearch(typeof filter === 'string' ? Object.fromEntries(new URLSearchParams(filter.replace(/^[^?]*\?/, ''))) : filter)
}
