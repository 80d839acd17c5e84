import type { AuditEvent } from '../../core/audit/event.ts'
import type { EventFilter } from '../../core/audit/events.ts'
import type { ConnectService } from '../../core/connect/connect-service.ts'
import type { Connection, ConnectionStatus } from '../../core/connection/connection.ts'
import type { Page, PageRequest } from '../../core/connection/connections.ts'
import type { Integration } from '../../core/connection/integration.ts'
import { statusOf } from '../../core/connection/status.ts'
import { Fault, type FaultCode } from '../../core/fault/fault.ts'
import type { ConnectSessionId, OrganizationId } from '../../core/ids.ts'
import { idPattern } from '../../core/ids.ts'
import type { GrantRow } from '../../core/refresh/credentials.ts'
import type { RefreshEngine, TokenAnswer } from '../../core/refresh/refresh-engine.ts'
import type { Clock, Instant } from '../../core/time.ts'

/** What the page can make happen at the practice provider, for the account that granted. */
interface PracticeHands {
  /** Where its own page is, for the curious; null when it has none. */
  readonly url: string | null
  /** The access token stops working there, before its time. */
  expire(account: string): void | Promise<void>
  /** The owner takes the whole grant back. */
  revoke(account: string): void | Promise<void>
}

interface TryItPorts {
  readonly organization: OrganizationId
  /** An integration of the practice provider, with {@link tryItReturnUrl} among its return URLs. */
  readonly integration: string
  readonly publicUrl: string
  readonly connect: Pick<ConnectService, 'create' | 'complete'>
  readonly engine: Pick<RefreshEngine, 'token' | 'refresh'>
  readonly integrations: { bySlug(organization: OrganizationId, slug: string): Promise<Integration | undefined> }
  readonly connections: { byOwner(organization: OrganizationId, integration: Integration['id'], owner: string): Promise<readonly GrantRow[]> }
  readonly events: { list(organization: OrganizationId, filter: EventFilter, page: PageRequest): Promise<Page<AuditEvent>> }
  readonly practice: PracticeHands
  readonly clock: Clock
}

/** What the page shows. The token never leaves whole. */
export interface TryItView {
  readonly owner: string
  readonly connection: Connection | null
  readonly status: ConnectionStatus | null
  readonly fault: { readonly code: FaultCode; readonly providerCode: string | null } | null
  readonly generation: number | null
  readonly token: { readonly masked: string; readonly expiresAt: Instant | null } | null
  readonly events: readonly AuditEvent[]
  readonly now: Instant
  readonly practiceUrl: string | null
}

/** The application that the development page plays: it connects, reads tokens and reconnects through the same doors as any. */
export interface TryIt {
  view(): Promise<TryItView>
  /** Answers the address of the connect page. */
  connect(): Promise<string>
  reconnect(): Promise<string>
  /** The application's own callback. */
  returned(session: string, code: string): Promise<void>
  refresh(): Promise<void>
  /** What an application does after an API answered 401: asks again, naming the generation that was refused. */
  askAgain(): Promise<void>
  expireAtProvider(): Promise<void>
  revokeAtProvider(): Promise<void>
  /** The same for whoever takes the console's tour: the grants of this owner at the practice provider. */
  revokeOf(owner: string): Promise<void>
}

const OWNER = 'ada@example.com'
const SESSION_ID = new RegExp(idPattern('cs'))
const ACTOR = { kind: 'system', id: 'try-it' } as const

export function tryItReturnUrl(publicUrl: string): string {
  return `${publicUrl}/try/return`
}

export function createTryIt(ports: TryItPorts): TryIt {
  const { organization, engine, connect } = ports
  const integration = async () => {
    const found = await ports.integrations.bySlug(organization, ports.integration)
    if (found === undefined) throw new Fault('not_found', { detail: `There is no integration "${ports.integration}".` })
    return found
  }
  const current = async (): Promise<GrantRow | undefined> => {
    const rows = await ports.connections.byOwner(organization, (await integration()).id, OWNER)
    return rows.find((row) => row.connection.state !== 'disconnected')
  }
  const needed = async (): Promise<GrantRow> => {
    const row = await current()
    if (row === undefined) throw new Fault('not_found', { detail: 'There is no connection yet. Connect first.' })
    return row
  }
  const open = async (row: GrantRow | null) => {
    const common = { organization, actor: ACTOR, mode: 'verified', returnUrl: tryItReturnUrl(ports.publicUrl), scopes: null, variables: {} } as const
    const own =
      row === null ? { integration: ports.integration, owner: OWNER, connection: null } : { integration: null, owner: null, connection: row.connection.id }
    return (await connect.create({ ...common, ...own })).url
  }
  return {
    view: async () => tryItView(await current(), await integration(), ports),
    connect: () => open(null),
    reconnect: async () => open(await needed()),
    returned: async (session, code) => {
      if (!isSessionId(session)) throw new Fault('invalid_request')
      await connect.complete({ organization, actor: ACTOR, session, code, owner: OWNER })
    },
    refresh: async () => void (await engine.refresh(organization, (await needed()).connection.id)),
    askAgain: async () => {
      const { connection, credential } = await needed()
      await engine.token({ organization, connection: connection.id, minTtlMs: 0, rejectedGeneration: credential.generation })
    },
    expireAtProvider: async () => ports.practice.expire((await needed()).connection.account ?? ''),
    revokeAtProvider: async () => ports.practice.revoke((await needed()).connection.account ?? ''),
    revokeOf: async (owner) => {
      const rows = await ports.connections.byOwner(organization, (await integration()).id, owner)
      for (const { connection } of rows) if (connection.account !== null) await ports.practice.revoke(connection.account)
    },
  }
}

function isSessionId(text: string): text is ConnectSessionId {
  return SESSION_ID.test(text)
}

async function tryItView(row: GrantRow | undefined, integration: Integration, ports: TryItPorts): Promise<TryItView> {
  const now = ports.clock.wall()
  const events = row === undefined ? [] : (await ports.events.list(ports.organization, { connection: row.connection.id }, { limit: 20, cursor: null })).items
  const common = { owner: OWNER, events, now, practiceUrl: ports.practice.url }
  if (row === undefined) return { ...common, connection: null, status: null, fault: null, generation: null, token: null }
  const { connection, credential } = row
  const token = connection.state === 'active' ? await readToken(row, ports) : null
  return {
    ...common,
    connection,
    status: statusOf(row, integration, now),
    fault: connection.fault === null ? null : { code: connection.fault.code, providerCode: connection.fault.evidence.providerCode },
    generation: token?.generation ?? credential.generation,
    token: token === null ? null : { masked: masked(token.accessToken), expiresAt: token.expiresAt },
  }
}

/** The page is there to show trouble, not to fail with it. */
async function readToken({ connection }: GrantRow, ports: TryItPorts): Promise<TokenAnswer | null> {
  try {
    return await ports.engine.token({ organization: ports.organization, connection: connection.id, minTtlMs: 0, rejectedGeneration: null })
  } catch (error) {
    if (error instanceof Fault) return null
    throw error
  }
}

/** Both ends of a long token, so that a renewal is visible; never enough of a short one. */
function masked(token: string): string {
  const dots = '\u2022'.repeat(10)
  return token.length < 24 ? dots : `${token.slice(0, 4)}${dots}${token.slice(-4)}`
}
