import type { ServerResponse } from 'node:http'
import { type Answer, html, json, send } from './answer.ts'
import type { QueuedFault } from './fault-queue.ts'

/** Requests that a `hang` holds. They end when the client goes away, when they are released, or when the provider closes. */
export class HeldRequests {
  readonly #held = new Set<{ readonly profile: string; readonly step: string; readonly committed: boolean; readonly go: () => void }>()

  /** Resolves true when released, false when the client went away. */
  hold(profile: string, step: string, committed: boolean, response: ServerResponse): Promise<boolean> {
    return new Promise((resolve) => {
      const entry = { profile, step, committed, go: () => done(true) }
      const done = (released: boolean) => {
        this.#held.delete(entry)
        resolve(released)
      }
      this.#held.add(entry)
      response.once('close', () => done(false))
    })
  }

  list(): readonly { readonly profile: string; readonly step: string; readonly committed: boolean }[] {
    return [...this.#held].map(({ profile, step, committed }) => ({ profile, step, committed }))
  }

  release(profile?: string): number {
    const chosen = [...this.#held].filter((entry) => profile === undefined || entry.profile === profile)
    for (const entry of chosen) entry.go()
    return chosen.length
  }
}

interface Delivery {
  readonly profile: string
  readonly response: ServerResponse
  readonly held: HeldRequests
  readonly wait: (ms: number) => Promise<void>
  /** Does the work once; a second call gives the same answer. */
  readonly commit: () => Answer
  /** The profile's wording of an OAuth error. */
  readonly refuse: (code: 'invalid_grant' | 'invalid_client') => Answer
  /** Really ends the grant that this request is about. */
  readonly revokeGrant: () => void
}

const PAGE = '<!doctype html><html lang="en"><title>Service unavailable</title><h1>We will be right back</h1><p>This is a page, not an answer.</p></html>'

/** Sends the answer the way the fault wants it. Without a fault: commits and sends. */
export async function deliver(fault: QueuedFault | undefined, delivery: Delivery): Promise<void> {
  const { response, commit } = delivery
  if (!fault) return send(response, commit())
  if (fault.when === 'after') commit()
  const { spec } = fault
  switch (spec.kind) {
    case 'delay':
      await delivery.wait(spec.ms ?? 1000)
      return send(response, commit())
    case 'hang':
      if (await delivery.held.hold(delivery.profile, spec.step, fault.when === 'after', response)) send(response, commit())
      return
    case 'reset':
      response.socket?.resetAndDestroy()
      return
    case 'lost_answer':
      response.socket?.destroy()
      return
    case 'truncated':
      return truncate(response, commit())
    case 'huge':
      return send(response, pad(commit(), spec.bytes ?? 1024 * 1024))
    case 'drip':
      return await drip(response, commit(), spec.ms ?? 50, delivery.wait)
    default:
      return send(response, insteadOf(fault, delivery))
  }
}

function insteadOf(fault: QueuedFault, delivery: Delivery): Answer {
  const { spec } = fault
  const retry: Record<string, string> = spec.retryAfter === undefined ? {} : { 'retry-after': String(spec.retryAfter) }
  switch (spec.kind) {
    case 'rate_limited':
      return json(429, { error: 'too_many_requests', error_description: 'Too many requests' }, retry)
    case 'html':
      return html(spec.status ?? 200, spec.body ?? PAGE)
    case 'ok_with_error':
      return {
        ...json(200, {}),
        body: spec.body ?? JSON.stringify({ ok: false, error: 'internal_error', error_description: 'An error in the clothes of a success' }),
      }
    case 'invalid_grant':
      if (spec.revoke === true) delivery.revokeGrant()
      return delivery.refuse('invalid_grant')
    case 'invalid_client':
      return delivery.refuse('invalid_client')
    default:
      return { ...json(spec.status ?? 503, { error: 'temporarily_unavailable' }, retry), ...(spec.body === undefined ? {} : { body: spec.body }) }
  }
}

function truncate(response: ServerResponse, answer: Answer): void {
  const bytes = Buffer.from(answer.body)
  response.writeHead(answer.status, { ...answer.headers, 'content-length': bytes.length })
  response.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => response.socket?.end())
}

function pad(answer: Answer, bytes: number): Answer {
  const padding = ' '.repeat(bytes)
  return { ...answer, body: answer.body.startsWith('{') ? `{${padding}${answer.body.slice(1)}` : `${answer.body}${padding}` }
}

const PIECES = 20

async function drip(response: ServerResponse, answer: Answer, ms: number, wait: (ms: number) => Promise<void>): Promise<void> {
  const bytes = Buffer.from(answer.body)
  response.writeHead(answer.status, { ...answer.headers, 'content-length': bytes.length })
  const size = Math.max(1, Math.ceil(bytes.length / PIECES))
  for (let at = 0; at < bytes.length && !response.destroyed; at += size) {
    response.write(bytes.subarray(at, at + size))
    await wait(ms)
  }
  response.end()
}
