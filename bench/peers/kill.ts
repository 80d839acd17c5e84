import { at } from '../../packages/lab/src/http.ts'
import { ask, type Peer, type TokenRequest } from './peer.ts'
import type { Stage } from './stage.ts'

const ASK_EVERY_MS = 500
const PATIENCE_MS = 30_000

export interface KillRound {
  readonly alive: boolean
  /** Refresh requests in all: one before the kill, the others after it. */
  readonly refreshes: number
  /** A token that works was answered again, so many milliseconds after the restart; null: never. */
  readonly recoveredMs: number | null
  /** What a caller is told in the end. */
  readonly told: string
}

export interface KillResult {
  readonly peer: string
  readonly reuse: string
  readonly rounds: readonly KillRound[]
}

interface KillOptions {
  readonly profile: string
  readonly reuse: string
  /** Grants whose refresh is cut off by the same kill. */
  readonly grants: number
  readonly patienceMs: number
}

/**
 * kill -9 after the provider has spent the refresh tokens and before it answers; then a start, and callers who go on asking.
 * Resolves when the callers ask: what they get in the end is told by `settled`, so that the waits of several peers overlap.
 */
export async function killAfterCommit(stage: Stage, peer: Peer, options: KillOptions): Promise<{ readonly settled: Promise<KillResult> }> {
  const { profile, reuse, grants, patienceMs } = options
  const held = await Promise.all(
    Array.from({ length: grants }, async () => {
      const grant = await stage.grant(profile, 0)
      return { grant, request: await peer.hold(grant) }
    }),
  )
  await stage.fault(profile, { kind: 'hang', when: 'after', times: grants })
  const asked = held.map(({ request }) => ask(peer.urls[0] ?? '', request).catch(() => null))
  await until('the refreshes to reach the provider', async () => (await stage.hanging()) >= grants)
  await peer.kill()
  await Promise.all(asked)
  await until('the provider to notice the kill', async () => (await stage.hanging()) === 0)
  await stage.heal()
  await peer.restart()
  const rounds = held.map(async ({ grant, request }) => {
    const after = await askUntilWell(stage, peer, profile, request, patienceMs)
    return { ...after, ...(await stage.truth(grant)) }
  })
  return { settled: Promise.all(rounds).then((told) => ({ peer: peer.name, reuse, rounds: told })) }
}

async function askUntilWell(stage: Stage, peer: Peer, profile: string, request: TokenRequest, patienceMs: number) {
  const started = performance.now()
  let told = ''
  while (performance.now() - started < patienceMs) {
    const reply = await ask(peer.urls[0] ?? '', request).catch((error: unknown) => ({ status: 0, token: null, text: String(error) }))
    told = reply.token === null ? said(reply.status, reply.text) : `${reply.status}, a token`
    if (reply.token !== null && (await stage.works(profile, reply.token))) return { recoveredMs: performance.now() - started, told }
    if (/needs_reauth|refresh_outcome_lost/.test(told)) break
    await pause(ASK_EVERY_MS)
  }
  return { recoveredMs: null, told }
}

function said(status: number, text: string): string {
  try {
    const body: unknown = JSON.parse(text)
    const code = at(body, 'code') ?? at(body, 'message')
    return `${status} ${typeof code === 'string' ? code.slice(0, 80) : ''}`.trim()
  } catch {
    return `${status}`
  }
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`)
    await pause(10)
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
