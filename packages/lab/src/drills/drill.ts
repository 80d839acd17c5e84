/** One drill: reads its own options, prints as it goes, and ends with one JSON object. */
export interface Drill {
  /** After `npm run drill -- <name>`: its options, a line each. */
  readonly help: string
  /** Resolves with true when everything that must be zero is. @throws UsageError for options that cannot be read */
  readonly run: (args: string[], say: (line: string) => void) => Promise<boolean>
}
