import type { JsonObject } from '../json.ts'

const LONE_SURROGATE = /\p{Surrogate}/gu
const UNRESERVED = /^[A-Za-z0-9._~-]*$/

/** Percent-encodes everything but the unreserved characters of RFC 3986 section 2.3. Total: broken surrogates become U+FFFD. */
export function percentEncode(value: string): string {
  if (UNRESERVED.test(value)) return value
  return encodeURIComponent(value.replace(LONE_SURROGATE, '\uFFFD')).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
}

/** `application/x-www-form-urlencoded`, spaces as `+`, in the order of the entries. */
export function encodeForm(parameters: Readonly<Record<string, string>>): string {
  return Object.entries(parameters)
    .map(([name, value]) => `${formValue(name)}=${formValue(value)}`)
    .join('&')
}

/** The entries as a URL query, spaces as `%20`. */
export function encodeQuery(parameters: Readonly<Record<string, string>>): string {
  return Object.entries(parameters)
    .map(([name, value]) => `${percentEncode(name)}=${percentEncode(value)}`)
    .join('&')
}

/** Appends a query to a URL that may have one, keeping its fragment at the end. */
export function withQuery(url: string, query: string): string {
  if (query === '') return url
  const hash = url.indexOf('#')
  const base = hash < 0 ? url : url.slice(0, hash)
  const fragment = hash < 0 ? '' : url.slice(hash)
  const separator = base.includes('?') ? (/[?&]$/.test(base) ? '' : '&') : '?'
  return `${base}${separator}${query}${fragment}`
}

/** Reads a form-encoded body; null when it does not look like one. The first of repeated names wins. */
export function decodeForm(text: string): JsonObject | null {
  if (!/^[^\s={}<>"]+=[^\s{}<>"]*$/.test(text)) return null
  const fields: Record<string, string> = {}
  for (const pair of text.split('&')) {
    const cut = pair.indexOf('=')
    const name = decodePart(cut < 0 ? pair : pair.slice(0, cut))
    const value = decodePart(cut < 0 ? '' : pair.slice(cut + 1))
    if (name === null || value === null) return null
    if (!Object.hasOwn(fields, name) && name !== '__proto__') fields[name] = value
  }
  return fields
}

function formValue(value: string): string {
  return percentEncode(value).replaceAll('%20', '+')
}

function decodePart(part: string): string | null {
  try {
    return decodeURIComponent(part.replaceAll('+', ' '))
  } catch {
    return null
  }
}
