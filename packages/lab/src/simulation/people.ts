import { Fault, newCredential, type TokenAnswer } from '../../../evergrant/src/engine.ts'
import type { Oracle } from './invariants/oracle.ts'
import type { ConnectionTruth } from './ledger.ts'
import type { Weather } from './profile.ts'
import { endFamily } from './provider-truth.ts'
import type { Random } from './random.ts'
import { event, type Ground } from './scenery.ts'
import { mustNotTell } from './sim-log.ts'
import type { Running, SimNode } from './sim-node.ts'
import { EPOCH } from './world.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

interface PeopleParts extends Ground {
  readonly weather: Weather
  readonly oracle: Oracle
  readonly nodes: readonly SimNode[]
}

interface Rhythm {
  readonly everyMs: number
  readonly activeMs: number
  readonly idleMs: number
}

/** Everybody who uses the connections: readers, and owners who change their minds. */
export class People {
  asked = 0
  served = 0
  readonly #parts: PeopleParts
  readonly #random: Random
  readonly #revoking: Random
  readonly #moments: Random
  readonly #reconnecting = new Set<number>()
  readonly #reported = new Map<number, number>()
  readonly #setAside = new Set<number>()

  constructor(parts: PeopleParts) {
    this.#parts = parts
    this.#random = parts.world.streams.of('people')
    this.#moments = parts.world.streams.of('fault w')
    this.#revoking = parts.world.streams.of('fault x')
  }

  begin(): void {
    const { ledger, weather } = this.#parts
    for (const connection of ledger.connections) {
      const everyMs = Math.round(2 * MINUTE * 120 ** this.#random.uniform())
      const rhythm: Rhythm = {
        everyMs,
        activeMs: this.#random.between(1, 12) * HOUR,
        idleMs: this.#random.chance(0.5) ? 0 : this.#random.between(1, 30) * HOUR,
      }
      this.#keepReading(connection, rhythm, this.#random.between(0, HOUR))
      this.#keepChanging(connection)
      if (weather.enabled('x')) this.#keepRevoking(connection)
    }
  }

  #keepReading(connection: ConnectionTruth, rhythm: Rhythm, startedAt: number): void {
    const { world } = this.#parts
    const sinceStart = world.now - startedAt
    const over = sinceStart > rhythm.activeMs
    const waitMs = over ? rhythm.idleMs + 1 : this.#random.exponential(rhythm.everyMs)
    world.after(waitMs, () => {
      if (this.#setAside.has(connection.index)) return
      if (connection.disconnectedAt === null || this.#random.chance(0.1)) this.#visit(connection)
      this.#keepReading(connection, rhythm, over ? world.now : startedAt)
    })
  }

  #visit(connection: ConnectionTruth): void {
    const random = this.#random
    const crowd = random.chance(0.05) ? random.between(2, 15) : 1
    const minTtlMs = random.chance(0.1) ? random.between(1, 20) * MINUTE : 0
    for (let caller = 0; caller < crowd; caller++) this.ask(connection, { minTtlMs, rejectedGeneration: null })
    if (random.chance(0.01)) this.#askAsStranger(connection)
    if (connection.row.connection.state === 'needs_reauth') this.#reconnectLater(connection)
  }

  /** One read of a token, at whichever node the balancer picks. */
  ask(
    connection: ConnectionTruth,
    want: { readonly minTtlMs: number; readonly rejectedGeneration: number | null },
    then?: (answer: TokenAnswer | null) => void,
  ): void {
    const running = this.#anyNode()
    if (running === null) return then?.(null)
    const { life, engine } = running
    const { oracle, world } = this.#parts
    life.later(1, () => {
      this.asked += 1
      const askedAt = world.now
      const request = { organization: connection.organization, connection: connection.id, ...want }
      const got = (answer: TokenAnswer) => {
        this.served += 1
        oracle.served(life, { connection, askedAt, rejectedGeneration: want.rejectedGeneration }, answer)
        this.#use(connection, answer)
        then?.(answer)
      }
      running.reads.hint(world.now)
      const remembered = engine.peek(request)
      if (remembered !== undefined) return got(remembered)
      engine.token(request).then(got, (error: unknown) => {
        this.#refused(error, `a token of c${connection.index}`)
        then?.(null)
      })
    })
  }

  #refused(error: unknown, what: string): void {
    const { world } = this.#parts
    if (!(error instanceof Fault)) return world.violate('defect', `${what}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
    world.noteText(error.code)
    world.count(`refused ${error.code}`)
    mustNotTell(world, `${error.message} ${error.details.detail ?? ''}`, 'a problem')
    if (world.tracing) world.say(`${what} refused: ${error.code}`)
  }

  #askAsStranger(connection: ConnectionTruth): void {
    const running = this.#anyNode()
    const stranger = this.#parts.ledger.connections.find((one) => one.organization !== connection.organization)
    if (running === null || stranger === undefined) return
    const request = { organization: stranger.organization, connection: connection.id, minTtlMs: 0, rejectedGeneration: null }
    const { world } = this.#parts
    running.life.later(1, () => {
      if (running.engine.peek(request) !== undefined) return world.violate('I19', `another organization read c${connection.index} from memory`)
      running.engine.token(request).then(
        () => world.violate('I19', `another organization read c${connection.index}`),
        (error: unknown) => {
          if (error instanceof Fault && error.code !== 'not_found' && error.code !== 'store_unavailable')
            world.violate('I19', `another organization learned ${error.code} of c${connection.index}`)
        },
      )
    })
  }

  /** Takes the token to the provider's API; whoever gets a 401 says so, and often all at once. */
  #use(connection: ConnectionTruth, answer: TokenAnswer): void {
    const { provider, world } = this.#parts
    if (!this.#random.chance(0.5)) return
    world.after(this.#random.between(5, 400), () => {
      const access = provider.mint.accessOf(answer.accessToken)
      if (access === undefined || provider.use(access)) return
      if (this.#reported.get(connection.index) === answer.generation) return
      this.#reported.set(connection.index, answer.generation)
      const crowd = this.#random.between(1, 6)
      for (let caller = 0; caller < crowd; caller++) this.ask(connection, { minTtlMs: 0, rejectedGeneration: answer.generation })
    })
  }

  #keepChanging(connection: ConnectionTruth): void {
    const { world, weather } = this.#parts
    world.after(this.#random.exponential(weather.has('w') ? 4 * HOUR : 30 * HOUR), () => {
      if (weather.calm) return
      this.change(connection)
      this.#keepChanging(connection)
    })
  }

  /** An owner or an operator does something, whatever is going on. */
  change(connection: ConnectionTruth): void {
    const running = this.#anyNode()
    if (running === null || connection.disconnectedAt !== null) return
    const dice = this.#random.uniform()
    if (dice < 0.4) this.#force(running, connection)
    else if (dice < 0.55) this.#patch(running, connection)
    else if (dice < 0.75) this.#pause(running, connection)
    else if (dice < 0.95) this.#reconnect(connection)
    else this.#disconnect(running, connection)
  }

  /** Comes exactly now. */
  intrude(connection: ConnectionTruth): void {
    const { weather, world } = this.#parts
    if (!weather.has('w') || !this.#moments.chance(weather.profile.chance.w)) return
    world.count('fault w')
    world.after(0, () => this.change(connection))
  }

  #force({ life, engine }: Running, connection: ConnectionTruth): void {
    life.later(1, () => {
      engine.refresh(connection.organization, connection.id).catch((error: unknown) => this.#refused(error, `a forced refresh of c${connection.index}`))
    })
  }

  #patch({ store, life }: Running, connection: ConnectionTruth): void {
    life.later(1, () => {
      const patch = { metadata: { changed: this.#parts.world.now } }
      this.#try(
        store.connections.patch(
          connection.organization,
          connection.id,
          patch,
          null,
          event(this.#parts, connection.organization, 'connection.updated', connection.id),
        ),
      )
    })
  }

  #pause({ store, life }: Running, connection: ConnectionTruth): void {
    const { organization, id } = connection
    life.later(1, () => this.#try(store.connections.setPaused(organization, id, true, null, event(this.#parts, organization, 'connection.paused', id))))
    this.#parts.world.after(this.#random.exponential(20 * MINUTE), () => this.resume(connection))
  }

  /** Until it is done: nobody forgets what they paused. */
  resume(connection: ConnectionTruth): void {
    const { world } = this.#parts
    const running = this.#anyNode()
    const { organization, id } = connection
    if (connection.row.connection.state !== 'paused') return
    if (running === null) return void world.after(5_000, () => this.resume(connection))
    const { softAt } = connection.row.credential
    running.life.later(1, () =>
      this.#try(
        running.store.connections.setPaused(organization, id, false, softAt ?? EPOCH + world.now, event(this.#parts, organization, 'connection.resumed', id)),
      ),
    )
    world.after(30_000, () => this.resume(connection))
  }

  /**
   * For the calm hours: of the connections that are well, all but `kept` are paused, and nobody reads them any more. Whatever
   * is in trouble stays, so that a crowd does not fill the calm with renewals that show nothing.
   */
  setAside(kept: number): void {
    const running = this.#anyNode()
    if (running === null) return void this.#parts.world.after(5_000, () => this.setAside(kept))
    const well = this.#parts.ledger.connections.filter(isWell)
    for (const { organization, id, index } of well.slice(kept)) {
      this.#setAside.add(index)
      running.life.later(1, () =>
        this.#try(running.store.connections.setPaused(organization, id, true, null, event(this.#parts, organization, 'connection.paused', id))),
      )
    }
  }

  #disconnect({ store, life, ports }: Running, connection: ConnectionTruth): void {
    const { organization, id, site } = connection
    life.later(1, () => {
      const revocation = site.revokeUrl === null ? null : { id: `rev_${ports.entropy.uuid()}` as const, perToken: true }
      this.#try(
        store.connections.disconnect({
          organization,
          connection: id,
          at: EPOCH + this.#parts.world.now,
          event: event(this.#parts, organization, 'connection.disconnected', id),
          revocation,
        }),
      )
    })
  }

  #reconnectLater(connection: ConnectionTruth): void {
    if (this.#reconnecting.has(connection.index)) return
    this.#reconnecting.add(connection.index)
    this.#parts.world.after(this.#random.exponential(HOUR), () => {
      this.#reconnecting.delete(connection.index)
      if (connection.row.connection.state === 'needs_reauth') this.#reconnect(connection)
    })
  }

  #reconnect(connection: ConnectionTruth): void {
    const { provider } = this.#parts
    if (connection.disconnectedAt !== null) return
    const consent = provider.consent(connection.site, connection.index, connection.owner)
    const consentedAt = EPOCH + this.#parts.world.now
    const attempt = (tries: number): void => {
      const running = this.#anyNode()
      const again = () => void this.#parts.world.after(2_000, () => attempt(tries + 1))
      if (tries > 20) return
      if (running === null) return again()
      running.life.later(1, () => {
        this.#replace(running, connection, consent, consentedAt).then((done) => {
          if (!done) again()
        }, again)
      })
    }
    attempt(0)
  }

  async #replace(
    { store, ports }: Running,
    connection: ConnectionTruth,
    consent: ReturnType<PeopleParts['provider']['consent']>,
    consentedAt: number,
  ): Promise<boolean> {
    const { organization, id, site } = connection
    const row = await store.credentials.read(id)
    if (row === undefined || row.connection.state === 'disconnected') return true
    // Applied before, and perhaps renewed since: a grant that has come further is never set back.
    if (row.connection.consentedAt === consentedAt) return true
    const generation = row.credential.generation + 1
    const tokens = {
      accessToken: consent.access.text,
      refreshToken: consent.refresh.text,
      tokenType: 'Bearer',
      accessExpiresAt: consentedAt + site.lifetimeMs,
      refreshExpiresAt: null,
    }
    const credential = newCredential(
      { organization, connection: id, generation, tokens, obtainedAt: consentedAt, record: site.record, settings: { marginMs: null } },
      ports.seal,
      ports.entropy,
    )
    const outcome = await store.connections.replaceGrant({
      organization,
      connection: id,
      expectedGeneration: row.credential.generation,
      credential,
      account: row.connection.account,
      accountLabel: null,
      scopes: null,
      variables: {},
      facts: {},
      consentedAt,
      dueAt: credential.softAt,
      event: event(this.#parts, organization, 'connection.reconnected', id),
    })
    return outcome.kind !== 'moved'
  }

  #keepRevoking(connection: ConnectionTruth): void {
    const { world, weather } = this.#parts
    world.after(this.#revoking.exponential(weather.profile.everyMs.x), () => {
      if (weather.calm) return
      world.count('fault x')
      endFamily(connection.family, 'user', world.now)
      this.#keepRevoking(connection)
    })
  }

  #try(work: Promise<unknown>): void {
    work.catch((error: unknown) => this.#refused(error, 'a change'))
  }

  #anyNode(): Running | null {
    const { nodes } = this.#parts
    const start = this.#random.between(0, nodes.length - 1)
    for (let step = 0; step < nodes.length; step++) {
      const node = nodes[(start + step) % nodes.length]
      if (node?.serving === true && node.running !== null) return node.running
    }
    return null
  }
}

/** Nothing of it is under way, in doubt, or in a line. */
function isWell({ row: { connection, credential, health }, excuse }: ConnectionTruth): boolean {
  const { suspicion, lease, intent } = credential
  const quiet = suspicion === null && lease === null && intent === null && health.failures === 0
  return quiet && connection.state === 'active' && connection.fault === null && health.dueAt !== null && excuse === null
}
