import { Fault } from '../../core/fault/fault.ts'
import { apiBase, apiHosts, apiUrl } from '../../core/provider/api.ts'
import type { ProviderContext } from '../../core/provider/context.ts'

/** Characters of a path and query as RFC 3986 writes them: anything else was never a well-formed request target. */
const TARGET = /^[A-Za-z0-9\-._~!$&'()*+,;=:@/%?[\]|^`{}"<>]*$/
const BROKEN_ESCAPE = /%(?![0-9A-Fa-f]{2})/
/** Control characters and the backslash mean nothing in a path but trouble. In a query they are data: the lines of what somebody searches for. */
const BAD_IN_PATH = /%(?:0[0-9A-Fa-f]|1[0-9A-Fa-f]|7[Ff]|5[Cc])/

/**
 * The address to call: the provider's base and the caller's path. The path cannot leave the base, and `wantedBase`, when
 * a provider has more than one API host, must name one of them. @throws Fault `upstream_forbidden_host`
 */
export function targetUrl(context: ProviderContext, rest: string, wantedBase: string | undefined): string {
  const own = apiBase(context)
  if (own === null)
    throw new Fault('upstream_forbidden_host', { detail: `The catalogue knows no API of ${context.record.name}: read the token and call it yourself.` })
  const hosts = apiHosts(context)
  const base = wantedBase === undefined ? own : allowedBase(wantedBase, own, hosts)
  const path = rest.split('?', 1)[0] ?? ''
  if (!TARGET.test(rest) || BROKEN_ESCAPE.test(rest) || BAD_IN_PATH.test(path)) throw refused('The path has characters that do not belong into a path.')
  if (path.split(/\/|%2f/i).some((segment) => isDots(segment))) throw refused('The path must not have `.` or `..` segments.')
  // Where a whole API is behind one address (GraphQL), that address is called as its provider writes it.
  const url = URL.parse(path === '' ? `${base}${rest}` : `${base}/${rest}`)
  const root = new URL(`${base}/`)
  if (
    url === null ||
    url.origin !== root.origin ||
    url.username !== '' ||
    url.password !== '' ||
    !`${url.pathname}/`.startsWith(root.pathname) ||
    !isAllowed(url.host, hosts)
  ) {
    throw refused("The path must stay below the provider's API address.")
  }
  return url.href
}

/** The URL with the token, where the record has it in the query; what the caller wrote under that name is dropped. */
export function authorizedUrl(context: ProviderContext, url: string, accessToken: string): string {
  const name = context.record.api?.authorization.query ?? null
  if (name === null) return url
  // A query may hold question marks of its own (RFC 3986 section 3.4).
  const [address = '', ...rest] = url.split('?')
  const query = rest.join('?')
  const kept = query.split('&').filter((pair) => pair !== '' && !new URLSearchParams(pair).has(name))
  return apiUrl(context, kept.length === 0 ? address : `${address}?${kept.join('&')}`, accessToken)
}

function allowedBase(wanted: string, own: string, hosts: readonly string[]): string {
  const url = URL.parse(wanted)
  const scheme = new URL(own).protocol
  const plain = url !== null && url.protocol === scheme && url.username === '' && url.password === '' && url.search === '' && url.hash === ''
  if (!plain || !isAllowed(url.host, hosts))
    throw refused(`\`Evergrant-Base-Url\` must be one of the provider's own API hosts: ${hosts.join(', ')}.`, 'Evergrant-Base-Url')
  return `${url.origin}${url.pathname.replace(/(?<!\/)\/+$/, '')}`
}

function isAllowed(host: string, hosts: readonly string[]): boolean {
  return hosts.some((allowed) => (allowed.startsWith('*.') ? host.endsWith(allowed.slice(1)) && host.length > allowed.length - 1 : host === allowed))
}

function isDots(segment: string): boolean {
  return /^(?:\.|%2e){1,2}$/i.test(segment)
}

function refused(detail: string, field = 'path'): Fault {
  return new Fault('upstream_forbidden_host', { field, detail })
}
