/** One change of one source file. `find` stands in it exactly once. */
export interface Edit {
  /** Below `packages/evergrant/src`. */
  readonly file: string
  readonly find: string
  readonly replace: string
}

/** A rule of the protocol taken out of the real source while it is loaded; the files themselves carry no switch. */
export interface Mutant {
  readonly name: string
  /** What it does wrong, in a clause. */
  readonly does: string
  readonly edits: readonly Edit[]
  /** The directed scenario that must notice. */
  readonly scenario: string
}
