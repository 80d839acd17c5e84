import type { FastifyReply, FastifyRequest } from 'fastify'

/** More cookies of one name than this are not looked at: nobody has them by accident. */
const COOKIES_MAX = 4

/** `__Host-` wherever the browser accepts it: no neighbouring host can set or shadow it. Plain http only exists on loopback. */
function sessionCookieName(publicUrl: string): string {
  return publicUrl.startsWith('https:') ? '__Host-evergrant_session' : 'evergrant_session'
}

/** What the browser sent under the name of our cookie: mostly one text, or none. */
export function sessionCookiesOf(request: Pick<FastifyRequest, 'headers'>, publicUrl: string): readonly string[] {
  const start = `${sessionCookieName(publicUrl)}=`
  const values = (request.headers.cookie ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(start))
    .map((pair) => pair.slice(start.length))
  return [...new Set(values)].slice(0, COOKIES_MAX)
}

/** The cookie holds the refresh credential and nothing else, until the session's absolute end (S37). */
export function giveSessionCookie(reply: FastifyReply, text: string, maxAgeSeconds: number, publicUrl: string): void {
  reply.header('set-cookie', cookie(text, maxAgeSeconds, publicUrl))
}

/**
 * Takes the cookie away from this browser, and what it keeps of our answers with it, the pages behind "back" included (ASVS 14.3.1). Not `cookies`: that would
 * sign people out of every neighbour below the same registrable domain, and break consents that are under way. Not `storage`: nothing of a session is ever
 * kept there, and an application at the same origin may have its own.
 */
export function takeSessionCookie(reply: FastifyReply, publicUrl: string): void {
  reply.header('clear-site-data', '"cache"')
  reply.header('set-cookie', cookie('', 0, publicUrl))
}

function cookie(text: string, maxAgeSeconds: number, publicUrl: string): string {
  const secure = publicUrl.startsWith('https:') ? '; Secure' : ''
  return `${sessionCookieName(publicUrl)}=${text}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Lax${secure}`
}
