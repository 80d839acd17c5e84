import { type Actor, type EventType, type NewEvent, SYSTEM_ACTOR } from '../audit/event.ts'
import { Fault } from '../fault/fault.ts'
import { newId, type OrganizationId, type SigningKeyId } from '../ids.ts'
import type { JsonObject } from '../json.ts'
import type { Log } from '../log.ts'
import { type Seal, type SealContext, SealError } from '../seal/seal.ts'
import { type Clock, type Entropy, MINUTE, SECOND } from '../time.ts'
import {
  isIdle,
  planReplacement,
  planRing,
  type RingPlan,
  type ScheduledKey,
  type SigningKey,
  type SigningKeyRing,
  type SigningKeyState,
  type SigningKeyStore,
  scheduleOf,
} from './signing-key.ts'
import type { PrivateSigningKey, PublicSigningKey, TokenSigner } from './token-signer.ts'

/** While the change channel is deaf, what is in memory is believed no longer than this. */
const DEAF_TRUST_MS = SECOND
/** Believed no longer than this at all: a change that nobody announced comes through, too. */
const TRUST_MS = 5 * MINUTE
/** A token with an unknown key makes us look for newer ones at most this often, however many such tokens come. */
const LOOK_AGAIN_MS = 2 * SECOND
/** Nodes that start together race for the first key; the losers read what the winner wrote. */
const TRIES = 10

export interface SigningKeysPorts {
  readonly store: SigningKeyStore
  readonly signer: Pick<TokenSigner, 'generate'>
  readonly seal: Pick<Seal, 'seal' | 'openText'>
  readonly clock: Clock
  readonly entropy: Entropy
  readonly log: Log
  /** False while changes made by other nodes may not reach us. */
  readonly changesFresh: () => boolean
  /** Keys belong to the server; their events are told to the organization that exists from the start. */
  readonly organization: OrganizationId
}

interface Loaded {
  readonly ring: SigningKeyRing
  /** When it was asked for, on the monotonic clock. */
  readonly at: number
}

/** The keys behind access tokens: made at first need, changed by schedule and without a restart, the same on every node. */
export class SigningKeys {
  readonly #ports: SigningKeysPorts
  #loaded: Loaded | null = null
  #loading: Promise<Loaded> | null = null
  #opened: { readonly from: Uint8Array; readonly key: PrivateSigningKey } | null = null
  #lookedAgainAt = Number.NEGATIVE_INFINITY

  constructor(ports: SigningKeysPorts) {
    this.#ports = ports
  }

  /** The key that signs now. @throws Fault `seal_key_missing`, `seal_broken` or `store_unavailable` */
  async signing(): Promise<PrivateSigningKey> {
    const { ring } = await this.#usable()
    const active = ring.keys.find(({ state }) => state === 'active')
    if (active === undefined || active.privateKey === null) throw new Fault('internal', { detail: 'There is no active signing key.' })
    return this.#open(active, active.privateKey)
  }

  /** The keys whose tokens are believed: those that are not retired. */
  async verifying(): Promise<readonly PublicSigningKey[]> {
    return (await this.#usable()).ring.keys
  }

  /** The same, read from the store now; null when it was read for this reason moments ago. */
  async verifyingNewer(): Promise<readonly PublicSigningKey[] | null> {
    const now = this.#ports.clock.mono()
    if (now - this.#lookedAgainAt < LOOK_AGAIN_MS) return null
    this.#lookedAgainAt = now
    return (await this.#readNow()).ring.keys
  }

  /** The JWKS (RFC 7517 section 5): the public halves of all keys that are not retired. */
  async published(): Promise<{ readonly keys: readonly JsonObject[] }> {
    return { keys: (await this.verifying()).map(({ publicJwk }) => publicJwk) }
  }

  /** Every key that is not retired, and when the schedule moves it on. */
  async schedule(): Promise<readonly ScheduledKey[]> {
    return scheduleOf((await this.#usable()).ring)
  }

  /** Keys changed, here or on another node. */
  forget(): void {
    this.#loaded = null
    this.#loading = null
  }

  /** @throws Fault `forbidden`: the keys are those of all organizations, and one of them looks after the server */
  mustOperate(organization: OrganizationId): void {
    if (organization === this.#ports.organization) return
    throw new Fault('forbidden', { detail: 'Only a key of the default organization changes the signing keys of the whole server.' })
  }

  /** Does what the schedule asks. Returns whether anything was changed by this node. Harmless to repeat, on any number of nodes. */
  async tick(): Promise<boolean> {
    return this.#change((ring) => planRing(ring, this.#ports.clock.wall()), SYSTEM_ACTOR)
  }

  /**
   * Changes the key now. Tokens of the old one stay good until they end; `stolen` ends them and every key at once, and makes new ones: whoever
   * is signed in gets a new token with the next refresh.
   */
  async rotateNow({ stolen, actor }: { readonly stolen: boolean; readonly actor: Actor }): Promise<void> {
    await this.#change((ring) => planReplacement(ring, stolen), actor)
    if (stolen) this.#ports.log.warn({}, 'every signing key was retired at once: all access tokens are void, all sessions go on')
  }

  async #usable(): Promise<Loaded> {
    const loaded = await this.#load()
    if (loaded.ring.keys.some(({ state }) => state === 'active')) return loaded
    await this.tick()
    return this.#load()
  }

  async #load(): Promise<Loaded> {
    const { clock, changesFresh } = this.#ports
    const kept = this.#loaded
    if (kept !== null && clock.mono() - kept.at <= (changesFresh() ? TRUST_MS : DEAF_TRUST_MS)) return kept
    try {
      return await this.#read()
    } catch (error) {
      // The store is away: nobody can have changed a key meanwhile.
      if (kept !== null && error instanceof Fault && error.code === 'store_unavailable') return kept
      throw error
    }
  }

  /** Past what is in memory, which stays in case the store is away. */
  #readNow(): Promise<Loaded> {
    this.#loading = null
    return this.#read()
  }

  /** One read for all who ask at the same time. What changed while it was under way is read again by whoever asks next. */
  #read(): Promise<Loaded> {
    if (this.#loading !== null) return this.#loading
    const at = this.#ports.clock.mono()
    const loading: Promise<Loaded> = this.#ports.store.read().then(
      (ring) => {
        const loaded = { ring, at }
        if (this.#loading === loading) this.#settle(loaded)
        return loaded
      },
      (error: unknown) => {
        if (this.#loading === loading) this.#loading = null
        throw error
      },
    )
    this.#loading = loading
    return loading
  }

  #settle(loaded: Loaded): void {
    this.#loaded = loaded
    this.#loading = null
  }

  async #change(planned: (ring: SigningKeyRing) => RingPlan, actor: Actor): Promise<boolean> {
    for (let left = TRIES; left > 0; left -= 1) {
      const { ring } = await this.#readNow()
      const plan = planned(ring)
      if (isIdle(plan)) return false
      const outcome = await this.#write(ring, plan, actor)
      this.forget()
      if (outcome === 'written') return true
    }
    throw new Fault('store_unavailable', { detail: 'The signing keys are being changed by other nodes. Try again in a moment.' })
  }

  async #write(ring: SigningKeyRing, { moves, missing }: RingPlan, actor: Actor): Promise<'written' | 'moved'> {
    const at = this.#ports.clock.wall()
    const moved = moves.map(({ key, to }) => ({ ...key, state: to, changedAt: at, privateKey: to === 'retired' ? null : key.privateKey }))
    // One that only got another date begins nothing.
    const begun = moved.filter((_, index) => moves[index]?.key.state !== moves[index]?.to)
    const made = await Promise.all(missing.map((state) => this.#make(state, at)))
    const told = [
      ...made.map((key) => this.#event('signing_key.created', key, actor)),
      ...[...begun, ...made].filter(({ state }) => state === 'active').map((key) => this.#event('signing_key.activated', key, actor)),
      ...begun.filter(({ state }) => state === 'retired').map((key) => this.#event('signing_key.retired', key, actor)),
    ]
    return this.#ports.store.write({ version: ring.version, keys: [...moved, ...made], events: told })
  }

  async #make(state: SigningKeyState, at: number): Promise<SigningKey> {
    const { signer, seal, entropy } = this.#ports
    const id = newId('sgk', entropy)
    const { algorithm, publicJwk, privateJwk } = await signer.generate(id)
    return { id, algorithm, publicJwk, state, privateKey: seal.seal(privateJwk, placeOf(id)), createdAt: at, changedAt: at }
  }

  #open({ id, algorithm }: SigningKey, sealed: Uint8Array): PrivateSigningKey {
    const opened = this.#opened
    if (opened !== null && opened.key.id === id && opened.from === sealed) return opened.key
    try {
      const key = { id, algorithm, privateJwk: this.#ports.seal.openText(sealed, placeOf(id)) }
      this.#opened = { from: sealed, key }
      return key
    } catch (error) {
      if (error instanceof SealError) throw new Fault(error.code, { detail: `The signing key ${id} cannot be opened: ${error.message}.`, cause: error })
      throw error
    }
  }

  #event(type: EventType, { id, state, algorithm }: SigningKey, actor: Actor): NewEvent {
    const { entropy, clock, organization } = this.#ports
    return { id: newId('evt', entropy), organization, type, at: clock.wall(), actor, connection: null, subject: id, data: { state, algorithm } }
  }
}

/** A private key opens only as the one that it was sealed as. */
function placeOf(id: SigningKeyId): SealContext {
  return { organization: '', table: 'signing_key', row: id, column: 'private_key' }
}
