export type SpanAttributes = Readonly<Record<string, string | number | boolean>>

/** Where time goes. Attributes are ids, codes and numbers: never a token, never what a person wrote. */
export interface Tracing {
  /** Calls `run` in this same turn and hands on what it gives; a rejection marks the span and is passed on. */
  span<Value>(name: string, attributes: SpanAttributes, run: () => Promise<Value>): Promise<Value>
}
