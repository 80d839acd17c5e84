import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Visitor } from '../../core/identity/identity-ports.ts'
import type { SessionMode } from '../../core/session/session.ts'
import { addressBucket } from '../rate-limit.ts'
import { callerFacts } from './session-routes.ts'

/** Bearer clients keep the text themselves, and send it under the same name. */
const HEADER = 'evergrant-device'
const YEAR_SECONDS = 365 * 24 * 3_600
const TEXT = /^[A-Za-z0-9_.-]{1,200}$/

function cookieName(publicUrl: string): string {
  return publicUrl.startsWith('https:') ? '__Host-evergrant_device' : 'evergrant_device'
}

/** Who knocks: the address as trusted proxies say it, and whether this browser was here before. */
export function visitorOf(request: FastifyRequest, mode: SessionMode, publicUrl: string): Visitor {
  return { ...callerFacts(request), bucket: addressBucket(request.ip), device: deviceOf(request, mode, publicUrl) }
}

function deviceOf({ headers }: Pick<FastifyRequest, 'headers'>, mode: SessionMode, publicUrl: string): string | null {
  if (mode === 'bearer') return checked(headers[HEADER])
  const start = `${cookieName(publicUrl)}=`
  const pair = (headers.cookie ?? '')
    .split(';')
    .map((text) => text.trim())
    .find((text) => text.startsWith(start))
  return checked(pair?.slice(start.length))
}

function checked(text: string | string[] | undefined): string | null {
  return typeof text === 'string' && TEXT.test(text) ? text : null
}

/** Known from now on. The text signs nobody in: it only keeps strangers from using up this browser's tries. */
export function giveDevice(reply: FastifyReply, device: string, mode: SessionMode, publicUrl: string): void {
  if (mode === 'bearer') {
    reply.header(HEADER, device)
    return
  }
  const secure = publicUrl.startsWith('https:') ? '; Secure' : ''
  reply.header('set-cookie', `${cookieName(publicUrl)}=${device}; Path=/; Max-Age=${YEAR_SECONDS}; HttpOnly; SameSite=Lax${secure}`)
}
