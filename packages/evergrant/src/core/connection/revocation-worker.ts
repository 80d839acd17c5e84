import { type NewEvent, SYSTEM_ACTOR } from '../audit/event.ts'
import { Fault } from '../fault/fault.ts'
import { newId } from '../ids.ts'
import type { JsonObject } from '../json.ts'
import type { Log } from '../log.ts'
import type { ProviderContext } from '../provider/context.ts'
import { isRenewedGrant } from '../provider/grant-kind.ts'
import { contextOf } from '../provider/grant-request.ts'
import { readKept } from '../provider/own-credentials.ts'
import { revokeRequest } from '../provider/token-request.ts'
import type { ProviderRequest, WireOutcome } from '../provider/wire.ts'
import type { Credentials, GrantRow } from '../refresh/credentials.ts'
import { credentialContext } from '../refresh/new-credential.ts'
import { type Seal, SealError } from '../seal/seal.ts'
import { type Clock, type Entropy, HOUR, MINUTE, SECOND } from '../time.ts'
import type { Connections, Revocation } from './connections.ts'

export interface RevocationPorts {
  readonly connections: Pick<Connections, 'byAccount' | 'takeDueRevocations' | 'finishRevocation' | 'retryRevocation'>
  readonly credentials: Pick<Credentials, 'read'>
  /** Endpoints resolved and client secret opened for a connection. @throws Fault */
  readonly contextOf: (row: GrantRow) => Promise<ProviderContext>
  /** One request, one answer; never rejects. */
  readonly sendRequest: (request: ProviderRequest) => Promise<WireOutcome>
  readonly seal: Pick<Seal, 'openText'>
  readonly clock: Clock
  readonly entropy: Entropy
  readonly log: Log
}

const BATCH = 20
const VISIBILITY_MS = 2 * MINUTE
const FIRST_RETRY_MS = 30 * SECOND
const LONGEST_RETRY_MS = 6 * HOUR
/** About five days of trying. */
const MAX_ATTEMPTS = 28

type Outcome =
  | { readonly kind: 'done'; readonly data: JsonObject }
  | { readonly kind: 'failed'; readonly data: JsonObject }
  | { readonly kind: 'retry'; readonly reason: string }

/**
 * Tells providers about ended connections. The connection is disconnected already and stays so; this is the courtesy
 * that follows, kept in the database until the provider has answered. Returns how many were tried.
 */
export async function runRevocations(ports: RevocationPorts): Promise<number> {
  const due = await ports.connections.takeDueRevocations(BATCH, VISIBILITY_MS)
  for (const revocation of due) await runRevocation(ports, revocation)
  return due.length
}

/** One of them, and what came of it: `retry` means that it waits for its next time. */
export async function runRevocation(ports: RevocationPorts, revocation: Revocation): Promise<Outcome['kind']> {
  const outcome = await attempt(ports, revocation).catch(retryable)
  if (outcome.kind === 'retry' && revocation.attempts < MAX_ATTEMPTS) {
    const waitMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(revocation.attempts, 16)) * (0.5 + ports.entropy.uniform() / 2)
    ports.log.warn({ connection: revocation.connection, attempts: revocation.attempts, reason: outcome.reason }, 'upstream revocation will be tried again')
    await ports.connections.retryRevocation(revocation.id, ports.clock.wall() + Math.round(waitMs))
    return 'retry'
  }
  const data = outcome.kind === 'retry' ? { reason: outcome.reason, attempts: revocation.attempts } : outcome.data
  await ports.connections.finishRevocation(revocation.id, event(ports, revocation, outcome.kind === 'done', data))
  return outcome.kind === 'done' ? 'done' : 'failed'
}

async function attempt(ports: RevocationPorts, revocation: Revocation): Promise<Outcome> {
  const row = await ports.credentials.read(revocation.connection)
  if (row === undefined) return { kind: 'failed', data: { reason: 'the connection is gone' } }
  const own = await ports.contextOf(row)
  const held = revocation.staged ?? row.credential
  const open = (column: 'access_token' | 'refresh_token', sealed: Uint8Array | null): string | null =>
    sealed === null ? null : ports.seal.openText(sealed, credentialContext(revocation.organization, revocation.connection, held.generation, column))
  const { context, refreshToken } = presentable(own, open('refresh_token', held.refreshToken))
  const accessToken = open('access_token', held.accessToken)
  const request = revokeRequest(context, { accessToken, refreshToken, account: row.connection.account })
  if (request === null) return { kind: 'failed', data: { reason: 'no token that this provider can revoke is held' } }
  // Asked last: between the disconnect and now may lie days of trying.
  if (context.record.revoke?.reach === 'grant' && (await siblingLives(ports, row)))
    return { kind: 'failed', data: { reason: 'the account was connected again, and revoking would end that connection, too' } }
  return judge(await ports.sendRequest(request))
}

/** A live connection of the same account: its grant is this one, at a provider that keeps one grant for an account. */
async function siblingLives({ connections }: RevocationPorts, { connection }: GrantRow): Promise<boolean> {
  const { organization, integration, account } = connection
  if (account === null) return false
  const same = await connections.byAccount(organization, integration, account)
  return same.some((other) => other.connection.id !== connection.id && other.connection.state !== 'disconnected')
}

/** What a grant without a browser keeps are credentials: they authenticate the client, and are never sent as a token. */
function presentable(context: ProviderContext, kept: string | null): { readonly context: ProviderContext; readonly refreshToken: string | null } {
  const { grant } = context.record
  if (!isRenewedGrant(grant)) return { context, refreshToken: kept }
  return { context: contextOf(context, { grant, credentials: readKept(kept ?? '') }), refreshToken: null }
}

function judge(outcome: WireOutcome): Outcome {
  if (outcome.kind !== 'answered') return { kind: 'retry', reason: outcome.cause }
  const { status } = outcome.answer
  // RFC 7009 section 2.2: 200 also for a token that is dead already; others answer 400, 401 or 404 to say the same.
  if (status < 300) return { kind: 'done', data: { status } }
  if (status === 408 || status === 429 || status >= 500) return { kind: 'retry', reason: `status ${status}` }
  return { kind: 'failed', data: { status } }
}

function retryable(error: unknown): Outcome {
  if (error instanceof Fault || error instanceof SealError) return { kind: 'retry', reason: error.code }
  throw error
}

function event(ports: RevocationPorts, revocation: Revocation, done: boolean, data: JsonObject): NewEvent {
  return {
    id: newId('evt', ports.entropy),
    organization: revocation.organization,
    type: done ? 'connection.revocation_done' : 'connection.revocation_failed',
    at: ports.clock.wall(),
    actor: SYSTEM_ACTOR,
    connection: revocation.connection,
    subject: revocation.id,
    data,
  }
}
