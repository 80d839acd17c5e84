/** `capacity` at once, `perSecond` on average. */
export interface RateLimit {
  readonly perSecond: number
  readonly capacity: number
}

/** `requests` a minute, all of them at once if the caller likes. */
export function perMinute(requests: number): RateLimit {
  return { perSecond: requests / 60, capacity: requests }
}

interface Bucket {
  tokens: number
  at: number
}

const MAX_BUCKETS = 50_000

/** Token buckets by name, in bounded memory. */
export class RateLimiter {
  readonly #limit: RateLimit
  readonly #mono: () => number
  readonly #buckets = new Map<string, Bucket>()

  /** `mono` in milliseconds. */
  constructor(limit: RateLimit, mono: () => number) {
    this.#limit = limit
    this.#mono = mono
  }

  /** Takes one token. 0 when it was there, else the milliseconds until one will be. */
  take(name: string): number {
    const now = this.#mono()
    let bucket = this.#buckets.get(name)
    if (bucket === undefined) {
      if (this.#buckets.size >= MAX_BUCKETS) this.#makeRoom()
      bucket = { tokens: this.#limit.capacity, at: now }
      this.#buckets.set(name, bucket)
    }
    bucket.tokens = Math.min(this.#limit.capacity, bucket.tokens + ((now - bucket.at) * this.#limit.perSecond) / 1_000)
    bucket.at = now
    if (bucket.tokens >= 1) {
      bucket.tokens -= 1
      return 0
    }
    return Math.ceil(((1 - bucket.tokens) * 1_000) / this.#limit.perSecond)
  }

  /** Returns a token that was taken in advance. */
  giveBack(name: string): void {
    const bucket = this.#buckets.get(name)
    if (bucket !== undefined) bucket.tokens = Math.min(this.#limit.capacity, bucket.tokens + 1)
  }

  /** The longest known name goes: looking for a better one would cost every caller of a flood. */
  #makeRoom(): void {
    const oldest = this.#buckets.keys().next().value
    if (oldest !== undefined) this.#buckets.delete(oldest)
  }
}

/** One IPv6 customer has a /64: all its addresses share one bucket. */
export function addressBucket(address: string): string {
  if (!address.includes(':')) return address
  if (address.startsWith('::ffff:') && address.includes('.')) return address.slice(7)
  const [head = '', tail] = address.split('::')
  const groups = head === '' ? [] : head.split(':')
  if (tail !== undefined) {
    const rest = tail === '' ? [] : tail.split(':')
    while (groups.length + rest.length < 8) groups.push('0')
    groups.push(...rest)
  }
  return groups.slice(0, 4).join(':')
}
