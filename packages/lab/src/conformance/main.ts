// npm run conformance [-- --host node|chromium] [--transport string|request|axios] [--mode cookie|bearer] [--only C01,C20] [--write]
// Plays every scenario in every cell against the server as it is shipped, and prints the table. The last line is one JSON object.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { chromiumPath } from '../browser.ts'
import { oneOf, readCommandLine, UsageError } from '../command-line.ts'
import { CANARY_FAILS, CELLS, SCENARIOS } from './catalogue.ts'
import type { HostKind } from './host.ts'
import { type Cell, cellName } from './play.ts'
import { judge } from './run.ts'
import { Stage } from './stage.ts'
import { failures, reasons, type TableRow, table, tally } from './table.ts'

const PAGE = fileURLToPath(new URL('../../../../docs/concepts/client-conformance.md', import.meta.url))
const HELP = `npm run conformance -- [--host node|chromium] [--transport string|request|axios] [--mode cookie|bearer] [--only C01,C20] [--write]
  --host, --transport, --mode   these columns; all without them
  --only                        these scenarios
  --write                       put the table into docs/concepts/client-conformance.md (whole runs only)`

const text = { type: 'string' } as const
const OPTIONS = { host: text, transport: text, mode: text, only: text, write: { type: 'boolean' } } as const

const options = readCommandLine(HELP, (args) => {
  const { values } = parseArgs({ args, options: OPTIONS })
  const only = values.only?.split(',') ?? null
  const unknown = only?.find((id) => !SCENARIOS.some((scenario) => scenario.id === id))
  if (unknown !== undefined) throw new UsageError(`there is no scenario ${unknown}; there are ${SCENARIOS.map(({ id }) => id).join(', ')}`)
  const host = values.host === undefined ? null : oneOf('host', values.host, ['node', 'chromium'] as const)
  const transport = values.transport === undefined ? null : oneOf('transport', values.transport, ['string', 'request', 'axios'] as const)
  const mode = values.mode === undefined ? null : oneOf('mode', values.mode, ['cookie', 'bearer'] as const)
  if (values.write === true && [only, host, transport, mode].some((choice) => choice !== null))
    throw new UsageError('--write is for whole runs, without a choice')
  return { host, transport, mode, only, write: values.write === true }
})

const wanted: readonly HostKind[] = options.host === null ? ['node', 'chromium'] : [options.host]
const hosts = wanted.filter((host) => host === 'node' || chromiumPath() !== null)
const chosen = <Value>(choice: Value | null, value: Value) => choice === null || choice === value
const cells = CELLS.filter(({ host, transport, mode }) => hosts.includes(host) && chosen(options.transport, transport) && chosen(options.mode, mode))
const scenarios = SCENARIOS.filter(({ id }) => options.only?.includes(id) ?? true)
const stage = await Stage.start({ hosts })
try {
  const rows: TableRow[] = []
  for (const scenario of scenarios) {
    const verdicts = []
    for (const cell of cells) verdicts.push(await judge(stage, cell, scenario))
    rows.push({ scenario, verdicts })
    console.error(`${scenario.id} ${verdicts.map(({ kind }) => (kind === 'pass' ? '.' : kind === 'fail' ? 'F' : '-')).join('')}  ${scenario.title}`)
  }
  const { missed, canary } = await canaryRun()
  const found = [...failures(cells, rows), ...missed]
  console.log(`${table(cells, rows)}\n\n${reasons(rows)}\n`)
  for (const line of found) console.log(line)
  if (options.write && found.length === 0) write(`${table(cells, rows)}\n\n${reasons(rows)}`)
  console.log(JSON.stringify({ conformance: hosts, ...tally('evergrant', rows), canary, failures: found.length }))
  process.exitCode = found.length === 0 ? 0 : 1
} finally {
  await stage.dispose()
}

/** The canary in one cell: it must fail what it should, or the kit measures nothing. */
async function canaryRun(): Promise<{ readonly missed: readonly string[]; readonly canary: string }> {
  const cell: Cell = { host: hosts[0] ?? 'node', transport: 'string', mode: 'cookie' }
  const due = scenarios.filter(({ id }) => CANARY_FAILS.includes(id))
  const missed: string[] = []
  for (const scenario of due) {
    const verdict = await judge(stage, cell, scenario, 'naive')
    if (verdict.kind !== 'fail') missed.push(`${scenario.id} in ${cellName(cell)}: the canary ended with '${verdict.kind}', and must fail`)
  }
  return { missed, canary: `fails ${due.length - missed.length} of ${due.length} that it must fail` }
}

function write(text: string): void {
  const page = readFileSync(PAGE, 'utf8')
  writeFileSync(PAGE, page.replace(/<!-- table -->[\s\S]*<!-- end -->/, `<!-- table -->\n\n${text}\n\n<!-- end -->`))
}
