import { type EventType, SYSTEM_ACTOR } from '../audit/event.ts'
import { type ConnectionId, newId, type OrganizationId } from '../ids.ts'
import type { Log } from '../log.ts'
import type { Reuse } from '../provider/reuse.ts'
import type { Clock, Entropy } from '../time.ts'
import type { GrantRow } from './credentials.ts'
import { type Distrust, type Examination, type HighWater, type Mark, NOTHING_ROLLED, type RollsForward, type Trust } from './high-water.ts'
import { hasMoved, isElsewhere, isPromoted, startFinding } from './high-water-compare.ts'
import { type Journal, NO_JOURNAL } from './journal.ts'
import { type DatabaseHome, FRESH_AFTER_MS, type Lineage, type Lineages } from './lineage.ts'
import { findBehind, stillBehind } from './look-back.ts'
import { RollingForward } from './rolling-forward.ts'

export interface TrustPorts {
  readonly clock: Clock
  readonly entropy: Entropy
  readonly log: Log
  readonly lineages: Lineages
  readonly marks: HighWater
  readonly journal: Pick<Journal, 'answers'>
  /** The node's id, which survives restarts. */
  readonly node: string
  /** Where the database is now. */
  readonly home: () => Promise<DatabaseHome | null>
  /** Whose events these are: the operator's organization. */
  readonly organization: OrganizationId
}

/**
 * After a promotion nothing is presented for this long: another node may know of a grant that it renewed at the old
 * primary, and says so within a second.
 */
const PROMOTION_MS = 10_000

/** Before a presentation the database has proved within this time that it is not older than it was. */
const PROOF_MS = 1_000

/**
 * Is the database the newest that we know of? It proves it with a tick of this node, at most once a second and only while
 * something is presented; and each row with the mark of its connection. One node that finds it older stops them all.
 */
export class DatabaseTrust implements Trust {
  readonly #ports: TrustPorts
  #lineage: Lineage | null = null
  #tick = 0
  #provedAt = Number.NEGATIVE_INFINITY
  #proving: Promise<void> | null = null
  #timeline: number | null = null
  #promotedAt = Number.NEGATIVE_INFINITY
  #telling: Promise<unknown> | null = null
  #lookingBack: Promise<number> | null = null
  #lookedBackAt: number | null = null
  readonly #rolling: RollingForward
  #rollForward: RollsForward = () => Promise.resolve(NOTHING_ROLLED)
  /** Set at once when the database is found to be older; the database itself learns of it as soon as it can. */
  #finding: string | null = null

  constructor(ports: TrustPorts) {
    this.#ports = ports
    this.#rolling = new RollingForward(ports)
  }

  async examine(rollForward: RollsForward): Promise<Examination> {
    this.#rollForward = rollForward
    const { lineages, entropy } = this.#ports
    const home = await this.#ports.home()
    const lineage = await lineages.open({ instance: entropy.uuid(), home })
    this.#lineage = lineage
    if (lineage.trusted === 'trusted' && isElsewhere(lineage.home, home)) await this.#distrust('cloned', elsewhere(lineage.home, home))
    else if (lineage.trusted === 'trusted' && home !== null && hasMoved(lineage.home, home)) await this.#noteMove(lineage.home, home)
    // The first to start after a promotion: whoever lives may not have looked yet.
    if (isPromoted(lineage.home, home)) this.#promotedAt = this.#ports.clock.mono()
    const rolledForward = await this.#atStart(lineage)
    const now = this.#known()
    return { trusted: now.trusted === 'trusted', eraAt: now.eraAt, rolledForward }
  }

  async mayPresent(row: GrantRow, reuse: Reuse): Promise<Distrust | null> {
    if (this.#known().trusted === 'cloned') return this.#refused()
    if (reuse.class === 'P0') return null
    if (this.#ports.clock.mono() - this.#provedAt >= PROOF_MS) await this.#prove()
    const lineage = this.#known()
    if (lineage.trusted === 'restored' || this.#finding !== null) return isFresh(row, lineage) ? null : this.#refused()
    if (lineage.trusted === 'cloned') return this.#refused()
    if (this.#ports.clock.mono() - this.#promotedAt < PROMOTION_MS) return { detail: PROMOTED }
    const mark = this.#ports.marks.recent(row.connection.id)
    return mark === undefined || mark.generation <= row.credential.generation ? null : this.#comparedNow(mark)
  }

  stored(mark: Mark, reuse: Reuse): void {
    if (reuse.class !== 'P0') this.#ports.marks.raise(mark)
  }

  wentBack(connection: ConnectionId, acknowledged: number, said: number): void {
    // Before the examination nothing is presented, and the examination finds it out itself.
    if (this.#lineage?.trusted !== 'trusted') return
    this.#find(`${connection} is at generation ${said}, and the database had acknowledged ${acknowledged}`)
  }

  moved(connection: ConnectionId): void {
    if (this.#lineage === null || this.#lineage.trusted === 'trusted') return
    this.#rolling.moved(connection).catch((error: unknown) => this.#laterAgain(error))
  }

  /** What this node knows at the moment. */
  known(): Lineage {
    return this.#known()
  }

  trusted(): boolean {
    return this.#finding === null && this.#known().trusted === 'trusted'
  }

  /** Why nothing is presented, for people; null while the database is trusted. */
  doubt(): string | null {
    return this.trusted() ? null : this.#refused().detail
  }

  /** Asks the database now. */
  refreshed(): Promise<void> {
    return this.#prove()
  }

  async #atStart(lineage: Lineage): Promise<number> {
    const { marks, lineages, node } = this.#ports
    const finding = startFinding(lineage, marks.remembered)
    switch (finding.kind) {
      case 'begin':
        await this.#begin(lineage, finding.wasNew ? 'all' : await this.#givenUp())
        return this.#lookBackIfDistrusted()
      case 'went_back':
        return this.#restored(finding.reason)
      case 'other':
        if ((await findBehind(this.#ports, 0)).some(({ stored }) => stored !== null)) return this.#restored(OTHER)
        await this.#begin(lineage, 'all')
        return this.#lookBackIfDistrusted()
      case 'ours': {
        this.#tick = marks.remembered?.tick ?? 0
        if (this.#known().trusted !== 'trusted') return this.#lookBackIfDistrusted()
        const { before } = await lineages.tick(node, this.#tick)
        if (before === null || before < this.#tick) return this.#restored(tickBack(this.#tick, before))
        this.#ticked(before === this.#tick ? before + 1 : before)
        const behind = await stillBehind(lineages, marks.uncovered())
        if (behind.length > 0) return this.#restored(`${behind.length} connections are older than this node has seen them`)
        await lineages.report(node, lineage.era, [])
        return 0
      }
    }
  }

  /** A row may have been read before this node stored a newer credential: then its claim finds out that it moved. Only the database of now can be too old. */
  async #comparedNow({ connection, generation }: Mark): Promise<Distrust | null> {
    const [stored] = await this.#ports.lineages.generationsOf([connection])
    if (stored !== undefined && stored.generation >= generation) return null
    this.wentBack(connection, generation, stored?.generation ?? 0)
    return this.#refused()
  }

  /** One proof at a time, shared by all who wait for it. */
  #prove(): Promise<void> {
    this.#proving ??= this.#askDatabase().finally(() => {
      this.#proving = null
    })
    return this.#proving
  }

  async #askDatabase(): Promise<void> {
    const { lineages, clock, node } = this.#ports
    const started = clock.mono()
    const { before, lineage, timeline = null } = await lineages.tick(node, this.#tick)
    const known = this.#known()
    const promoted = this.#timeline !== null && timeline !== null && timeline !== this.#timeline
    if (promoted) this.#promotedAt = clock.mono()
    this.#timeline = timeline
    // What was found is not in the database yet, or was taken back with it.
    if (this.#finding !== null && lineage.trusted === 'trusted' && lineage.era <= known.era) return this.#tell()
    // Known when the new era has begun here: half of it, tried again, would look like a database that lost this node's tick.
    if (lineage.era > known.era) await this.#begin(lineage, await this.#givenUp())
    this.#lineage = lineage
    if (lineage.era < known.era) this.#find(`the database is in era ${lineage.era}, and this node has seen it in era ${known.era}`)
    if (lineage.era === known.era) this.#compareTick(lineage, before)
    // Less than a tick may be missing: what was stored since the last ones is looked at, too.
    if (promoted && this.trusted() && (await stillBehind(lineages, this.#ports.marks.uncovered())).length > 0) this.#find(LESS_THAN_A_TICK)
    this.#provedAt = started
  }

  #compareTick({ trusted }: Lineage, before: number | null): void {
    if (trusted !== 'trusted') void this.#compareAgain().catch((error: unknown) => this.#later(error))
    else if (before === null || before < this.#tick) this.#find(tickBack(this.#tick, before))
    else this.#ticked(before === this.#tick ? before + 1 : before)
  }

  /** Marks of what a confirmed restore has given up: they would doubt every credential that comes after it. */
  async #givenUp(): Promise<ReadonlySet<ConnectionId>> {
    const behind = await findBehind({ ...this.#ports, journal: NO_JOURNAL }, 0)
    return new Set(behind.map(({ connection }) => connection))
  }

  async #begin(lineage: Lineage, forget: 'all' | ReadonlySet<ConnectionId>): Promise<void> {
    const { lineages, node } = this.#ports
    const { tick } = await lineages.firstTick(node)
    this.#finding = null
    this.#lookedBackAt = null
    this.#rolling.forget()
    this.#tick = tick
    await this.#ports.marks.begin({ instance: lineage.instance, era: lineage.era }, tick, forget)
    if (lineage.trusted === 'trusted') await lineages.report(node, lineage.era, [])
  }

  #ticked(tick: number): void {
    this.#tick = tick
    this.#ports.marks.ticked(tick)
  }

  /** While running: nothing more is presented from this moment on, whatever the database does next. */
  #find(reason: string): void {
    this.#finding ??= reason
    this.#tell()
  }

  #tell(): void {
    if (this.#finding === null || this.#telling !== null) return
    this.#telling = this.#restored(this.#finding)
      .catch((error: unknown) => this.#later(error))
      .finally(() => {
        this.#telling = null
      })
  }

  async #restored(reason: string): Promise<number> {
    this.#finding = reason
    await this.#distrust('restored', reason)
    return this.#lookBackIfDistrusted()
  }

  async #distrust(trusted: 'restored' | 'cloned', reason: string): Promise<void> {
    const { lineages, entropy, log, node } = this.#ports
    log.error({ reason, node }, trusted === 'cloned' ? CLONED : RESTORED)
    await lineages.distrust(trusted, reason, this.#event(trusted === 'cloned' ? 'database.cloned' : 'database.restored', { reason, node }))
    this.#lineage = await lineages.open({ instance: entropy.uuid(), home: null })
  }

  /** Once for each loss of trust: what is behind, rolled forward as far as the journal goes, reported to everybody. */
  #lookBackIfDistrusted(): Promise<number> {
    const { since, trusted } = this.#known()
    if (trusted === 'trusted' || this.#lookedBackAt === since) return this.#lookingBack ?? Promise.resolve(0)
    this.#lookedBackAt = since
    this.#lookingBack = this.#rolling.lookBack(this.#known(), this.#rollForward).finally(() => {
      this.#lookingBack = null
    })
    return this.#lookingBack
  }

  /** A second failover may take the report back, with or without the tick: whether it is there, the database says. */
  async #compareAgain(): Promise<void> {
    const { lineages, node } = this.#ports
    if (this.#lookingBack === null && this.#lookedBackAt === this.#known().since) {
      const own = (await lineages.nodes()).find((one) => one.node === node)
      if (own?.comparedEra !== this.#known().era) this.#lookedBackAt = null
      else await this.#rolling.askOthers()
    }
    await this.#lookBackIfDistrusted()
  }

  async #noteMove(was: DatabaseHome | null, home: DatabaseHome): Promise<void> {
    const { lineages, log } = this.#ports
    if (was !== null) log.warn({ name: home.name, timeline: home.timeline }, 'the database has another name or timeline: it was renamed or promoted')
    await lineages.move(home, this.#event('database.moved', { name: home.name, timeline: home.timeline, was: was?.timeline ?? null }))
  }

  #known(): Lineage {
    if (this.#lineage === null) throw new Error('the database was not examined')
    return this.#lineage
  }

  #refused(): Distrust {
    const { trusted, reason } = this.#known()
    return { detail: `${trusted === 'cloned' ? CLONED : RESTORED} (${this.#finding ?? reason ?? 'no reason given'})` }
  }

  #later(error: unknown): void {
    this.#lookedBackAt = null
    this.#ports.log.error({ error: String(error) }, 'the older database could not be looked through yet; it will be tried again')
  }

  /** What was looked at is found again by the next tick's question. */
  #laterAgain(error: unknown): void {
    this.#ports.log.warn({ error: String(error) }, 'what another node rolled forward could not be looked at yet; it will be tried again')
  }

  #event(type: EventType, data: Readonly<Record<string, string | number | null>>) {
    const { entropy, clock, organization } = this.#ports
    return { id: newId('evt', entropy), organization, type, at: clock.wall(), actor: SYSTEM_ACTOR, connection: null, subject: null, data }
  }
}

const LESS_THAN_A_TICK = 'the promoted database lacks the last moments before the failover'
const PROMOTED = 'the database was promoted a moment ago: every node compares first, for ten seconds'
const OTHER = 'this data folder belongs to another database that has the same connections'
const RESTORED = 'the database is older than what this node has seen of it: only reusable refresh tokens are presented until `evergrant restore confirm`'
const CLONED =
  'the database is a copy from another place: no refresh token is presented until `evergrant restore confirm`, with --as-clone if the original lives'

function elsewhere(was: DatabaseHome | null, now: DatabaseHome | null): string {
  return `it was written at ${was?.name} (${was?.id}) and is now at ${now?.name} (${now?.id})`
}

function tickBack(expected: number, before: number | null): string {
  return `this node's tick is ${before ?? 'gone'} in the database, which had acknowledged ${expected}`
}

/** Its owner granted it after the trust ended: no backup has an older token of it. */
function isFresh({ connection }: GrantRow, { since }: Lineage): boolean {
  return since !== null && connection.consentedAt !== null && connection.consentedAt >= since + FRESH_AFTER_MS
}
