import type { StoredFault } from '../connection/connection.ts'
import type { ConnectionId } from '../ids.ts'
import { echoedSecrets } from '../provider/own-credentials.ts'
import { readSecretCheck, type SecretCheck, secretCheckRequest } from '../provider/secret-check.ts'
import { NotSent, type ProviderRequest, type WireOutcome } from '../provider/wire.ts'
import type { Instant } from '../time.ts'
import type { FailureCommit, GrantRow } from './credentials.ts'
import { deathReport } from './death-watch.ts'
import type { EngineWorld } from './engine-ports.ts'
import type { GrantContext } from './grant-contexts.ts'
import { endWithoutAnswer } from './grant-end.ts'
import { credentialContext } from './new-credential.ts'

/**
 * What became of "the API refused this secret". `works`: the provider itself takes it, the refusal was about something else.
 * `held`: too many ended at once, see the death watch. `moved`: there is a newer one.
 */
export type Refusal =
  | { readonly kind: 'ended' }
  | { readonly kind: 'works' }
  | { readonly kind: 'held' | 'cannot_tell'; readonly until: Instant }
  | { readonly kind: 'moved' }

/**
 * Static secrets whose callers say that an API refused them. Nothing can be renewed, and the word of one caller ends a connection
 * for all of them: where the record knows a call that proves the secret, the provider decides. One question a connection at a time.
 */
export class RefusedSecrets {
  readonly #world: EngineWorld
  readonly #asking = new Map<ConnectionId, Promise<Refusal>>()

  constructor(world: EngineWorld) {
    this.#world = world
  }

  look(row: GrantRow, context: GrantContext): Promise<Refusal> {
    const { id } = row.connection
    const asking = this.#asking.get(id)
    if (asking !== undefined) return asking
    const started = refusalOf(this.#world, row, context)
    this.#asking.set(id, started)
    const forget = () => void this.#asking.delete(id)
    started.then(forget, forget)
    return started
  }
}

/** The turn of a secret whose end is held. Null: the record knows no call that proves it, so there is nothing new to learn. @throws Fault, SealError */
export async function probeSecret(world: EngineWorld, row: GrantRow, context: GrantContext): Promise<Refusal | null> {
  const check = await ask(world, row, context)
  return check === null ? null : concluded(world, row, check)
}

async function refusalOf(world: EngineWorld, row: GrantRow, context: GrantContext): Promise<Refusal> {
  return concluded(world, row, await ask(world, row, context))
}

/** `check` null: there is the caller's word alone. */
async function concluded(world: EngineWorld, row: GrantRow, check: SecretCheck | null): Promise<Refusal> {
  if (check?.kind === 'works') return { kind: 'works' }
  if (check?.kind === 'cannot_tell') return { kind: 'cannot_tell', until: world.clock.wall() + world.times.backoffBaseMs }
  const now = world.clock.wall()
  // Without evidence it would look like an end by the clock, see `endedByClockAlone`.
  const { httpStatus, code, text } = check?.said ?? { httpStatus: null, code: 'told_by_caller', text: null }
  const fault: StoredFault = {
    code: 'new_credentials_needed',
    at: now,
    evidence: { intent: null, httpStatus, providerCode: code, providerText: text, answerHash: null },
  }
  const outcome = await world.credentials.commitFailure(ending(world, row, fault, check === null ? 'caller' : 'provider'))
  if (outcome.kind === 'held') return { kind: 'held', until: now + world.times.heldProbeMs }
  return outcome.kind === 'moved' ? { kind: 'moved' } : { kind: 'ended' }
}

/** Null: the record knows no call that proves it. @throws Fault, SealError */
async function ask(world: EngineWorld, { connection, credential }: GrantRow, context: GrantContext): Promise<SecretCheck | null> {
  if (credential.accessToken === null) return null
  const provider = await world.contexts.provider(context, connection.variables, connection.facts)
  const secret = world.seal.openText(credential.accessToken, credentialContext(connection.organization, connection.id, credential.generation, 'access_token'))
  const request = secretCheckRequest(provider, secret, credential.tokenType)
  return request === null ? null : readSecretCheck(provider, await send(world, request), echoedSecrets(secret, credential.tokenType))
}

async function send({ endpoint, times }: EngineWorld, request: ProviderRequest): Promise<WireOutcome> {
  try {
    const line = await endpoint.open(request.url, { pooled: true, certificate: request.certificate })
    return await line.send(request, times.callerWaitMs)
  } catch (error) {
    if (error instanceof NotSent) return { kind: 'not_sent', cause: error.reason }
    throw error
  }
}

function ending(world: EngineWorld, row: GrantRow, fault: StoredFault, by: 'caller' | 'provider'): FailureCommit {
  const { integration } = row.connection
  const { httpStatus, providerText } = fault.evidence
  return endWithoutAnswer(world, row, {
    fault,
    subject: integration,
    data: { told_by: by, http_status: httpStatus, provider_text: providerText },
    death: deathReport({ row, fault, refreshes: world.answered.count(integration, world.clock.mono()) }, world.times, world.entropy),
  })
}
