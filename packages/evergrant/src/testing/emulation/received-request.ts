/** A request as it came to an emulated provider. */
export interface Received {
  readonly method: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly query: Readonly<Record<string, string>>
  readonly body: Readonly<Record<string, string>>
  readonly text: string
  /** Path and query as they came. */
  readonly target: string
}

/** Who the provider knows. */
export interface Client {
  readonly id: string
  readonly secret: string
}
