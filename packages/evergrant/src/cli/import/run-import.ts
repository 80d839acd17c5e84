import type { JsonObject } from '../../core/json.ts'
import { type Api, itemsOf } from '../api.ts'
import { type ItemMaker, makeItem } from './make-item.ts'
import type { Report } from './report.ts'
import type { Source, SourceRow } from './source.ts'

/** What the API takes in one call. */
const BATCH = 500
/** Calls under way at once: one is sealed while another is stored. */
const AHEAD = 3

interface Prepared {
  readonly line: number
  readonly item: JsonObject
  readonly columns: ReadonlyMap<string, string>
}

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
  const underWay: Promise<readonly Taken[]>[] = []
  let batch: Prepared[] = []
  const send = (): void => {
    const call = sendBatch(sending, batch)
    // Somebody listens only when its turn has come.
    call.catch(() => {})
    underWay.push(call)
    batch = []
  }
  for await (const row of source.rows()) {
    report.tally.read += 1
    const prepared = prepare(row, sending)
    if (prepared !== null) batch.push(prepared)
    if (batch.length === BATCH) send()
    while (underWay.length > AHEAD) yield await settled(underWay, report)
  }
  if (batch.length > 0) send()
  while (underWay.length > 0) yield await settled(underWay, report)
}

async function settled(underWay: Promise<readonly Taken[]>[], report: Report): Promise<readonly Taken[]> {
  const taken = (await underWay.shift()) ?? []
  report.progress()
  return taken
}

function prepare(row: SourceRow, { maker, report }: Sending): Prepared | null {
  if ('unreadable' in row) {
    report.tally.refused += 1
    report.problem(row.line, { field: null, column: null, code: 'invalid_request', detail: row.unreadable })
    return null
  }
  const made = makeItem(row.values, maker)
  switch (made.kind) {
    case 'item':
      return { line: row.line, item: made.item, columns: made.columns }
    case 'skipped':
      report.tally.skipped += 1
      return null
    case 'problem':
      report.tally.refused += 1
      report.problem(row.line, made.problem)
      return null
  }
}

async function sendBatch({ api, report, query }: Sending, batch: readonly Prepared[]): Promise<readonly Taken[]> {
  const answer = await api.call(
    'POST',
    `connections/import?${query}`,
    batch.map(({ item }) => item),
  )
  const taken: Taken[] = []
  for (const [index, result] of itemsOf(answer).entries()) {
    const sent = batch[index]
    if (sent === undefined) continue
    const { line, item } = sent
    const kind = result['result']
    if (kind === 'imported' || kind === 'replaced' || kind === 'already') {
      report.tally[kind] += 1
      if (typeof result['connection'] === 'string') taken.push({ line, integration: String(item['integration']), connection: result['connection'] })
    } else {
      report.tally.refused += 1
      report.problem(line, refusal(result, sent))
    }
  }
  return taken
}

function refusal(result: JsonObject, { columns }: Prepared) {
  const field = typeof result['field'] === 'string' ? result['field'].replace(/^\//, '').replaceAll('/', '.') || null : null
  const column = field === null ? null : (columns.get(field) ?? columns.get(field.split('.')[0] ?? '') ?? null)
  return { field, column, code: String(result['code']), detail: String(result['detail']) }
}
