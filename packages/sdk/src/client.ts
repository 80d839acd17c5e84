import { type CallOptions, createTransport, type Transport, type TransportOptions } from './transport.ts'
import type { Operations } from './wire.ts'

type Operation = keyof Operations
type Answer<Name extends Operation> = Operations[Name]['answer']

export type Token = Answer<'GET /api/v1/connections/{id}/token'>
export type ConnectionPage = Answer<'GET /api/v1/connections'>
export type ConnectionFilter = Operations['GET /api/v1/connections']['query']
export type NewConnectSession = Operations['POST /api/v1/connect/sessions']['body']
export type ConnectSession = Answer<'POST /api/v1/connect/sessions'>
export type ConnectCompletion = Operations['POST /api/v1/connect/complete']['body']
export type CompletedConnect = Answer<'POST /api/v1/connect/complete'>

export interface TokenOptions extends CallOptions {
  /** Seconds that the token must still live; capped at half its lifetime. */
  readonly minTtl?: number
  /** The `generation` of the token that your API call was answered 401 with: refreshes only while it is still current. */
  readonly rejectedGeneration?: number
}

/** The same calls as the HTTP API. Every method rejects with {@link EvergrantError}. */
export interface EvergrantClient {
  readonly tokens: {
    /** The token of one owner at one integration. */
    byOwner(integration: string, owner: string, options?: TokenOptions): Promise<Token>
  }
  readonly connections: {
    /** A valid access token, refreshed if it must be. */
    token(id: string, options?: TokenOptions): Promise<Token>
    /** One page; pass its `cursor` for the next one. */
    list(filter?: ConnectionFilter, options?: CallOptions): Promise<ConnectionPage>
    /** A link that repairs this connection under the same id. */
    reconnect(id: string, options?: CallOptions & { readonly returnUrl?: string }): Promise<ConnectSession>
  }
  readonly connect: {
    /** A link for one end user: send the browser to its `url`. */
    createSession(session: NewConnectSession, options?: CallOptions): Promise<ConnectSession>
    /** Call it when the browser is back at your `return_url`, with the owner that your own sign-in says it belongs to. */
    complete(completion: ConnectCompletion, options?: CallOptions): Promise<CompletedConnect>
  }
}

/** A client for backends. Holds no state: share one, or make many. */
export function createClient(options: TransportOptions): EvergrantClient {
  const transport = createTransport(options)
  return { tokens: tokensOf(transport), connections: connectionsOf(transport), connect: connectOf(transport) }
}

function tokensOf(transport: Transport): EvergrantClient['tokens'] {
  return {
    byOwner: (integration, owner, options = {}) => transport.get('token', { integration, owner, ...tokenQuery(options) }, options),
  }
}

function connectionsOf(transport: Transport): EvergrantClient['connections'] {
  const path = (id: string, rest: string): string => `connections/${encodeURIComponent(id)}/${rest}`
  return {
    token: (id, options = {}) => transport.get(path(id, 'token'), tokenQuery(options), options),
    list: (filter = {}, options) => transport.get('connections', { ...filter }, options),
    reconnect: (id, { returnUrl, ...options } = {}) => transport.post(path(id, 'reconnect'), returnUrl === undefined ? {} : { return_url: returnUrl }, options),
  }
}

function connectOf(transport: Transport): EvergrantClient['connect'] {
  return {
    createSession: (session, options) => transport.post('connect/sessions', session, options),
    complete: (completion, options) => transport.post('connect/complete', completion, options),
  }
}

function tokenQuery({ minTtl, rejectedGeneration }: TokenOptions) {
  return { min_ttl: minTtl, rejected_generation: rejectedGeneration }
}
