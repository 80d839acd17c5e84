import { ask, type Peer } from './peer.ts'
import type { Stage } from './stage.ts'

const ANSWER_DELAY_MS = 50

interface RaceRound {
  readonly refreshes: number
  readonly answered: number
  /** Tokens that the provider's API takes once everybody has an answer. */
  readonly usable: number
  readonly alive: boolean
}

export interface RaceResult {
  readonly peer: string
  readonly callers: number
  readonly rounds: readonly RaceRound[]
}

/** Concurrent calls for one expired token at a provider that revokes the family when a refresh token comes twice. */
export async function race(stage: Stage, peer: Peer, profile: string, callers: number, rounds: number): Promise<RaceResult> {
  const results: RaceRound[] = []
  await stage.fault(profile, { kind: 'delay', ms: ANSWER_DELAY_MS, times: null })
  for (let round = 0; round < rounds; round += 1) {
    const grant = await stage.grant(profile, 0)
    const request = await peer.hold(grant)
    const replies = await Promise.all(Array.from({ length: callers }, (_, caller) => ask(peer.urls[caller % peer.urls.length] ?? '', request)))
    const tokens = replies.map((reply) => reply.token).filter((token) => token !== null)
    const works = new Map<string, boolean>()
    for (const token of new Set(tokens)) works.set(token, await stage.works(profile, token))
    const { refreshes, alive } = await stage.truth(grant)
    results.push({ refreshes, alive, answered: tokens.length, usable: tokens.filter((token) => works.get(token) === true).length })
  }
  await stage.heal()
  return { peer: peer.name, callers, rounds: results }
}
