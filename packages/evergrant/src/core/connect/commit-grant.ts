import type { Actor } from '../audit/event.ts'
import type { GrantReplacement, NewConnection } from '../connection/connections.ts'
import type { NewCredential } from '../connection/credential.ts'
import { newConnection } from '../connection/new-connection.ts'
import { Fault } from '../fault/fault.ts'
import type { ConnectionId } from '../ids.ts'
import type { Reuse } from '../provider/reuse.ts'
import { reuseOf } from '../provider/reuse-of.ts'
import type { GrantRow } from '../refresh/credentials.ts'
import { dueAfter } from '../refresh/due.ts'
import { type GrantEnd, grantEnd } from '../refresh/grant-lifetime.ts'
import { credentialContext, type GrantedTokens, newCredential } from '../refresh/new-credential.ts'
import { renewsItself } from '../refresh/own-renewal.ts'
import { isReusable, protocolTimes } from '../refresh/protocol-times.ts'
import { openPresentation } from '../refresh/suspicion.ts'
import { type Instant, SECOND } from '../time.ts'
import { warnNearCap } from './account-limits.ts'
import { connectEvent } from './connect-event.ts'
import type { ConnectPorts } from './connect-ports.ts'
import { connectionOf } from './connect-target.ts'
import { CONNECT_TIMES } from './connect-times.ts'
import type { FlowContext } from './flow-context.ts'
import type { HeldGrant } from './staged-grant.ts'

export interface GrantToCommit {
  readonly flowing: FlowContext
  readonly grant: HeldGrant
  /** The connection to repair; null for a new one. */
  readonly target: ConnectionId | null
  readonly actor: Actor
}

/**
 * Creates or repairs the connection. Repeating it is harmless: a grant that is already stored, or that a newer consent
 * has overtaken, is never stored again over what was refreshed since. @throws Fault `connection_disconnected`, `refresh_in_progress`
 */
export async function commitGrant(commit: GrantToCommit, ports: ConnectPorts): Promise<ConnectionId> {
  if (commit.target !== null) return repair(commit, commit.target, ports)
  const id = connectionOf(commit.flowing.session)
  const { organization } = commit.flowing.session
  if ((await ports.connections.get(organization, id)) !== undefined) return id
  try {
    const outcome = await ports.connections.insert(firstGrant(commit, id, ports))
    if (outcome.kind !== 'inserted') return await repair(commit, outcome.connection, ports)
    await warnNearCap(commit.flowing, commit.grant.account, id, ports)
    return id
  } catch (error) {
    // A twin of this request may have inserted the same id meanwhile.
    if ((await ports.connections.get(organization, id)) !== undefined) return id
    throw error
  }
}

/** The connection that a consent makes, for `Connections.insert`. */
export function firstGrant(commit: GrantToCommit, id: ConnectionId, ports: ConnectPorts): NewConnection {
  const { flowing, grant, actor } = commit
  const { session } = flowing
  const now = ports.clock.wall()
  const credential = credentialFor(commit, id, 1, grant.tokens, ports)
  const { organization, integration, owner, variables } = session
  const { account, accountLabel, scopes, facts, obtainedAt: consentedAt } = grant
  const told = { account, accountLabel, scopes, variables, facts, consentedAt }
  const connection = newConnection(now, { id, organization, integration, owner, ...told, lastReadAt: now })
  const event = connectEvent({ type: 'connection.created', actor, session, connection: id, data: { account: grant.account, generation: 1 } }, ports)
  return { connection, credential, dueAt: dueAt(flowing, credential, ports), end: endOf(flowing, grant, credential, ports), event }
}

async function repair(commit: GrantToCommit, id: ConnectionId, ports: ConnectPorts): Promise<ConnectionId> {
  const { organization } = commit.flowing.session
  for (;;) {
    const row = await atRest(commit, () => ports.connections.get(organization, id), ports)
    if (row === undefined || row.connection.state === 'disconnected') throw new Fault('connection_disconnected')
    if (overtaken(row.connection.consentedAt, commit.grant.obtainedAt, ports.clock.wall())) return id
    const outcome = await ports.connections.replaceGrant(replacement(commit, row, ports))
    if (outcome.kind === 'replaced') return id
    if (outcome.kind === 'gone') throw new Fault('connection_disconnected')
  }
}

/**
 * The row that this consent would replace, once nobody presents the refresh token that goes on in it: the answer may bring the next one, and would find
 * its credential replaced. @throws Fault `refresh_in_progress` when that lasts; the same request may be repeated
 */
export async function atRest(
  commit: Pick<GrantToCommit, 'flowing' | 'grant'>,
  read: () => Promise<GrantRow | undefined>,
  ports: Pick<ConnectPorts, 'clock' | 'timers'>,
): Promise<GrantRow | undefined> {
  const { clock, timers } = ports
  const until = clock.mono() + CONNECT_TIMES.twinWaitMs
  for (;;) {
    const row = await read()
    if (row === undefined || !goesOn(row, commit) || isReusable(reuseIn(commit)) || !isUnderWay(row, clock.wall())) return row
    if (clock.mono() >= until) throw new Fault('refresh_in_progress', { retryAt: clock.wall() + SECOND })
    await timers.sleep(CONNECT_TIMES.twinPollMs)
  }
}

/** Nothing is under way for longer, whatever became of who sent it; an instant as far in the future was written by a wrong clock. */
function isUnderWay({ credential: { intent, generation } }: GrantRow, now: Instant): boolean {
  return intent !== null && intent.generation === generation && Math.abs(now - intent.at) < protocolTimes().orphanWaitMs
}

function reuseIn({ flowing: { context, integration } }: Pick<GrantToCommit, 'flowing'>): Reuse {
  return reuseOf(context.record, integration.settings)
}

/** This very consent is stored, or a newer one is. A stored consent from the future was written by a wrong clock and proves nothing. */
export function overtaken(stored: Instant | null, offered: Instant, now: Instant): boolean {
  return stored !== null && (stored === offered || (stored > offered && stored <= now))
}

/** What a consent puts in the place of a stored grant, for `Connections.replaceGrant`. */
export function replacement(commit: GrantToCommit, row: GrantRow, ports: ConnectPorts): GrantReplacement {
  const { flowing, grant, actor } = commit
  const { session } = flowing
  const { connection } = row
  const generation = row.credential.generation + 1
  const credential = credentialFor(commit, connection.id, generation, keptTokens(row, commit, ports), ports)
  return {
    organization: session.organization,
    connection: connection.id,
    expectedGeneration: row.credential.generation,
    ...(goesOn(row, commit) ? { onlyAtEpoch: row.credential.epoch } : {}),
    credential,
    account: grant.account ?? connection.account,
    accountLabel: grant.accountLabel ?? connection.accountLabel,
    scopes: grant.scopes,
    variables: { ...connection.variables, ...session.variables },
    facts: { ...connection.facts, ...grant.facts },
    consentedAt: grant.obtainedAt,
    dueAt: dueAt(flowing, credential, ports),
    end: endOf(flowing, grant, credential, ports),
    event: connectEvent({ type: 'connection.reconnected', actor, session, connection: connection.id, data: { generation, was: connection.state } }, ports),
  }
}

/**
 * Some providers give a refresh token only at the first consent. While the grant is alive, the one we hold goes on
 * working, and a second consent without a new one must not cost it.
 */
function goesOn({ connection, credential }: GrantRow, { flowing, grant }: Pick<GrantToCommit, 'flowing' | 'grant'>): boolean {
  const { record } = flowing.context
  return grant.tokens.refreshToken === null && credential.refreshToken !== null && connection.state === 'active' && !renewsItself(record)
}

/** One that may be spent is not presented as though nothing had happened. */
function keptTokens(row: GrantRow, commit: GrantToCommit, ports: ConnectPorts): GrantedTokens {
  const { connection, credential } = row
  const { tokens } = commit.grant
  const mayBeSpent = openPresentation(credential) !== null && !isReusable(reuseIn(commit))
  if (!goesOn(row, commit) || credential.refreshToken === null || mayBeSpent) return tokens
  const place = credentialContext(connection.organization, connection.id, credential.generation, 'refresh_token')
  return {
    ...tokens,
    refreshToken: ports.seal.openText(credential.refreshToken, place),
    refreshExpiresAt: tokens.refreshExpiresAt ?? credential.refreshExpiresAt,
  }
}

function credentialFor(commit: GrantToCommit, connection: ConnectionId, generation: number, tokens: GrantedTokens, ports: ConnectPorts) {
  const { session, integration, context } = commit.flowing
  return newCredential(
    {
      organization: session.organization,
      connection,
      generation,
      tokens,
      obtainedAt: commit.grant.obtainedAt,
      record: context.record,
      settings: integration.settings,
    },
    ports.seal,
    ports.entropy,
  )
}

function dueAt(flowing: FlowContext, credential: ReturnType<typeof newCredential>, ports: ConnectPorts) {
  const { integration, context } = flowing
  const now = ports.clock.wall()
  // Consent counts as interest: somebody is about to use this.
  return dueAfter({
    credential,
    settings: integration.settings,
    lifetimes: context.record.lifetimes,
    reuse: reuseIn({ flowing }),
    lastReadAt: now,
    now,
  })
}

/** Every lifetime starts anew with a consent. */
function endOf({ context }: FlowContext, { obtainedAt, grantExpiresAt }: HeldGrant, credential: NewCredential, ports: ConnectPorts): GrantEnd {
  return grantEnd({ record: context.record, consentedAt: obtainedAt, credential, before: null, grantExpiresAt, now: ports.clock.wall() })
}
