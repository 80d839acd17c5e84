import { type Actor, type NewEvent, SYSTEM_ACTOR } from '../audit/event.ts'
import { Fault } from '../fault/fault.ts'
import { newId, type OrganizationId } from '../ids.ts'
import type { JsonObject } from '../json.ts'
import type { Log } from '../log.ts'
import type { NodeReport } from '../refresh/nodes.ts'
import { type Seal, SealError } from '../seal/seal.ts'
import { type Clock, type Entropy, type Instant, SECOND, type Timers } from '../time.ts'
import type { KeyCensus, KeyCensusTaker } from './key-census.ts'
import type { KeyringWatch, NodeRing } from './keyring-watch.ts'
import { sealedBy } from './operations.ts'
import type { Reseal, Reseals, SealedValue, Swap } from './reseals.ts'

/** Whoever died with the work in hand is replaced after this. */
const HELD_MS = 30 * SECOND
/** One call works so long, then somebody may ask how far it is. */
const TURN_MS = SECOND

export interface KeysPorts {
  readonly reseals: Reseals
  readonly census: KeyCensusTaker
  readonly watch: Pick<KeyringWatch, 'look' | 'lacking'>
  readonly ring: NodeRing
  readonly seal: Pick<Seal, 'open' | 'seal'>
  readonly node: { readonly id: string }
  /** Reads the key file again; null where the keys come from the environment. */
  readonly file: { reload(): Promise<void>; remove(id: string): Promise<void> } | null
  readonly clock: Clock
  readonly timers: Pick<Timers, 'sleep'>
  readonly entropy: Entropy
  readonly log: Log
}

/** What is known of the master keys. */
export interface KeysStatus {
  /** Of this node: the first shall seal. */
  readonly ring: readonly string[]
  readonly seals: string
  readonly source: 'file' | 'environment'
  readonly census: KeyCensus
  readonly nodes: readonly NodeReport[]
  readonly reseal: Reseal | null
}

/** Master keys: what each seals, sealing everything anew with the first, and taking one away that seals nothing. */
export class KeysService {
  readonly #ports: KeysPorts
  #working: Promise<boolean> | null = null

  constructor(ports: KeysPorts) {
    this.#ports = ports
  }

  async status(patience: Promise<void>): Promise<KeysStatus> {
    const { reseals, census, watch, ring, file } = this.#ports
    const [nodes, reseal] = [await watch.look(), (await reseals.latest()) ?? null]
    let counted = await census.take(patience)
    if (reseal !== null && reseal.finishedAt !== null && counted.countedAt !== null && counted.countedAt <= reseal.finishedAt) {
      census.forget()
      counted = await census.take(patience)
    }
    return { ring: ring.ids(), seals: ring.seals(), source: file === null ? 'environment' : 'file', census: counted, nodes, reseal }
  }

  /** Reads the key file again. @throws Fault `conflict` where there is none, or `invalid_request` when it cannot be read */
  async reload(): Promise<void> {
    const { file, watch } = this.#ports
    if (file === null)
      throw new Fault('conflict', {
        detail: 'The master keys of this server come from EVERGRANT_MASTER_KEYS: change it, and restart the nodes one after the other.',
      })
    await file.reload()
    await watch.look()
  }

  /** Begins to seal everything anew with the first key, or goes on, and works on it for a moment. @throws Fault `conflict` while a live node lacks that key */
  async reseal(organization: OrganizationId, actor: Actor): Promise<Reseal> {
    const { reseals, watch, ring, clock } = this.#ports
    const reports = await watch.look()
    const key = ring.ids()[0] ?? ring.seals()
    const lacking = watch.lacking(reports, key)
    if (lacking.length > 0) throw lackingFault(key, lacking)
    const at = clock.wall()
    const event = this.#event(organization, 'keys.reseal_started', key, at, actor, {})
    const begun = await reseals.start({ key, organization, startedBy: actor, startedAt: at }, event)
    await this.work()
    return (await reseals.latest()) ?? begun
  }

  /** How far it is; null when nothing was ever sealed anew. Whoever watches helps: it goes on even where no chore runs. */
  async progress(): Promise<Reseal | null> {
    await this.work()
    return (await this.#ports.reseals.latest()) ?? null
  }

  /**
   * Takes a key away that nothing uses. Where keys come from the environment it only looks, and the operator takes it out.
   * @throws Fault `conflict` with every place where it is used, or `not_found`
   */
  async remove(organization: OrganizationId, actor: Actor, key: string): Promise<'removed' | 'unused'> {
    const { ring, watch, census, file, clock, reseals } = this.#ports
    const reports = await watch.look()
    if (!ring.ids().includes(key)) throw new Fault('not_found', { detail: `There is no master key ${key}. The keyring has ${ring.ids().join(', ')}.` })
    const uses = usesOf(key, await census.afresh(), reports)
    if (ring.ids()[0] === key) uses.push('it is the first of the keyring, so it seals')
    if (uses.length > 0) {
      const detail = `Master key ${key} is still used: ${uses.join('; ')}. Seal everything anew with another key (evergrant keys reseal), then try again. Nothing was changed.`
      throw new Fault('conflict', { detail })
    }
    if (file === null) return 'unused'
    await file.remove(key)
    await reseals.record(this.#event(organization, 'keys.removed', key, clock.wall(), actor, {}))
    await watch.look()
    return 'removed'
  }

  /** What every node does now and then, and a request on its own: one turn at a time. True when there is more to do. */
  work(): Promise<boolean> {
    this.#working ??= this.#turn().finally(() => {
      this.#working = null
    })
    return this.#working
  }

  async #turn(): Promise<boolean> {
    const { reseals, ring, node, clock, census } = this.#ports
    const latest = await reseals.latest()
    if (latest === undefined || latest.finishedAt !== null || latest.key !== ring.seals()) return false
    const now = clock.wall()
    let job = await reseals.claim(latest.key, node.id, now, now + HELD_MS)
    if (job === undefined) return false
    if (job.total === null) {
      const { counts } = await census.afresh()
      await reseals.count(
        job.key,
        [...counts].reduce((sum, [key, count]) => (key === job?.key ? sum : sum + count), 0),
      )
    }
    const until = clock.mono() + TURN_MS
    do {
      const began = clock.mono()
      const next = await this.#step(job)
      if (next === undefined || next.finishedAt !== null) return false
      job = next
      // Half of the time at most: requests come first.
      await this.#ports.timers.sleep(Math.ceil(clock.mono() - began))
    } while (clock.mono() < until)
    return true
  }

  /** Some rows: read, seal anew, put in place of what was read. Undefined: somebody else has it. */
  async #step(job: Reseal): Promise<Reseal | undefined> {
    const { reseals, ring, node, clock, log, census } = this.#ports
    const { values, next } = await reseals.sealedByOthers(job.cursor, job.key)
    const swaps = values.map((value) => this.#anew(value)).filter((swap) => swap !== null)
    // Another node may have stepped in that lacks this key: what was sealed with the old one is not put in place.
    if (ring.seals() !== job.key || swaps.some(({ is }) => sealedBy(is) !== job.key)) return undefined
    const unopened = values.length - swaps.length
    const heldUntil = clock.wall() + HELD_MS
    const after = await reseals.advance({ key: job.key, holder: node.id, heldUntil, swaps, unopened, next })
    if (after === undefined || next !== null || after.touched > 0) return after
    const at = clock.wall()
    const report = { sealed: after.done, unopened: after.unopened, seconds: Math.round((at - after.startedAt) / SECOND) }
    await reseals.finish(job.key, at, this.#event(after.organization, 'keys.reseal_finished', job.key, at, SYSTEM_ACTOR, report))
    census.forget()
    log.info({ key: job.key, ...report }, 'everything that opens is sealed with this master key')
    return { ...after, finishedAt: at }
  }

  /** Null: it does not open, so it stays as it is and heals when its key is back. */
  #anew({ sealed, context, source, column, key }: SealedValue): Swap | null {
    const { seal } = this.#ports
    try {
      return { source, column, key, was: sealed, is: seal.seal(seal.open(sealed, context), context) }
    } catch (error) {
      if (error instanceof SealError) return null
      throw error
    }
  }

  #event(...[organization, type, subject, at, actor, data]: EventFacts): NewEvent {
    return { id: newId('evt', this.#ports.entropy), organization, type, at, actor, connection: null, subject, data }
  }
}

type EventFacts = [OrganizationId, 'keys.reseal_started' | 'keys.reseal_finished' | 'keys.removed', string, Instant, Actor, JsonObject]

/** Every place where a key is used, in words. */
function usesOf(key: string, { places }: KeyCensus, reports: readonly NodeReport[]): string[] {
  const uses = [...(places.get(key) ?? [])].map(([table, count]) => `${count} ${count === 1 ? 'value' : 'values'} of ${table}`)
  for (const { id, alive, keyring, about } of reports) {
    const answers = keyring?.journal[key] ?? 0
    if (answers > 0) uses.push(`${answers} ${answers === 1 ? 'answer' : 'answers'} in the journal of node ${id}`)
    if (alive && keyring?.seals === key) uses.push(about?.kind === 'command' ? `a command that runs as ${id} seals with it` : `node ${id} seals with it`)
  }
  return uses
}

function lackingFault(key: string, nodes: readonly NodeReport[]): Fault {
  const names = nodes.map(({ id, about, keyring }) => {
    const has = keyring === null ? 'has not said which keys it has' : `has ${keyring.ids.join(', ')}`
    return `${id} (${about?.kind === 'command' ? 'a command of the command line, ' : ''}${has})`
  })
  const servers = nodes.some(({ about }) => about?.kind !== 'command')
  const remedy = servers ? 'Give each of them the new EVERGRANT_MASTER_KEYS and restart it, then try again' : 'Wait until it has ended, then try again'
  return new Fault('conflict', {
    detail: `Master key ${key} is not on every node yet: ${names.join(', ')}. ${remedy}. Nothing was changed.`,
  })
}
