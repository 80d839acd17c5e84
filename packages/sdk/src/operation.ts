/** A value of JSON. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

export type Nothing = { readonly [key: string]: never }

/** What goes into an operation and what comes out when it succeeds. */
export interface Operation<Query, Body, Answer> {
  readonly query: Query
  readonly body: Body
  readonly answer: Answer
}
