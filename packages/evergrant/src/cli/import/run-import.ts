import type { JsonObject } from '../../core/json.ts'
import { type Api, itemsOf } from '../api.ts'
import { requireColumns } from './column-map.ts'
import { type ItemMaker, makeItem } from './make-item.ts'
import type { LineProblem } from './problem.ts'
import type { Report } from './report.ts'
import type { Source, SourceRow } from './source.ts'

/** What the API takes in one call. */
const BATCH = 500
/** Calls that wait behind the oldest: one is sealed while another is stored. More would only be held in memory. */
const AHEAD = 1

interface Prepared {
  readonly line: number
  readonly item: JsonObject
  readonly columns: ReadonlyMap<string, string>
}

/** One line on its way; what is wrong with it is told when its turn comes, so that problems stand in the order of their lines. */
type Entry = Prepared | { readonly line: number; readonly problem: LineProblem }

/** One line that the server took or knew. */
export interface Taken {
  readonly line: number
  readonly integration: string
  readonly connection: string
}

export interface Sending {
  readonly api: Api
  readonly source: Source
  readonly maker: ItemMaker
  readonly report: Report
  /** The query of the call: `dry_run=true&...`. */
  readonly query: string
}

/** Reads the source to its end; lines that cannot be taken are told and stop nothing. Yields what is in the server afterwards, in order. */
export async function* runImport(sending: Sending): AsyncIterable<readonly Taken[]> {
  const { report, source } = sending
  const underWay: Promise<Answered>[] = []
  let batch: Entry[] = []
  const send = (): void => {
    const call = sendBatch(sending, batch)
    // Somebody listens only when its turn has come.
    call.catch(() => {})
    underWay.push(call)
    batch = []
  }
  let unchecked = source.sameColumns === true
  for await (const row of source.rows()) {
    if (unchecked && 'values' in row) {
      requireColumns(row.values, sending.maker.mapping.columns)
      unchecked = false
    }
    report.tally.read += 1
    const entry = prepare(row, sending)
    if (entry !== null) batch.push(entry)
    if (batch.length === BATCH) send()
    while (underWay.length > AHEAD) yield await settled(underWay, report)
  }
  if (batch.length > 0) send()
  while (underWay.length > 0) yield await settled(underWay, report)
}

interface Answered {
  readonly batch: readonly Entry[]
  /** One for each grant that was sent, in their order. */
  readonly results: readonly JsonObject[]
}

async function sendBatch({ api, query }: Sending, batch: readonly Entry[]): Promise<Answered> {
  const sent = batch.flatMap((entry) => ('item' in entry ? [entry.item] : []))
  const results = sent.length === 0 ? [] : itemsOf(await api.call('POST', `connections/import?${query}`, sent))
  if (results.length !== sent.length) throw new Error(`${sent.length} grants were sent, and ${results.length} were answered`)
  return { batch, results }
}

/** The oldest batch under way, told in the order of its lines. */
async function settled(underWay: Promise<Answered>[], report: Report): Promise<readonly Taken[]> {
  const answered = await underWay.shift()
  if (answered === undefined) return []
  const taken = tell(answered, report)
  report.progress()
  return taken
}

function prepare(row: SourceRow, { maker, report }: Sending): Entry | null {
  if ('unreadable' in row) return { line: row.line, problem: { field: null, column: null, code: 'invalid_request', detail: row.unreadable } }
  const made = makeItem(row.values, maker)
  switch (made.kind) {
    case 'item':
      return { line: row.line, item: made.item, columns: made.columns }
    case 'skipped':
      report.tally.skipped += 1
      return null
    case 'problem':
      return { line: row.line, problem: made.problem }
  }
}

function tell({ batch, results }: Answered, report: Report): readonly Taken[] {
  const taken: Taken[] = []
  let next = 0
  for (const entry of batch) {
    const result = 'item' in entry ? results[next++] : undefined
    const kind = result?.['result']
    if ('item' in entry && (kind === 'imported' || kind === 'replaced' || kind === 'already')) {
      report.tally[kind] += 1
      const connection = result?.['connection']
      if (typeof connection === 'string') taken.push({ line: entry.line, integration: String(entry.item['integration']), connection })
    } else {
      report.tally.refused += 1
      report.problem(entry.line, 'problem' in entry ? entry.problem : refusal(result ?? {}, entry))
    }
  }
  return taken
}

function refusal(result: JsonObject, { columns }: Prepared) {
  const field = typeof result['field'] === 'string' ? result['field'].replace(/^\//, '').replaceAll('/', '.') || null : null
  const column = field === null ? null : (columns.get(field) ?? columns.get(field.split('.')[0] ?? '') ?? null)
  return { field, column, code: String(result['code']), detail: String(result['detail']) }
}
