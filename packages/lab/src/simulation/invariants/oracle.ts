import type {
  ClaimOutcome,
  CommitOutcome,
  Credentials,
  FailureCommit,
  GrantCommit,
  GrantRow,
  JournalRecord,
  Store,
  TokenAnswer,
} from '../../../../evergrant/src/engine.ts'
import type { ConnectionTruth } from '../ledger.ts'
import type { Life } from '../life.ts'
import { DELIVERED_TWICE, type Presentation, type RefreshTruth, type Site, wouldHonour } from '../provider-truth.ts'
import type { HttpAnswer } from '../sim-provider.ts'
import { EPOCH } from '../world.ts'
import { checkEnd, lossOf } from './losses.ts'
import type { OracleParts } from './oracle-parts.ts'
import { checkPresentation } from './presenting.ts'
import { RateWatch } from './rates.ts'
import { checkServed, type Served } from './serving.ts'

type ClaimRequest = Parameters<Credentials['claim']>[0]
type Replacement = Parameters<Store['connections']['replaceGrant']>[0]
type ReplaceOutcome = Awaited<ReturnType<Store['connections']['replaceGrant']>>
type Disconnect = Parameters<Store['connections']['disconnect']>[0]
type DisconnectOutcome = Awaited<ReturnType<Store['connections']['disconnect']>>

/** An expired lease stays until somebody looks; the due queue does. */
const LEASE_SLACK_MS = 15 * 60_000
/** An answer that was read just before the end of the seed is still on its way to the database. */
const IN_HAND_MS = 60_000

/** Sees everything that happens, at the instant at which it happens, and holds it against the invariants. */
export class Oracle {
  readonly parts: OracleParts
  readonly #rates: RateWatch
  readonly #late = new Map<string, ConnectionTruth>()

  constructor(parts: OracleParts) {
    this.parts = parts
    this.#rates = new RateWatch(parts)
  }

  /** True when the node died right there. */
  buggify(life: Life, step: string): boolean {
    return this.parts.buggify(life, step)
  }

  // What nodes send.

  sent(life: Life, token: RefreshTruth, site: Site, id: number): Presentation {
    const { world, ledger } = this.parts
    const connection = ledger.connections[token.family.connection]
    if (connection === undefined) throw new Error('a token of no connection')
    const presentation: Presentation = {
      id,
      node: life.identity.id,
      incarnation: life.number,
      token,
      intent: ledger.claimOf(life.identity.id, connection.id),
      sentAt: world.now,
      settled: false,
      arrived: false,
      over: false,
      decidedAt: null,
      effect: 'none',
      carried: null,
      learned: 'unread',
      destroyed: null,
      journaled: false,
      abandoned: false,
      concluded: false,
      readAt: null,
      misled: connection.excuse !== null,
    }
    world.note(id)
    if (world.tracing)
      world.say(`${life.identity.id} presents c${connection.index}#${token.number} to ${site.reuse.class}-${site.index} as ${presentation.intent}`)
    checkPresentation(this.parts, presentation, connection, site)
    this.#rates.sent(life, connection)
    token.presentations.push(presentation)
    this.parts.moment(connection)
    ledger.presentations.push(presentation)
    if (presentation.intent !== null) ledger.byIntent.set(presentation.intent, presentation)
    return presentation
  }

  decided(presentation: Presentation, status: number): void {
    const { world } = this.parts
    presentation.settled = true
    presentation.decidedAt = world.now
    world.note(status)
    this.#momentOf(presentation)
    if (world.tracing)
      world.say(`provider decides ${presentation.id}: ${presentation.effect} ${status}${presentation.destroyed === null ? '' : ` (${presentation.destroyed})`}`)
  }

  #momentOf({ token }: Presentation): void {
    const connection = this.parts.ledger.connections[token.family.connection]
    if (connection !== undefined) this.parts.moment(connection)
  }

  /** A node tries to reach a provider that is away. */
  unreachable(life: Life, site: Site): void {
    this.#rates.unreachable(life, site)
  }

  duplicated(presentation: Presentation, copy: Presentation): void {
    if (this.parts.world.tracing) this.parts.world.say(`provider decides ${presentation.id} again: ${copy.effect}`)
    if (copy.effect === 'refused' || copy.effect === 'rotated') presentation.destroyed ??= DELIVERED_TWICE
  }

  destroyed(presentation: Presentation, how: string): void {
    if (presentation.carried !== null) presentation.destroyed ??= how
    if (this.parts.world.tracing) this.parts.world.say(`answer ${presentation.id} destroyed: ${how}`)
  }

  /** The bytes are in the process. */
  read(life: Life, presentation: Presentation, answer: HttpAnswer): void {
    const clear = answer.grants === true
    presentation.readAt = this.parts.world.now
    presentation.learned = clear ? 'granted' : answer.status >= 500 || answer.status === 200 || answer.status === 403 ? 'unclear' : 'definite'
    this.parts.world.note(answer.status)
    this.#momentOf(presentation)
    this.#rates.read(life, presentation, answer)
    if (this.parts.world.tracing) this.parts.world.say(`${life.identity.id} reads answer ${presentation.id}: ${answer.status}`)
  }

  // What the database applies.

  async claimed(life: Life, request: ClaimRequest, outcome: ClaimOutcome): Promise<void> {
    const { world, ledger } = this.parts
    world.noteText(outcome.kind)
    if (outcome.kind !== 'claimed') return
    ledger.claimed(life.identity.id, request.connection, request.intent, request.generation)
    await this.changed(request.connection, 'claim')
  }

  async granted(life: Life, commit: GrantCommit, outcome: CommitOutcome): Promise<void> {
    const { world, ledger, mint, seal } = this.parts
    world.noteText(outcome.kind)
    if (world.tracing) world.say(`${life.identity.id} grant of ${commit.intent}: ${outcome.kind}`)
    const presentation = ledger.byIntent.get(commit.intent)
    if (presentation !== undefined) presentation.concluded = true
    const connection = ledger.byId.get(commit.connection)
    if (connection === undefined) return
    if (outcome.kind === 'disconnected') this.#late.set(commit.intent, connection)
    if (outcome.kind === 'applied') {
      world.count('refreshes')
      if (life.recoveringAgain && !this.parts.weather.enabled('o')) world.violate('I17', `a second recovery of ${life.identity.id} applied ${commit.intent}`)
      const token = commit.credential.refreshToken === null ? null : (mint.refreshOf(seal.see(commit.credential.refreshToken) ?? '') ?? null)
      connection.stored = token
      connection.grantedTo = life.identity.id
      if (token !== null && token.family.connection !== connection.index)
        world.violate('I19', `c${connection.index} holds a token of c${token.family.connection}`)
    }
    await this.changed(commit.connection, `grant ${outcome.kind}`)
  }

  async failed(life: Life, commit: FailureCommit, outcome: { readonly kind: string }): Promise<void> {
    const { world, ledger } = this.parts
    world.noteText(outcome.kind)
    const presentation = commit.intent === null ? undefined : ledger.byIntent.get(commit.intent)
    if (presentation !== undefined) presentation.concluded = true
    const connection = ledger.byId.get(commit.connection)
    if (connection === undefined) return
    const before = connection.row
    if (world.tracing) world.say(`${life.identity.id} failure of c${connection.index} ${commit.intent}: ${commit.effect} ${commit.fault.code} ${outcome.kind}`)
    await this.changed(commit.connection, `failure ${commit.effect}`)
    if (presentation?.effect === 'config' && presentation.learned === 'definite') this.#configChangedNothing(connection, before, commit.intent)
    if (before.connection.state === 'active' && connection.row.connection.state === 'needs_reauth') {
      connection.statusChanges += 1
      if (commit.event === null) world.violate('I18', `c${connection.index} needs reauth without an event`)
      checkEnd(this.parts, connection, commit, presentation ?? null)
    }
  }

  /** Its own doubt is gone with its answer. */
  #configChangedNothing(connection: ConnectionTruth, before: GrantRow, intent: string | null): void {
    const { credential, connection: now } = connection.row
    const was = before.credential
    const doubted = credential.suspicion?.intent !== was.suspicion?.intent && was.suspicion?.intent !== intent
    if (now.state !== before.connection.state || credential.generation !== was.generation || doubted) {
      this.parts.world.violate('I12', `invalid_client changed c${connection.index}`)
    }
  }

  async replaced(replacement: Replacement, outcome: ReplaceOutcome): Promise<void> {
    const { ledger, mint, seal, world } = this.parts
    const connection = ledger.byId.get(replacement.connection)
    if (connection === undefined || outcome.kind !== 'replaced') return
    this.closeGrant(connection)
    const sealed = replacement.credential.refreshToken
    const token = sealed === null ? undefined : mint.refreshOf(seal.see(sealed) ?? '')
    if (token === undefined) throw new Error('a consent without a token')
    connection.consents += 1
    token.family.place = connection.consents
    connection.stored = token
    connection.family = token.family
    connection.heldSince = world.now
    connection.excuse = null
    connection.rolledBackFrom = null
    connection.grantedTo = null
    await this.changed(replacement.connection, 'replaced')
  }

  async disconnected(request: Disconnect, outcome: DisconnectOutcome): Promise<void> {
    const connection = this.parts.ledger.byId.get(request.connection)
    if (connection === undefined || outcome.kind !== 'disconnected') return
    this.closeGrant(connection)
    connection.disconnectedAt = this.parts.world.now
    await this.changed(request.connection, 'disconnected')
  }

  async patched(id: string): Promise<void> {
    const connection = this.parts.ledger.byId.get(id)
    if (connection === undefined) return
    const before = connection.row.credential
    await this.changed(id, 'patch')
    if (connection.row.credential.generation !== before.generation) this.parts.world.violate('I7', `a patch changed the credential of c${connection.index}`)
  }

  async reclaimed(node: { readonly id: string }): Promise<void> {
    for (const connection of this.parts.ledger.connections) {
      if (connection.row.credential.lease?.owner === node.id) await this.changed(connection.id, 'reclaimed')
    }
  }

  /** Reads the row again, in the instant of the change. */
  async changed(id: string, what: string): Promise<void> {
    const { ledger, world } = this.parts
    const connection = ledger.byId.get(id)
    if (connection === undefined) return
    const row = await this.parts.store().credentials.read(connection.id)
    if (row === undefined) return world.violate('I19', `c${connection.index} is gone`)
    const before = connection.row
    const { generation } = row.credential
    if (generation < before.credential.generation && connection.excuse === null)
      world.violate('I2', `generation of c${connection.index} fell from ${before.credential.generation} to ${generation}`)
    if (before.connection.state === 'disconnected' && connection.excuse === null && row.connection.state !== 'disconnected')
      world.violate('I13', `c${connection.index} came back after its disconnect`)
    connection.row = row
    if (connection.rolledBackFrom !== null && generation >= connection.rolledBackFrom) connection.rolledBackFrom = null
    connection.durable = Math.max(connection.durable, generation)
    world.note(generation)
    if (world.tracing)
      world.say(`c${connection.index} ${what}: gen ${generation} ${row.connection.state}${row.credential.suspicion === null ? '' : ' suspect'}`)
  }

  // What else becomes durable, and what leaves.

  journaled(_life: Life, record: JournalRecord): void {
    const { ledger } = this.parts
    const presentation = ledger.byIntent.get(record.intent)
    if (presentation !== undefined) presentation.journaled = true
    const connection = record.subject.kind === 'connection' ? ledger.byId.get(record.subject.id) : undefined
    if (connection !== undefined) connection.durable = Math.max(connection.durable, record.generation + 1)
  }

  served(life: Life, served: Served, answer: TokenAnswer): void {
    checkServed(this.parts, life, served, answer)
  }

  revoked(token: string): void {
    const refresh = this.parts.mint.refreshOf(token)
    if (refresh === undefined) return
    for (const [intent, connection] of this.#late) if (connection.index === refresh.family.connection) this.#late.delete(intent)
  }

  /** A process ended: what only it knew is destroyed. */
  died(life: Life): void {
    for (const presentation of this.parts.ledger.presentations) {
      if (presentation.node !== life.identity.id || presentation.incarnation !== life.number || presentation.concluded) continue
      presentation.abandoned = true
      const inHand = presentation.learned === 'granted' || (presentation.learned === 'unread' && presentation.arrived)
      if (inHand && !presentation.journaled) this.destroyed(presentation, 'the process died with it')
    }
  }

  /** SIGTERM was obeyed: everything that was answered is durable, and the exit code says where. */
  exited(life: Life, onlyInJournal: number): void {
    const { ledger, world } = this.parts
    for (const presentation of ledger.presentations) {
      if (presentation.node !== life.identity.id || presentation.incarnation !== life.number || presentation.concluded || presentation.learned !== 'granted')
        continue
      if (!presentation.journaled || onlyInJournal === 0) {
        world.violate('I14', `${life.identity.id} ended well with an answer that is not durable`)
        this.destroyed(presentation, 'the process ended with it')
      }
    }
  }

  /** Every row is what it was some time ago; what was acknowledged since is nowhere but in the nodes. */
  wentBack(store: Store): void {
    for (const connection of this.parts.ledger.connections) void this.#back(store, connection)
  }

  async #back(store: Store, connection: ConnectionTruth): Promise<void> {
    const { mint, seal, world } = this.parts
    const row = await store.credentials.read(connection.id)
    if (row === undefined) return world.violate('world', `c${connection.index} is not in the copy`)
    const before = connection.row
    connection.row = row
    const sealed = row.credential.refreshToken
    const token = sealed === null ? undefined : mint.refreshOf(seal.see(sealed) ?? '')
    if (token !== undefined) Object.assign(connection, { stored: token, family: token.family })
    if (before.connection.state !== row.connection.state || row.credential.generation < before.credential.generation)
      connection.excuse = 'the database went back in time'
    const [was, is] = [before.credential, row.credential]
    if (was.suspicion?.intent !== is.suspicion?.intent || was.intent?.id !== is.intent?.id) connection.excuse = 'the database forgot a presentation'
    if (row.credential.generation < before.credential.generation) connection.rolledBackFrom = before.credential.generation
    if (row.connection.state !== 'disconnected') connection.disconnectedAt = null
  }

  /** An operator has said that this is the newest database there is. */
  async confirmed(): Promise<void> {
    for (const connection of this.parts.ledger.connections) {
      connection.rolledBackFrom = null
      await this.changed(connection.id, 'confirmed')
    }
  }

  diskLost(record: JournalRecord): void {
    const presentation = this.parts.ledger.byIntent.get(record.intent)
    if (presentation !== undefined && !presentation.concluded) this.destroyed(presentation, 'the disk with its record was lost')
  }

  // The end.

  /** Counts one consent that is over, or still held at the end of the seed. */
  closeGrant(connection: ConnectionTruth): void {
    const { ledger, world } = this.parts
    ledger.grantMs += world.now - connection.heldSince
    lossOf(this.parts, connection)
  }

  lateAnswers(): readonly ConnectionTruth[] {
    return [...this.#late.values()]
  }

  /** I7, I8 and I13 at the very end: nothing that was read is without a place, no lease outlived its time, every late answer was revoked. */
  finish(): void {
    const { ledger, world } = this.parts
    for (const presentation of ledger.presentations) {
      const { learned, concluded, destroyed, carried, token, id, readAt } = presentation
      const settled = readAt !== null && readAt + IN_HAND_MS <= world.now
      if (learned === 'granted' && carried !== null && !concluded && destroyed === null && settled)
        world.violate('I7', `answer ${id} of c${token.family.connection} was read and is nowhere`)
    }
    for (const connection of ledger.connections) {
      const { lease } = connection.row.credential
      if (lease !== null && lease.until < EPOCH + world.now - LEASE_SLACK_MS)
        world.violate('I8', `c${connection.index}: a lease of ${lease.owner} ended ${EPOCH + world.now - lease.until} ms ago and is still there`)
    }
    // A failover may have taken the disconnect back: then the answer is its newest, or lost with the database.
    for (const [intent, connection] of this.#late)
      if (connection.site.revokeUrl !== null && connection.disconnectedAt !== null && ledger.byIntent.get(intent)?.token.family.end === null)
        world.violate('I13', `the late answer ${intent} of c${connection.index} was never revoked`)
  }

  honoured(connection: ConnectionTruth): boolean {
    return connection.stored !== null && wouldHonour(connection.stored, this.parts.world.now)
  }
}
