import type { IncomingMessage, ServerResponse } from 'node:http'
import { Fault } from '../core/fault/fault.ts'
import type { OpenLine, TokenEndpoint } from '../core/provider/wire.ts'
import type { SpanAttributes, Tracing } from '../core/tracing.ts'
import type { Scope, Scopes } from './scopes.ts'
import { readTraceparent, type SpanSource } from './spans.ts'

/** Calls of the store that are phases of a refresh get its words. */
const PHASES: Readonly<Record<string, string>> = {
  'credentials.claim': 'refresh.claim',
  'credentials.commitGrant': 'refresh.commit',
  'credentials.commitFailure': 'refresh.commit',
}

/** Opens spans below whatever runs. */
export class NodeTracing implements Tracing {
  readonly #source: SpanSource
  readonly #scopes: Scopes
  readonly #requests = new WeakMap<IncomingMessage, Scope>()

  constructor(source: SpanSource, scopes: Scopes) {
    this.#source = source
    this.#scopes = scopes
  }

  span<Value>(name: string, attributes: SpanAttributes, run: () => Promise<Value>): Promise<Value> {
    return this.#around(name, 'internal', attributes, run)
  }

  /** A call of the store. Where nothing is being traced it begins no trace: a queue that is looked at every second tells nobody anything. */
  call<Value>(part: string, method: string, run: () => Promise<Value>): Promise<Value> {
    const name = `${part}.${method}`
    const phase = PHASES[name]
    if (this.#scopes.current().span === null && phase === undefined) return run()
    return this.#around(phase ?? `store ${name}`, 'client', { 'db.operation.name': name }, run)
  }

  /** A request at a provider. Nothing of the trace travels with it: whom we trace is nobody's business there. */
  endpoint(endpoint: TokenEndpoint): TokenEndpoint {
    return {
      open: async (url, options): Promise<OpenLine> => {
        const facts = { 'server.address': new URL(url).host }
        const line = await this.#around('refresh.connect', 'client', facts, () => endpoint.open(url, options))
        return {
          send: (request, deadlineMs) => this.#around('refresh.exchange', 'client', facts, () => line.send(request, deadlineMs)),
          close: () => line.close(),
        }
      },
    }
  }

  /** Around everything that answers a request. */
  request(request: IncomingMessage, response: ServerResponse, handle: () => void): void {
    const { method = 'GET' } = request
    const span = this.#source.start(method, 'server', { 'http.request.method': method }, readTraceparent(request.headers.traceparent))
    const scope = { request: null, span }
    this.#requests.set(request, scope)
    response.once('close', () => {
      const { statusCode } = response
      span.set({ 'http.response.status_code': statusCode })
      span.end(statusCode >= 500 ? `http_${statusCode}` : null)
    })
    this.#scopes.within(scope, handle)
  }

  /** The span of a request, once its route is known. The path of a route, never the path that was asked for: that may hold a ticket. */
  routed(request: IncomingMessage, id: string, route: string): Scope {
    const span = this.#requests.get(request)?.span ?? null
    span?.rename(`${request.method ?? 'GET'} ${route}`)
    span?.set({ 'http.route': route, 'evergrant.request_id': id })
    return { request: id, span }
  }

  close(): Promise<void> {
    return this.#source.close()
  }

  async #around<Value>(name: string, kind: 'client' | 'internal', attributes: SpanAttributes, run: () => Promise<Value>): Promise<Value> {
    const span = this.#source.start(name, kind, attributes, this.#scopes.current().span)
    try {
      const value = await this.#scopes.within({ span }, run)
      span.end()
      return value
    } catch (error) {
      span.end(error instanceof Fault ? error.code : error instanceof Error ? error.name : 'error')
      throw error
    }
  }
}
