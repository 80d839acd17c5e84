import type { FastifyReply, FastifyRequest } from 'fastify'
import { isToken } from '../../core/connect/random-token.ts'

const YEAR_SECONDS = 365 * 24 * 3_600

/** `__Host-` wherever the browser accepts it; plain http only exists on loopback. */
function cookieName(publicUrl: string): string {
  return publicUrl.startsWith('https:') ? '__Host-evergrant_browser' : 'evergrant_browser'
}

/** The id of this browser; null when it sent none, more than one, or something that we never gave out. */
export function browserIdOf(request: Pick<FastifyRequest, 'headers'>, publicUrl: string): string | null {
  const name = cookieName(publicUrl)
  const values = (request.headers.cookie ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
  const value = values.length === 1 ? (values[0] ?? '').slice(name.length + 1) : ''
  return isToken(value) ? value : null
}

export function giveBrowserId(reply: FastifyReply, browserId: string, publicUrl: string): void {
  const secure = publicUrl.startsWith('https:') ? '; Secure' : ''
  reply.header('set-cookie', `${cookieName(publicUrl)}=${browserId}; Path=/; Max-Age=${YEAR_SECONDS}; HttpOnly; SameSite=Lax${secure}`)
}

/** True when a form of ours was sent by a page of ours (Fetch Metadata, RFC 6454). A request that says neither is refused. */
export function isSameOrigin(request: Pick<FastifyRequest, 'headers'>, publicUrl: string): boolean {
  const site = request.headers['sec-fetch-site']
  const origin = request.headers.origin
  if (site !== undefined && site !== 'same-origin') return false
  if (origin !== undefined && origin !== 'null') return origin === new URL(publicUrl).origin
  return site === 'same-origin'
}
