import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { JsonObject } from '../../core/json.ts'
import { createManualTime } from '../../testing/manual-time.ts'
import type { Api } from '../api.ts'
import { CommandFailure, EXIT } from '../exit-code.ts'
import { Output } from '../output.ts'
import { readMapping } from './column-map.ts'
import { Report } from './report.ts'
import { runImport, type Taken } from './run-import.ts'
import { shapeOf } from './shape.ts'
import type { Source, SourceRow } from './source.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'evergrant-run-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const known = { slugs: ['strava'], isProvider: () => false, variables: (name: string) => (name === 'strava' ? [] : undefined), told: () => [] }

/** `count` lines; what `odd` says of one takes the place of a good grant. */
function linesOf(count: number, odd: Readonly<Record<number, SourceRow>>): Source {
  return {
    unit: 'line',
    repeatable: true,
    extent: () => ({ done: 0, total: null }),
    rows: async function* () {
      for (let line = 1; line <= count; line += 1) yield odd[line] ?? { line, values: { integration: 'strava', owner: `owner-${line}`, refresh_token: 'rt' } }
    },
  }
}

type Batch = readonly JsonObject[]

function apiOf(answer: (batch: Batch, call: number) => Promise<JsonObject>): Api & { readonly sizes: number[] } {
  const sizes: number[] = []
  return {
    where: 'here',
    sizes,
    call: (_method, _path, body) => {
      const batch = Array.isArray(body) ? (body as Batch) : []
      sizes.push(batch.length)
      return answer(batch, sizes.length)
    },
    close: () => Promise.resolve(),
  }
}

const imported = (batch: Batch): JsonObject => ({
  items: batch.map((item) =>
    item['owner'] === 'refuse me'
      ? { result: 'refused', connection: null, code: 'invalid_request', field: '/owner', detail: 'No.' }
      : { result: 'imported', connection: `con-of-${String(item['owner'])}`, code: null, field: null, detail: null },
  ),
})

async function run(source: Source, api: Api, name: string) {
  const said: string[] = []
  const output = new Output({ out: () => {}, err: (text) => said.push(text), interactive: false }, false)
  const errors = join(folder, name)
  const report = new Report(output, source, createManualTime().clock, errors)
  const taken: Taken[] = []
  const maker = { shape: shapeOf('evergrant'), mapping: readMapping([], []), known, fernet: null }
  try {
    for await (const some of runImport({ api, source, report, maker, query: 'dry_run=false' })) taken.push(...some)
  } finally {
    report.close()
  }
  const told = readFileSync(errors, 'utf8')
  return {
    taken,
    tally: report.tally,
    said,
    told:
      told === ''
        ? []
        : told
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line)),
  }
}

test('lines travel five hundred at a time, and results come back in their order, whoever answers first', async () => {
  let open = (): void => {}
  const second = new Promise<void>((resolve) => {
    open = resolve
  })
  const api = apiOf(async (batch, call) => {
    if (call === 2) open()
    if (call === 1) await second
    return imported(batch)
  })
  const { taken, tally } = await run(linesOf(1_250, {}), api, 'order')
  expect(api.sizes).toEqual([500, 500, 250])
  expect(taken.map((one) => one.line)).toEqual(Array.from({ length: 1_250 }, (_, index) => index + 1))
  expect(taken[700]).toEqual({ line: 701, integration: 'strava', connection: 'con-of-owner-701' })
  expect(tally).toMatchObject({ read: 1_250, imported: 1_250, refused: 0 })
})

test('what the reader, the mapping and the server refuse is told in the order of the lines, with field and column', async () => {
  const owner = (line: number, values: JsonObject): SourceRow => ({ line, values: { integration: 'strava', refresh_token: 'rt', ...values } })
  const odd = {
    3: owner(3, { owner: 'refuse me' }),
    4: { line: 4, unreadable: 'No JSON.' },
    5: owner(5, { owner: 'refuse me' }),
    6: owner(6, { owner: 'x', expires_at: 'soon' }),
    9: owner(9, { owner: 'refuse me' }),
  }
  const { told, tally, said } = await run(
    linesOf(10, odd),
    apiOf(async (batch) => imported(batch)),
    'told',
  )
  expect(told.map(({ line, field }) => [line, field])).toEqual([
    [3, 'owner'],
    [4, null],
    [5, 'owner'],
    [6, 'expires_at'],
    [9, 'owner'],
  ])
  expect(said.join('')).toContain('line 3, owner: No.')
  expect(tally).toMatchObject({ imported: 5, refused: 5 })
})

test('lines without one good grant are told without a call', async () => {
  const api = apiOf(async (batch) => imported(batch))
  const { tally } = await run(linesOf(2, { 1: { line: 1, unreadable: 'No.' }, 2: { line: 2, unreadable: 'No.' } }), api, 'none')
  expect(tally).toMatchObject({ read: 2, refused: 2 })
  expect(api.sizes).toEqual([])
})

test('a server that goes away ends the run with its own words, and nothing is left unheard', async () => {
  const api = apiOf(async (batch, call) => {
    if (call >= 2) throw new CommandFailure(EXIT.unreachable, 'The server does not answer.')
    return imported(batch)
  })
  await expect(run(linesOf(3_000, {}), api, 'away')).rejects.toThrow('The server does not answer.')
})

test('a server that answers for fewer grants than were sent is not believed', async () => {
  await expect(
    run(
      linesOf(3, {}),
      apiOf(async () => ({ items: [] })),
      'fewer',
    ),
  ).rejects.toThrow('3 grants were sent')
})

test('of many problems the screen shows some and the file has all', async () => {
  const odd = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [index + 1, { line: index + 1, unreadable: 'No JSON.' }]))
  const { told, said } = await run(
    linesOf(60, odd),
    apiOf(async (batch) => imported(batch)),
    'many',
  )
  expect(told).toHaveLength(60)
  expect(said.filter((text) => text.startsWith('line ')).length).toBe(20)
  expect(said.join('')).toContain('More problems are in the file')
})
