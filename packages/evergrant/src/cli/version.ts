import { readFileSync } from 'node:fs'

/** The version of the package, from source and from dist alike. */
export function version(): string {
  const manifest: { readonly version?: unknown } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return typeof manifest.version === 'string' ? manifest.version : 'unknown'
}
