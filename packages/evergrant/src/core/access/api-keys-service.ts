import type { Actor, EventType, NewEvent } from '../audit/event.ts'
import { Fault } from '../fault/fault.ts'
import { type ApiKeyId, newId, type OrganizationId } from '../ids.ts'
import type { JsonObject } from '../json.ts'
import { StoreOutage } from '../refresh/store-outage.ts'
import type { Clock, Entropy, Instant, Timers } from '../time.ts'
import { DAY, SECOND } from '../time.ts'
import type { ApiKey, ApiKeyScope, ApiKeys } from './api-key.ts'
import { hintOf, isKeyText, newKeyText } from './key-text.ts'

const MAX_CACHED = 10_000
const MAX_OVERLAP_MS = 30 * DAY
const FLUSH_MS = 5 * SECOND
/** While the change channel is deaf, a cached key is believed no longer than this. */
const DEAF_TRUST_MS = SECOND

interface ApiKeysPorts {
  readonly store: ApiKeys
  readonly clock: Clock
  readonly timers: Pick<Timers, 'after'>
  readonly entropy: Entropy
  /** SHA-256, base64url. */
  readonly digest: (text: string) => string
  /** False while changes made by other nodes may not reach us. */
  readonly changesFresh: () => boolean
  /** How long a remembered key counts while the store does not answer. */
  readonly withoutStoreMs: number
}

/** The hint of a key that lives in this process only; real hints begin with `egk_`. */
export const LOCAL_KEY_HINT = 'local'

interface NewApiKey {
  readonly name: string
  readonly scopes: readonly ApiKeyScope[]
  readonly expiresAt: Instant | null
}

/** A key with its text, which is never shown again. */
interface IssuedApiKey {
  readonly apiKey: ApiKey
  readonly text: string
}

/** What a key was whose time is over. */
interface EndedKey {
  readonly hint: string
  readonly how: 'revoked' | 'expired'
  readonly at: Instant
}

interface Cached {
  readonly key: ApiKey
  readonly checkedAt: number
}

/** Issues and checks the keys of backends. */
export class ApiKeysService {
  readonly #ports: ApiKeysPorts
  readonly #cache = new Map<string, Cached>()
  readonly #local = new Map<string, ApiKey>()
  readonly #used = new Map<ApiKeyId, Instant>()
  readonly #outage: StoreOutage
  #epoch = 0
  #flushPlanned = false

  constructor(ports: ApiKeysPorts) {
    this.#ports = ports
    this.#outage = new StoreOutage(ports.clock, ports.withoutStoreMs)
  }

  /** The hash to look a key up by; undefined when the text is certainly no key of ours, which costs microseconds to say. */
  hashOf(text: string): string | undefined {
    return isKeyText(text) ? this.#ports.digest(text) : undefined
  }

  /** The live key behind a hash, from memory. `unknown`: ask {@link lookUp}. Synchronous: the hot path. */
  peek(hash: string): ApiKey | 'ended' | 'unknown' {
    const local = this.#local.get(hash)
    if (local !== undefined) return local
    const cached = this.#cache.get(hash)
    if (cached === undefined) return 'unknown'
    if (this.#ports.changesFresh()) this.#outage.current()
    else if (this.#ports.clock.mono() - cached.checkedAt > DEAF_TRUST_MS && !this.#outage.mayAnswerAtOnce()) return 'unknown'
    const now = this.#ports.clock.wall()
    if (!isLive(cached.key, now)) return 'ended'
    this.#noteUse(cached.key.id, now)
    return cached.key
  }

  /** How the key behind a hash ended, from memory; undefined when that is not known. Only who has all of a key may hear it. */
  endOf(hash: string): EndedKey | undefined {
    const key = this.#cache.get(hash)?.key
    const now = this.#ports.clock.wall()
    if (key === undefined || isLive(key, now)) return undefined
    const { hint, revokedAt, expiresAt } = key
    if (revokedAt !== null && revokedAt <= now) return { hint, how: 'revoked', at: revokedAt }
    return expiresAt === null ? undefined : { hint, how: 'expired', at: expiresAt }
  }

  /** As {@link peek}, asking the store. A key that ended is remembered, too: a program that goes on with it costs the store nothing more. */
  async lookUp(hash: string): Promise<ApiKey | undefined> {
    const epoch = this.#epoch
    const checkedAt = this.#ports.clock.mono()
    const key = await this.#askStore(hash)
    const now = this.#ports.clock.wall()
    if (key === undefined) return undefined
    if (epoch === this.#epoch && this.#cache.get(hash)?.key !== key) this.#remember(hash, { key, checkedAt })
    if (!isLive(key, now)) return undefined
    this.#noteUse(key.id, now)
    return key
  }

  /** A key that is remembered counts for a while when the store is away: its outage is not the callers'. */
  async #askStore(hash: string): Promise<ApiKey | undefined> {
    try {
      const key = await this.#ports.store.byHash(hash)
      this.#outage.current()
      return key
    } catch (error) {
      const cached = this.#cache.get(hash)
      if (cached === undefined || !this.#outage.mayAnswerFor(error)) throw error
      return cached.key
    }
  }

  /** Drops what is remembered: a key changed here or on another node. */
  forget(): void {
    this.#epoch++
    this.#cache.clear()
  }

  /** A key for the command line on this machine: never stored, may do everything in its organization, ends with the process. */
  issueLocal(organization: OrganizationId): IssuedApiKey {
    const { apiKey, text } = this.#issue(organization, { name: 'command line', scopes: ['admin'], expiresAt: null }, null)
    const local = { ...apiKey, hint: LOCAL_KEY_HINT }
    this.#local.set(local.hash, local)
    return { apiKey: local, text }
  }

  async create(organization: OrganizationId, wanted: NewApiKey, actor: Actor): Promise<IssuedApiKey> {
    const issued = this.#issue(organization, wanted, null)
    await this.#ports.store.insert(issued.apiKey, this.#event('api_key.created', issued.apiKey, actor, { name: wanted.name, scopes: [...wanted.scopes] }))
    return issued
  }

  list(organization: OrganizationId): Promise<readonly ApiKey[]> {
    return this.#ports.store.list(organization)
  }

  /** A successor with the same name, scopes and expiry; the old key works for `overlapMs` more. @throws Fault */
  async rotate(organization: OrganizationId, id: ApiKeyId, overlapMs: number, actor: Actor): Promise<IssuedApiKey> {
    const now = this.#ports.clock.wall()
    const old = await this.#ports.store.get(organization, id)
    if (old === undefined) throw keyNotFound(id)
    if (!isLive(old, now)) throw new Fault('conflict', { detail: `The key ${id} has ended. Create a new key instead of rotating it.` })
    const until = Math.min(now + Math.min(overlapMs, MAX_OVERLAP_MS), old.expiresAt ?? Number.MAX_SAFE_INTEGER)
    const issued = this.#issue(organization, old, id)
    const event = this.#event('api_key.rotated', issued.apiKey, actor, { replaces: id, overlap_until: until })
    if ((await this.#ports.store.rotate(id, issued.apiKey, until, event)) === 'gone') throw keyNotFound(id)
    this.forget()
    return issued
  }

  /** Ends a key now. Repeating it changes nothing. @throws Fault */
  async revoke(organization: OrganizationId, id: ApiKeyId, actor: Actor): Promise<void> {
    const key = await this.#ports.store.get(organization, id)
    if (key === undefined) throw keyNotFound(id)
    await this.#ports.store.revoke(organization, id, this.#ports.clock.wall(), this.#event('api_key.revoked', key, actor, { name: key.name }))
    this.forget()
  }

  /** Writes the noted uses in one batch. Called by itself every five seconds, and once at shutdown. */
  async flushUse(): Promise<void> {
    this.#flushPlanned = false
    if (this.#used.size === 0) return
    const marks = [...this.#used].map(([id, at]) => ({ id, at }))
    this.#used.clear()
    await this.#ports.store.touch(marks)
  }

  #issue(organization: OrganizationId, wanted: NewApiKey, replaces: ApiKeyId | null): IssuedApiKey {
    const text = newKeyText(this.#ports.entropy)
    const apiKey: ApiKey = {
      id: newId('key', this.#ports.entropy),
      organization,
      name: wanted.name,
      hint: hintOf(text),
      hash: this.#ports.digest(text),
      scopes: wanted.scopes,
      createdAt: this.#ports.clock.wall(),
      lastUsedAt: null,
      expiresAt: wanted.expiresAt,
      revokedAt: null,
      replaces,
    }
    return { apiKey, text }
  }

  #event(type: EventType, key: ApiKey, actor: Actor, data: JsonObject): NewEvent {
    return {
      id: newId('evt', this.#ports.entropy),
      organization: key.organization,
      type,
      at: this.#ports.clock.wall(),
      actor,
      connection: null,
      subject: key.id,
      data,
    }
  }

  #remember(hash: string, cached: Cached): void {
    if (this.#cache.size >= MAX_CACHED) {
      const oldest = this.#cache.keys().next().value
      if (oldest !== undefined) this.#cache.delete(oldest)
    }
    this.#cache.set(hash, cached)
  }

  #noteUse(id: ApiKeyId, at: Instant): void {
    this.#used.set(id, at)
    if (this.#flushPlanned) return
    this.#flushPlanned = true
    // A use that could not be noted is not worth an error: the next batch has a newer one.
    this.#ports.timers.after(FLUSH_MS, () => void this.flushUse().catch(() => {}))
  }
}

function isLive(key: ApiKey, now: Instant): boolean {
  return (key.revokedAt === null || key.revokedAt > now) && (key.expiresAt === null || key.expiresAt > now)
}

function keyNotFound(id: ApiKeyId): Fault {
  return new Fault('not_found', { detail: `There is no API key ${id} in this organization. GET api-keys lists them.`, field: 'id' })
}
