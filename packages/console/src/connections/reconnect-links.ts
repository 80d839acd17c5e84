import type { BulkResult } from '../api/console-operations.ts'
import { countWords, numberWords } from '../time/words.ts'

interface Links {
  /** A line for each: the connection, and its link. Empty: there is none, and what was copied before stays. */
  readonly text: string
  /** What became of them once they are copied. */
  readonly said: string
}

/** The links of a bulk action, ready to be sent. */
export function linksOf({ results }: Pick<BulkResult, 'results'>): Links {
  const lines = results.flatMap(({ connection_id: id, url }) => (url ? [`${id}\t${url}`] : []))
  const refused = results.filter(({ outcome }) => outcome === 'refused')
  const why = refused.length === 0 ? '' : `. ${numberWords(refused.length)} refused: ${refused[0]?.detail ?? 'no reason was given'}`
  const made = lines.length === 0 ? 'There was no link to copy' : `Copied ${countWords(lines.length, 'reconnect link')}`
  return { text: lines.join('\n'), said: `${made}${why}` }
}
