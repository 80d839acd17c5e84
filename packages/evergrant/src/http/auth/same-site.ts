import type { FastifyRequest } from 'fastify'
import { Fault } from '../../core/fault/fault.ts'

/** Whose pages may use a browser's cookie, and read our answers. Compared whole: an origin is no pattern. */
export interface AllowedOrigins {
  /** The origin of the public URL. */
  readonly own: string
  /** Of applications, as a browser writes them: scheme, host, and a port that is not the scheme's own. */
  readonly listed: ReadonlySet<string>
}

export function allowedOrigins(publicUrl: string, listed: readonly string[]): AllowedOrigins {
  return { own: new URL(publicUrl).origin, listed: new Set(listed.map((origin) => new URL(origin).origin)) }
}

/** A form or an image cannot send it, and a script elsewhere has to ask for leave first. */
const CLIENT_HEADER = 'evergrant-client'

/**
 * Lets a request through whose cookie was sent by a page that may use it (S52, S53; OWASP: custom header and origin). The cookie's SameSite=Lax holds
 * already against other sites; this holds against their neighbours, old browsers and forms. Programs without a browser use bearer mode.
 * @throws Fault `cross_site_request`; its detail names what was missing
 */
export function requireSameSite(request: Pick<FastifyRequest, 'headers'>, origins: AllowedOrigins): void {
  const problem = crossSiteProblem(request, origins)
  if (problem !== null) throw new Fault('cross_site_request', { detail: problem })
}

function crossSiteProblem({ headers }: Pick<FastifyRequest, 'headers'>, { own, listed }: AllowedOrigins): string | null {
  const { origin, [CLIENT_HEADER]: client, 'sec-fetch-site': site } = headers
  if (client === undefined || client === '')
    return 'The header `Evergrant-Client: 1` is missing. Requests with the session cookie need it; a program without a browser signs in with `mode: bearer`.'
  if (origin === undefined) {
    // Every browser names the origin of a POST to another origin; what says neither is no browser.
    if (site === 'same-origin' || site === 'none') return null
    return 'The request names no `Origin`. Send it from a page of an allowed origin, or sign in with `mode: bearer`.'
  }
  if (origin === own) return site === undefined || site === 'same-origin' ? null : `The request says \`Sec-Fetch-Site: ${described(site)}\` and our own origin.`
  if (!listed.has(origin))
    return 'The page is of an origin that is not allowed. An operator adds it to EVERGRANT_ALLOWED_ORIGINS, exactly as the browser sends it.'
  if (site !== 'cross-site') return null
  return 'The page is on another site than Evergrant, so browsers keep the session cookie from it. Serve both below one domain, or sign in with `mode: bearer`.'
}

function described(header: string | string[]): string {
  const text = Array.isArray(header) ? header.join(', ') : header
  return /^[a-z-]{1,20}$/.test(text) ? text : '(something else)'
}
