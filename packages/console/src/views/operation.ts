export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }
export type Nothing = { readonly [key: string]: never }

/** What goes into an operation and what comes out when it succeeds. */
export interface Operation<Query, Body, Answer> {
  readonly query: Query
  readonly body: Body
  readonly answer: Answer
}

export interface Page<Item> {
  readonly items: readonly Item[]
  readonly cursor: string | null
}
export interface PageQuery {
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
}
