import type { ApiFacts, ProviderRecord } from './record.ts'

/**
 * The first header that a call to this path lacks, of those that every caller must give; null when there is none. `path`
 * begins at the record's API base, without a query. `has`: whether the caller gave the header (lower-case name).
 */
export function missingHeader(record: ProviderRecord, path: string, has: (header: string) => boolean): ApiFacts['required'][number] | null {
  const below = `/${path.replace(/^\/+/, '')}`
  return record.api?.required.find(({ header, except }) => !has(header.toLowerCase()) && !except.some((start) => isBelow(below, start))) ?? null
}

/** `/v2/profiles` excepts `/v2/profiles/1`, and not `/v2/profiles-of-others`. */
function isBelow(path: string, start: string): boolean {
  const beginning = `/${start.replace(/^\/+|\/+$/g, '')}`
  return path === beginning || path.startsWith(`${beginning}/`)
}
