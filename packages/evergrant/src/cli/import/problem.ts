/** Why one line was not imported. It never holds a value of the line: that may be a token. */
export interface LineProblem {
  /** The field of a grant, as the API names it; null when the line as a whole is meant. */
  readonly field: string | null
  /** The column that fills it, where there is one. */
  readonly column: string | null
  readonly code: string
  /** What is wrong and what to do. */
  readonly detail: string
}
