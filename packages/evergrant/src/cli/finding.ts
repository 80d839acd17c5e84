/** One thing that `doctor` looked at. */
export interface Finding {
  readonly name: string
  readonly ok: boolean
  readonly detail: string
  /** What to do; null when there is nothing to do. */
  readonly remedy: string | null
}

export const fine = (name: string, detail: string): Finding => ({ name, ok: true, detail, remedy: null })
export const problem = (name: string, detail: string, remedy: string): Finding => ({ name, ok: false, detail, remedy })
