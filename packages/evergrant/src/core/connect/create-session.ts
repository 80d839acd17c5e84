import type { Actor } from '../audit/event.ts'
import type { Integration } from '../connection/integration.ts'
import { Fault } from '../fault/fault.ts'
import { type ConnectionId, newId, type OrganizationId } from '../ids.ts'
import { isNamedByBrowser } from '../provider/account.ts'
import { isMachineGrant } from '../provider/grant-kind.ts'
import type { ProviderRecord } from '../provider/record.ts'
import { choicesFor, namedIntegration } from './choices.ts'
import { connectEvent } from './connect-event.ts'
import type { ConnectPorts } from './connect-ports.ts'
import type { CompletionMode, ConnectSession } from './connect-sessions.ts'
import { CONNECT_TIMES } from './connect-times.ts'
import { checkVariables } from './flow-variables.ts'
import { randomToken } from './random-token.ts'
import { allowedReturnUrl } from './return-url.ts'

export interface SessionRequest {
  readonly organization: OrganizationId
  readonly actor: Actor
  /** Slug or id. Null at a reconnect, which knows it from the connection; else the end user chooses among `choices`. */
  readonly integration: string | null
  /** Slugs or ids that the end user may choose; absent: every integration that people can connect and whose return URLs have this one. */
  readonly choices?: readonly string[]
  /** Opaque to us. Null at a reconnect. */
  readonly owner: string | null
  readonly mode: CompletionMode
  readonly returnUrl: string | null
  /** Instead of the integration's; null takes those. */
  readonly scopes: readonly string[] | null
  readonly variables: Readonly<Record<string, string>>
  /** The connection to repair. */
  readonly connection: ConnectionId | null
}

export interface CreatedSession {
  readonly session: ConnectSession
  /** Where the end user goes. Holds the link token, which is nowhere stored. */
  readonly url: string
}

interface Subject {
  readonly integration: Integration
  readonly owner: string
  readonly connection: ConnectionId | null
  readonly account: string | null
  readonly variables: Readonly<Record<string, string>>
  readonly choices?: readonly Integration['id'][]
}

const LONGEST_OWNER = 255

/** Makes the permission to run one connect or reconnect flow. @throws Fault `invalid_request`, `not_found`, `connection_disconnected` */
export async function createSession(request: SessionRequest, ports: ConnectPorts): Promise<CreatedSession> {
  const { session, token } = await prepareSession(request, ports)
  await storeSession(session, request.actor, ports)
  return { session, url: `${ports.publicUrl}/connect/${token}` }
}

/** The session as it would be stored; nothing is. @throws Fault as {@link createSession} */
export async function prepareSession(
  request: SessionRequest,
  ports: ConnectPorts,
  token = randomToken(ports.entropy),
): Promise<{ readonly session: ConnectSession; readonly token: string }> {
  const subject = request.connection === null ? await newSubject(request, ports) : await knownSubject(request, request.connection, ports)
  const record = ports.providers.get(subject.integration.provider)
  if (record === undefined)
    throw new Fault('client_rejected', { detail: `The provider "${subject.integration.provider}" of this integration is not in the catalogue.` })
  if (isMachineGrant(record.grant)) throw needsNoBrowser(record, subject.connection)
  checkMode(request, subject, record)
  return { session: newSession(request, subject, record, token, ports), token }
}

export function storeSession(session: ConnectSession, actor: Actor, ports: ConnectPorts): Promise<void> {
  return ports.sessions.insert(session, connectEvent({ type: 'connect.session_created', actor, session, data: { mode: session.mode } }, ports))
}

async function newSubject(request: SessionRequest, ports: ConnectPorts): Promise<Subject> {
  const choices = request.integration === null ? await choicesFor(request, ports) : []
  const integration = choices[0] ?? (await namedIntegration(request.organization, request.integration ?? '', '/integration', ports))
  const owner = request.owner ?? ''
  if (owner.trim() === '' || owner.length > LONGEST_OWNER) {
    throw new Fault('invalid_request', {
      field: '/owner',
      detail: `\`owner\` says whose grant this will be, in your own words (a user id): 1 to ${LONGEST_OWNER} characters.`,
    })
  }
  const known = { integration, owner, connection: null, account: null, variables: {} }
  return request.integration === null ? { ...known, choices: choices.map(({ id }) => id) } : known
}

async function knownSubject(request: SessionRequest, id: ConnectionId, ports: ConnectPorts): Promise<Subject> {
  const connection = (await ports.connections.get(request.organization, id))?.connection
  if (connection === undefined) throw new Fault('not_found', { field: 'id', detail: `There is no connection ${id} in this organization.` })
  if (connection.state === 'disconnected') throw new Fault('connection_disconnected')
  const integration = await ports.integrations.get(request.organization, connection.integration)
  if (integration === undefined) throw new Fault('not_found', { detail: 'The integration of this connection does not exist any more.' })
  return { integration, owner: connection.owner, connection: id, account: connection.account, variables: connection.variables }
}

function needsNoBrowser(record: ProviderRecord, connection: ConnectionId | null): Fault {
  const remedy = connection === null ? 'Send its `credentials` to POST connections.' : `Send new ones to PUT connections/${connection}/credentials.`
  return new Fault('invalid_request', { field: connection === null ? '/integration' : 'id', detail: `${record.name} asks nobody in a browser. ${remedy}` })
}

function checkMode(request: SessionRequest, subject: Subject, record: ProviderRecord): void {
  if (request.mode === 'signed_in') return
  if (request.mode === 'verified') {
    if (request.returnUrl !== null) return
    throw new Fault('invalid_request', {
      field: '/return_url',
      detail: "Mode `verified` needs `return_url`: the completion code is delivered only in the browser's redirect to it.",
    })
  }
  if (subject.connection === null)
    throw new Fault('invalid_request', {
      field: '/mode',
      detail: 'Mode `link` only repairs an existing connection. Use `verified` or `signed_in` to make a new one.',
    })
  if (subject.account === null) {
    throw new Fault('invalid_request', {
      field: '/mode',
      detail: "Mode `link` needs a connection whose account at the provider is known; this one's is not. Use `verified`.",
    })
  }
  if (isNamedByBrowser(record))
    throw new Fault('invalid_request', {
      field: '/mode',
      detail: `${record.name} names the account in the browser's address alone, where anybody with the link could change it. Use \`verified\` with \`return_url\`, or \`signed_in\`.`,
    })
}

function newSession(request: SessionRequest, subject: Subject, record: ProviderRecord, token: string, ports: ConnectPorts): ConnectSession {
  const now = ports.clock.wall()
  return {
    id: newId('cs', ports.entropy),
    organization: request.organization,
    integration: subject.integration.id,
    owner: subject.owner,
    mode: request.mode,
    connection: subject.connection,
    tokenHash: ports.seal.digest(token),
    state: 'open',
    scopes: request.scopes,
    returnUrl: request.returnUrl === null ? null : allowedReturnUrl(request.returnUrl, subject.integration.settings.returnUrls),
    createdAt: now,
    expiresAt: now + (subject.connection === null ? CONNECT_TIMES.linkMs : CONNECT_TIMES.reconnectLinkMs),
    flow: null,
    staged: null,
    fault: null,
    result: null,
    variables: { ...subject.variables, ...checkVariables(request.variables, record) },
    ...(subject.choices === undefined ? {} : { choices: subject.choices }),
  }
}
