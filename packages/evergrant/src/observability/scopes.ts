import { AsyncLocalStorage } from 'node:async_hooks'
import type { OpenSpan } from './spans.ts'

/** Which request is being answered, and which span is open. */
export interface Scope {
  readonly request: string | null
  readonly span: OpenSpan | null
}

const NOWHERE: Scope = { request: null, span: null }

/** The scope of whatever runs now, through promises and timers. Background work has none. */
export class Scopes {
  readonly #storage = new AsyncLocalStorage<Scope>()

  current(): Scope {
    return this.#storage.getStore() ?? NOWHERE
  }

  within<Value>(change: Partial<Scope>, run: () => Value): Value {
    return this.#storage.run({ ...this.current(), ...change }, run)
  }

  /** For every line of the log. */
  facts(): Readonly<Record<string, string>> {
    const { request, span } = this.current()
    return { ...(request === null ? {} : { request }), ...(span === null ? {} : { trace_id: span.traceId, span_id: span.spanId }) }
  }
}
