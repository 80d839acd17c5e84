import type { FastifyReply, FastifyRequest } from 'fastify'
import { isToken } from '../../core/connect/random-token.ts'

/** Which page the ticket belongs to. */
type Step = 'verify' | 'reset' | 'invitation' | 'setup' | 'factor' | 'visit'

interface StepTicket {
  readonly token: string
  /** A few words for the next page: the second factors there are. */
  readonly words: readonly string[]
}

const HALF_HOUR_SECONDS = 1_800
const WORD = /^[a-z_]{1,20}$/

/** A cookie for each step, so that two begun side by side do not disturb each other. */
function cookieName(step: Step, publicUrl: string): string {
  return publicUrl.startsWith('https:') ? `__Host-evergrant_${step}` : `evergrant_${step}`
}

/** The ticket that this browser carries to a page; null when it has none, or something that we never gave out. */
export function stepTicketOf(request: Pick<FastifyRequest, 'headers'>, step: Step, publicUrl: string): StepTicket | null {
  const start = `${cookieName(step, publicUrl)}=`
  const values = (request.headers.cookie ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(start))
  const [token = '', ...words] = values.length === 1 ? (values[0] ?? '').slice(start.length).split('.') : []
  return isToken(token) && words.every((word) => WORD.test(word)) ? { token, words } : null
}

export function giveStepTicket(reply: FastifyReply, step: Step, ticket: StepTicket, publicUrl: string): void {
  write(reply, step, [ticket.token, ...ticket.words].join('.'), HALF_HOUR_SECONDS, publicUrl)
}

export function takeStepTicket(reply: FastifyReply, step: Step, publicUrl: string): void {
  write(reply, step, '', 0, publicUrl)
}

function write(reply: FastifyReply, step: Step, value: string, seconds: number, publicUrl: string): void {
  const secure = publicUrl.startsWith('https:') ? '; Secure' : ''
  reply.header('set-cookie', `${cookieName(step, publicUrl)}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Lax${secure}`)
}
