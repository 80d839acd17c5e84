/** The words of the query language, as GET events takes them. `values`: what is offered after the colon. */
const FIELDS: readonly { readonly name: string; readonly explained: string; readonly values?: readonly string[] }[] = [
  { name: 'connection', explained: 'Id of a connection' },
  { name: 'owner', explained: 'Whose connection it is' },
  {
    name: 'code',
    explained: 'Fault code',
    values: [
      'connection_revoked',
      'connection_expired',
      'client_rejected',
      'provider_unavailable',
      'provider_rate_limited',
      'outcome_unknown',
      'scope_missing',
    ],
  },
  { name: 'provider', explained: 'Catalogue id, as in github' },
  {
    name: 'type',
    explained: 'Kind of event; a star at the end takes the rest',
    values: [
      'connection.*',
      'connection.refreshed',
      'connection.needs_reauth',
      'connection.refresh_failed',
      'connection.reconnected',
      'connect.*',
      'integration.*',
      'agent.*',
      'installation.*',
      'recovery.*',
      'session.*',
      'user.*',
      'api_key.*',
      'alert.*',
      'webhook.*',
    ],
  },
  { name: 'actor', explained: 'Who did it', values: ['user', 'api_key', 'system', 'agent', 'cli'] },
  { name: 'subject', explained: 'Id of what it is about' },
  { name: 'agent', explained: 'Id of an agent' },
  { name: 'after', explained: 'From this day or time on' },
  { name: 'before', explained: 'Up to this day or time' },
]

interface Suggestion {
  /** What stands in the place of the word at the caret. */
  readonly text: string
  readonly explained: string
}

export interface Completion {
  /** Where the word at the caret begins and ends. */
  readonly from: number
  readonly to: number
  readonly suggestions: readonly Suggestion[]
}

/** What may be meant by the word at the caret. `known`: values that the page has seen, by field. Pure. */
export function completionAt(query: string, caret: number, known: Readonly<Record<string, readonly string[]>> = {}): Completion {
  const from = query.slice(0, caret).search(/\S*$/)
  const to = caret + (/^\S*/.exec(query.slice(caret))?.[0].length ?? 0)
  const word = query.slice(from, caret)
  const minus = word.startsWith('-') ? '-' : ''
  const [name = '', value] = word.slice(minus.length).split(/:(.*)/s)
  if (value === undefined) {
    const fields = FIELDS.filter((field) => field.name.startsWith(name.toLowerCase()))
    return { from, to, suggestions: fields.map((field) => ({ text: `${minus}${field.name}:`, explained: field.explained })) }
  }
  const field = FIELDS.find((each) => each.name === name)
  if (field === undefined) return { from, to, suggestions: [] }
  const values = [...new Set([...(field.values ?? []), ...(known[name] ?? [])])].filter((each) => each.startsWith(value) && each !== value)
  return { from, to, suggestions: values.slice(0, 8).map((each) => ({ text: `${minus}${name}:${quoted(each)}`, explained: field.explained })) }
}

const quoted = (value: string): string => (/\s/.test(value) ? `"${value}"` : value)

/** The query with a suggestion in the place of the word, and where the caret stands then. A finished word gets a space behind it. */
export function completed(query: string, { from, to }: Completion, { text }: Suggestion): { readonly query: string; readonly caret: number } {
  const end = text.endsWith(':') || query[to] === ' ' ? '' : ' '
  return { query: query.slice(0, from) + text + end + query.slice(to), caret: from + text.length + end.length }
}

/** The query with one more word, or as it is where it has it already. */
export function withWord(query: string, word: string): string {
  const words = query.split(/\s+/).filter(Boolean)
  return words.includes(word) ? query : [...words, word].join(' ')
}
