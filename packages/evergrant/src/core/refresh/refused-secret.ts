import type { StoredFault } from '../connection/connection.ts'
import { Fault } from '../fault/fault.ts'
import type { ConnectionId } from '../ids.ts'
import { echoedSecrets } from '../provider/own-credentials.ts'
import { readSecretCheck, type SecretCheck, secretCheckRequest } from '../provider/secret-check.ts'
import { type Instant, SECOND } from '../time.ts'
import type { FailureCommit, GrantRow } from './credentials.ts'
import { deathReport, endHeld } from './death-watch.ts'
import type { EngineWorld } from './engine-ports.ts'
import type { GrantContext } from './grant-contexts.ts'
import { endWithoutAnswer } from './grant-end.ts'
import { credentialContext } from './new-credential.ts'
import { countsFrom, doubtOf, newDoubt, worthOf } from './secret-reports.ts'
import { askBeside } from './side-request.ts'

/**
 * What became of "the API refused this secret". `works`: the provider itself takes it, the refusal was about something else.
 * `doubted`: nothing proves it, and this report alone ends nothing. `held`: too many ended at once, see the death watch. `moved`:
 * there is a newer one.
 */
type Refusal =
  | { readonly kind: 'ended' }
  | { readonly kind: 'works' }
  | { readonly kind: 'held' | 'cannot_tell' | 'doubted'; readonly until: Instant }
  | { readonly kind: 'moved' }

const NOBODY = 'nobody in particular'
/** Doubts that this process knows of; beyond it the oldest is forgotten, and a success lifts it no more. */
const MOST_DOUBTED = 10_000

/**
 * Static secrets whose callers say that an API refused them. Nothing can be renewed, and the word of one caller would end a connection
 * for all of them: where the record knows a call that proves the secret, the provider decides; elsewhere it takes two reports that do
 * not depend on each other, see `worthOf`. One question a connection at a time.
 */
export class RefusedSecrets {
  readonly #world: EngineWorld
  readonly #asking = new Map<ConnectionId, Promise<Refusal>>()
  /** When an API last took the secret, of those that are in doubt. */
  readonly #worked = new Map<ConnectionId, Instant | null>()

  constructor(world: EngineWorld) {
    this.#world = world
  }

  look(row: GrantRow, context: GrantContext, reporter: string = NOBODY): Promise<Refusal> {
    const { id } = row.connection
    const asking = this.#asking.get(id)
    if (asking !== undefined) return asking
    const started = this.#refusal(row, context, reporter)
    this.#asking.set(id, started)
    const forget = () => void this.#asking.delete(id)
    started.then(forget, forget)
    return started
  }

  /** On the hot path of the proxy: a doubt that stands is over. */
  worked(connection: ConnectionId): void {
    if (this.#worked.has(connection)) this.#worked.set(connection, this.#world.clock.wall())
  }

  async #refusal(row: GrantRow, context: GrantContext, reporter: string): Promise<Refusal> {
    const world = this.#world
    const check = await ask(world, row, context)
    if (check !== null || endHeld(row)) return concluded(world, row, check)
    const { id } = row.connection
    const now = world.clock.wall()
    const doubt = doubtOf(row, this.#worked.get(id) ?? null, now)
    if (!this.#worked.has(id)) this.#remember(id)
    const worth = worthOf(doubt, reporter, now)
    if (worth === 'agreed') return concluded(world, row, null)
    if (worth === 'again' && doubt !== null) return { kind: 'doubted', until: Math.max(now, countsFrom(doubt)) }
    const outcome = await world.credentials.commitFailure(doubting(world, row, newDoubt(reporter, now)))
    return outcome.kind === 'moved' ? { kind: 'moved' } : { kind: 'doubted', until: countsFrom({ at: now }) }
  }

  #remember(id: ConnectionId): void {
    const oldest = this.#worked.size >= MOST_DOUBTED ? this.#worked.keys().next().value : undefined
    if (oldest !== undefined) this.#worked.delete(oldest)
    this.#worked.set(id, null)
  }
}

/** The turn of a secret whose end is held. Null: the record knows no call that proves it, so there is nothing new to learn. @throws Fault, SealError */
export async function probeSecret(world: EngineWorld, row: GrantRow, context: GrantContext): Promise<Refusal | null> {
  const check = await ask(world, row, context)
  return check === null ? null : concluded(world, row, check)
}

/** What its caller is told of a secret that has not ended; null when it has. */
export function refusalFault(refusal: Refusal, now: Instant): Fault | null {
  switch (refusal.kind) {
    case 'ended':
      return null
    case 'works':
      return new Fault('upstream_token_refused', { detail: 'the provider accepts the stored secret in its own check: the refusal is about something else' })
    case 'doubted':
      return new Fault('upstream_token_refused', {
        retryAt: refusal.until,
        detail:
          'nothing proves that the stored secret is refused: another caller, or a call through the proxy, has to see it as well, at least ten minutes after the first report. Replace it with PUT connections/{id}/credentials if you know that it is wrong',
      })
    case 'held':
      return new Fault('deaths_held', { retryAt: refusal.until })
    case 'cannot_tell':
      return new Fault('provider_unavailable', {
        retryAt: refusal.until,
        detail: 'the API refused the secret, and the provider could not be asked whether it still works',
      })
    case 'moved':
      return new Fault('refresh_in_progress', { retryAt: now + SECOND, detail: 'the credentials were replaced meanwhile: read them again' })
  }
}

/** `check` null: two reports agree. */
async function concluded(world: EngineWorld, row: GrantRow, check: SecretCheck | null): Promise<Refusal> {
  if (check?.kind === 'works') return { kind: 'works' }
  if (check?.kind === 'cannot_tell') return { kind: 'cannot_tell', until: world.clock.wall() + world.times.backoffBaseMs }
  const now = world.clock.wall()
  // Without evidence it would look like an end by the clock, see `endedByClockAlone`.
  const { httpStatus, code, text } = check?.said ?? { httpStatus: null, code: 'told_by_callers', text: null }
  const fault: StoredFault = {
    code: 'new_credentials_needed',
    at: now,
    evidence: { intent: null, httpStatus, providerCode: code, providerText: text, answerHash: null },
  }
  const outcome = await world.credentials.commitFailure(ending(world, row, fault, check === null ? 'callers' : 'provider'))
  if (outcome.kind === 'held') return { kind: 'held', until: now + world.times.heldProbeMs }
  return outcome.kind === 'moved' ? { kind: 'moved' } : { kind: 'ended' }
}

/** The doubt for people, and nothing else: the secret is served as before. */
function doubting(world: EngineWorld, row: GrantRow, fault: StoredFault): FailureCommit {
  const data = { told_by: 'caller', reporter: fault.evidence.providerText }
  const commit = endWithoutAnswer(world, row, { fault, subject: row.connection.integration, data, death: null })
  return { ...commit, effect: 'untouched', dueAt: row.health.dueAt, event: commit.event === null ? null : { ...commit.event, type: 'connection.suspect' } }
}

/** Null: the record knows no call that proves it. @throws Fault, SealError */
async function ask(world: EngineWorld, { connection, credential }: GrantRow, context: GrantContext): Promise<SecretCheck | null> {
  if (credential.accessToken === null) return null
  const provider = await world.contexts.provider(context, connection.variables, connection.facts)
  const secret = world.seal.openText(credential.accessToken, credentialContext(connection.organization, connection.id, credential.generation, 'access_token'))
  const request = secretCheckRequest(provider, secret, credential.tokenType)
  return request === null ? null : readSecretCheck(provider, await askBeside(world, request), echoedSecrets(secret, credential.tokenType))
}

function ending(world: EngineWorld, row: GrantRow, fault: StoredFault, by: 'callers' | 'provider'): FailureCommit {
  const { integration } = row.connection
  const { httpStatus, providerText } = fault.evidence
  return endWithoutAnswer(world, row, {
    fault,
    subject: integration,
    data: { told_by: by, http_status: httpStatus, provider_text: providerText },
    death: deathReport({ row, fault, refreshes: world.answered.count(integration, world.clock.mono()) }, world.times, world.entropy),
  })
}
