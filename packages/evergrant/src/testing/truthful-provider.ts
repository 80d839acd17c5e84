export type TruthfulClass = 'P0' | 'P1' | 'P2' | 'P3' | 'P4' | 'PU'

interface SeenToken {
  /** When the request was sent. It may have been long on its way. */
  readonly sentAt: number
  readonly generation: number
  readonly decision: 'rotated' | 'reissued' | 'replayed' | 'refused'
}

interface ProviderReply {
  readonly status: number
  readonly body: string
}

/**
 * One grant at a provider of any reuse class, and the truth about it. `PU` behaves like the worst. It acts in one instant; how
 * a request gets there and its answer back is somebody else's.
 */
export class TruthfulProvider {
  readonly seen: SeenToken[] = []
  alive = true
  /** Requests with one refresh token that were under way at once. */
  overlaps = 0
  current = 1
  /** Of the access tokens that it issues. */
  lifetimeSeconds = 3_600
  /** Of the newest access token. At P0 it grows while the refresh token stays. */
  issued = 1
  readonly #reuse: TruthfulClass
  readonly #windowMs: number
  readonly #now: () => number
  readonly #name: string
  readonly #underWay = new Map<string, number>()
  readonly #spentAt = new Map<number, number>()
  #usedGeneration = 1

  constructor(name: string, reuse: TruthfulClass, windowMs: number, now: () => number) {
    this.#name = name
    this.#reuse = reuse
    this.#windowMs = windowMs
    this.#now = now
  }

  refreshToken(generation: number): string {
    return `rt-${this.#name}-${generation}`
  }

  accessToken(number: number): string {
    return `at-${this.#name}-${number}`
  }

  /** What the second request of a chain answers to an access token: a use of it, and as often as one likes. */
  session(accessToken: string): string {
    this.use(accessToken)
    return `session-of-${accessToken}`
  }

  /** A request with this refresh token is on its way; the result says that it is over. */
  begin(token: string): () => void {
    const before = this.#underWay.get(token) ?? 0
    if (before > 0) this.overlaps += 1
    this.#underWay.set(token, before + 1)
    let open = true
    return () => {
      if (open) this.#underWay.set(token, (this.#underWay.get(token) ?? 1) - 1)
      open = false
    }
  }

  /** Somebody used the newest access token at the API: at P2 that ends the refresh token before it. */
  use(accessToken: string): void {
    if (accessToken === this.accessToken(this.issued)) this.#usedGeneration = this.current
  }

  /** Acts on a request that was sent at `sentAt`. */
  present(token: string, sentAt: number): ProviderReply {
    const generation = Number(token.split('-').at(-1))
    const decision = token.startsWith(`rt-${this.#name}-`) ? this.#decide(generation) : 'refused'
    this.seen.push({ sentAt, generation, decision })
    if (decision === 'refused') return { status: 400, body: '{"error":"invalid_grant","error_description":"The refresh token is not valid."}' }
    const body = {
      access_token: this.accessToken(this.issued),
      refresh_token: this.refreshToken(this.current),
      token_type: 'Bearer',
      expires_in: this.lifetimeSeconds,
    }
    return { status: 200, body: JSON.stringify(body) }
  }

  #decide(generation: number): SeenToken['decision'] {
    if (!this.alive || generation > this.current) return 'refused'
    if (this.#reuse === 'P0') {
      this.issued += 1
      return 'reissued'
    }
    if (generation === this.current) {
      this.#spentAt.set(generation, this.#now())
      this.#usedGeneration = Math.max(this.#usedGeneration, generation)
      this.current += 1
      this.issued = this.current
      return 'rotated'
    }
    return this.#again(generation)
  }

  #again(generation: number): SeenToken['decision'] {
    const isParent = generation === this.current - 1
    const inWindow = this.#reuse === 'P1' && this.#now() - (this.#spentAt.get(generation) ?? 0) < this.#windowMs
    const unused = this.#reuse === 'P2' && this.#usedGeneration < this.current
    if (isParent && (inWindow || unused)) return 'replayed'
    if (this.#reuse !== 'P3') this.alive = false
    return 'refused'
  }
}
