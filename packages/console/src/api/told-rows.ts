import { system } from '../system.ts'

interface Row {
  readonly id: string
  readonly updated_at: string
}

/** Longer than an answer is under way. */
const KEPT_MS = 30_000
const told = new Map<string, { readonly row: Row; readonly at: number }>()

/** The stream told of this row. An answer that was made before, and comes after, does not put an older one in its place. */
export function noteTold(row: Row): void {
  const now = system.now()
  told.delete(row.id)
  told.set(row.id, { row, at: now })
  for (const [id, { at }] of told) {
    if (now - at <= KEPT_MS) return
    told.delete(id)
  }
}

/** An answer in which no connection is older than what was told of it in the last seconds. */
export function withTold<Answer>(operation: string, answer: Answer): Answer {
  if (operation === 'GET /api/v1/connections/{id}') return newestOf(answer as Answer & Row)
  if (operation !== 'GET /api/v1/connections') return answer
  const page = answer as Answer & { readonly items: readonly Row[] }
  return { ...page, items: page.items.map(newestOf) }
}

function newestOf<Read extends Row>(row: Read): Read {
  const known = told.get(row.id)
  return known === undefined || system.now() - known.at > KEPT_MS || known.row.updated_at <= row.updated_at ? row : (known.row as Read)
}
