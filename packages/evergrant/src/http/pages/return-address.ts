import { isPlainUrl } from '../../core/connect/return-url.ts'

interface ReturnRules {
  readonly publicUrl: string
  /** Origins of applications (EVERGRANT_ALLOWED_ORIGINS). */
  readonly allowedOrigins: readonly string[]
}

/** Pages of ours: a path that no browser reads as another host. */
const OWN_PAGE = /^(?![^?]*\/\/)\/(?:me|connect|auth|device|console)(?:[/?][!$-[\]-~]*)?$/
const LONGEST = 2_000

/**
 * Where somebody goes after signing in: a page of ours, an address of a listed application, or exactly one of `exact`. Null: nowhere was named.
 * `refused` is never gone to (S12, S13).
 */
export function returnAddress(text: string | undefined, rules: ReturnRules, exact: readonly string[] = []): string | null | 'refused' {
  if (text === undefined || text === '') return null
  if (text.length > LONGEST) return 'refused'
  if (text.startsWith('/')) return OWN_PAGE.test(text) ? text : 'refused'
  if (!isPlainUrl(text)) return 'refused'
  if (exact.includes(text)) return text
  const { origin } = new URL(text)
  return rules.allowedOrigins.some((allowed) => new URL(allowed).origin === origin) ? text : 'refused'
}

/** An address of ours that comes back to `to` afterwards. */
export function withReturn(path: string, to: string | null, more: Readonly<Record<string, string | null>> = {}): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(more)) if (value !== null) query.set(name, value)
  if (to !== null) query.set('return_url', to)
  const text = query.toString()
  return text === '' ? path : `${path}?${text}`
}
