import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { withPostgres } from './postgres.ts'
import { cpuMicrosOf } from './process-cost.ts'

const MAIN = fileURLToPath(new URL('../packages/evergrant/src/cli/main.ts', import.meta.url))
const MASTER_KEYS = `k1:${randomBytes(32).toString('base64')}`
const SAMPLE_MS = 100

/** One import of a file, and one that is killed in the middle and started again. */
export interface ImportFigures {
  readonly store: 'sqlite' | 'postgres'
  readonly lines: number
  /** Lines that were made wrong, and those that were reported by exactly their number. */
  readonly bad: number
  readonly reported: number
  readonly seconds: number
  readonly linesPerSecond: number
  /** Processor time of the importing process: says what the work costs where the machine is busy with others'. */
  readonly cpuSeconds: number
  /** Resident memory of the importing process, in MB: the highest in the first half of the lines, and of all. */
  readonly rssHalfMb: number
  readonly rssPeakMb: number
  /** The same command again when everything is imported. */
  readonly againSeconds: number
  readonly killed: { readonly before: number; readonly after: number; readonly seconds: number; readonly lost: number; readonly twice: number }
}

export async function benchImport(options: {
  readonly short: boolean
  readonly stores: readonly ('sqlite' | 'postgres')[]
}): Promise<readonly ImportFigures[]> {
  const lines = options.short ? 20_000 : 100_000
  const figures: ImportFigures[] = []
  for (const store of options.stores) {
    const figure = store === 'sqlite' ? await measured(store, lines, null) : await withPostgres((url) => measured(store, lines, url))
    console.log(said(figure))
    figures.push(figure)
  }
  return figures
}

function said({ store, lines, seconds, linesPerSecond, cpuSeconds, bad, reported, rssHalfMb, rssPeakMb, againSeconds, killed }: ImportFigures): string {
  return [
    `${store}: ${lines} lines in ${seconds.toFixed(1)} s (${Math.round(linesPerSecond)}/s), ${cpuSeconds.toFixed(1)} s of processor time, ${reported} of ${bad} bad lines reported by number`,
    `${store}: resident memory at most ${Math.round(rssHalfMb)} MB in the first half, ${Math.round(rssPeakMb)} MB in all; the same command again ${againSeconds.toFixed(1)} s`,
    `${store}: killed with ${killed.before} stored, then ${killed.after} in ${killed.seconds.toFixed(1)} s; lost ${killed.lost}, twice ${killed.twice}`,
  ].join('\n')
}

async function measured(store: ImportFigures['store'], lines: number, databaseUrl: string | null): Promise<ImportFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'evergrant-bench-import-'))
  try {
    const bench = await openBench(folder, databaseUrl)
    const bad = writeLines(join(folder, 'whole.jsonl'), lines, 'whole')
    const whole = await bench.import('whole.jsonl', lines)
    const reported = readFileSync(join(folder, 'whole.jsonl.errors'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => Number(JSON.parse(line).line))
    const again = await bench.import('whole.jsonl', lines)
    const killedBad = writeLines(join(folder, 'killed.jsonl'), lines, 'killed')
    await bench.import('killed.jsonl', lines, Math.floor(lines * 0.3))
    const resumed = await bench.import('killed.jsonl', lines)
    // Everything is known now: a line that was lost would be imported here.
    const third = await bench.import('killed.jsonl', lines)
    return {
      store,
      lines,
      bad: bad.length,
      reported: bad.filter((line, index) => reported[index] === line).length,
      seconds: whole.seconds,
      linesPerSecond: lines / whole.seconds,
      cpuSeconds: whole.cpuSeconds,
      rssHalfMb: whole.rssHalfMb,
      rssPeakMb: whole.rssPeakMb,
      againSeconds: again.seconds,
      killed: {
        before: resumed.already,
        after: resumed.imported,
        seconds: resumed.seconds,
        lost: third.imported,
        twice: resumed.already + resumed.imported - (lines - killedBad.length),
      },
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Run {
  readonly imported: number
  readonly already: number
  readonly seconds: number
  readonly cpuSeconds: number
  readonly rssHalfMb: number
  readonly rssPeakMb: number
}

async function openBench(folder: string, databaseUrl: string | null) {
  const database = databaseUrl === null ? {} : { EVERGRANT_DATABASE_URL: databaseUrl, EVERGRANT_MASTER_KEYS: MASTER_KEYS }
  const env = { PATH: process.env.PATH ?? '', EVERGRANT_DATA_DIR: join(folder, 'data'), ...database }
  const started = (args: readonly string[]) => spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, ...args], { env, cwd: folder })
  const command = async (args: readonly string[]) => {
    const ended = await finished(started(args))
    if (ended.code !== 0) throw new Error(`evergrant ${args.join(' ')}: ${ended.text}`)
  }
  await command(['migrate', 'up'])
  writeFileSync(join(folder, 'secret'), 'bench-secret')
  await command(['integrations', 'create', '--provider', 'strava', '--slug', 'strava', '--client-id', 'bench', '--client-secret-file', 'secret'])
  return {
    /** `killAt`: the process is killed when it has told of this many lines. */
    import: async (file: string, lines: number, killAt?: number): Promise<Run> => {
      const child = started(['import', file, '--errors', `${file}.errors`])
      const watch = watched(child, lines / 2, killAt)
      const { text, code } = await finished(child)
      if (killAt === undefined && code !== 5) throw new Error(`the import ended with ${code}: ${text}`)
      return { ...counts(text), ...watch() }
    },
  }
}

/** Memory of the process as the kernel counts it, sampled; and the blow. */
function watched(child: ChildProcess, half: number, killAt: number | undefined): () => Pick<Run, 'rssHalfMb' | 'rssPeakMb' | 'cpuSeconds'> {
  let [first, peak, told, cpuMicros] = [0, 0, 0, 0]
  const sample = setInterval(() => {
    peak = Math.max(peak, highestMemoryOf(child.pid ?? 0))
    if (told <= half) first = peak
    cpuMicros = Math.max(cpuMicros, cpuMicrosOf(child.pid ?? 0))
  }, SAMPLE_MS)
  child.stderr?.on('data', (chunk: Buffer) => {
    const said = /([\d,]+) lines,/.exec(chunk.toString('utf8'))
    if (said !== null) told = numberOf(said[1])
    if (killAt !== undefined && told >= killAt) child.kill('SIGKILL')
  })
  child.once('close', () => clearInterval(sample))
  return () => ({ rssHalfMb: first, rssPeakMb: peak, cpuSeconds: cpuMicros / 1e6 })
}

/** In MB; 0 for a process that is gone. */
function highestMemoryOf(pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1_024
  } catch {
    return 0
  }
}

async function finished(child: ChildProcess): Promise<{ readonly code: number | null; readonly text: string }> {
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (text += chunk))
  const [code] = await once(child, 'close')
  return { code, text }
}

function counts(text: string): Pick<Run, 'imported' | 'already' | 'seconds'> {
  const found = /in ([\d.]+) s: ([\d,]+) imported, [\d,]+ replaced, ([\d,]+) imported before/.exec(text)
  return { seconds: Number(found?.[1] ?? 0), imported: numberOf(found?.[2]), already: numberOf(found?.[3]) }
}

const numberOf = (text: string | undefined): number => Number((text ?? '0').replaceAll(',', ''))

/** Every hundredth line is wrong, in one of five ways. Half of the good ones name no account. Returns the numbers of the wrong ones. */
function writeLines(path: string, lines: number, name: string): readonly number[] {
  const bad: number[] = []
  const file = openSync(path, 'w')
  let block = ''
  for (let line = 1; line <= lines; line += 1) {
    const wrong = line % 100 === 50
    if (wrong) bad.push(line)
    block += `${lineText(line, name, wrong)}\n`
    if (block.length > 1_000_000 || line === lines) {
      writeSync(file, block)
      block = ''
    }
  }
  closeSync(file)
  return bad
}

function lineText(line: number, name: string, wrong: boolean): string {
  const grant = {
    integration: 'strava',
    owner: `${name}-owner-${line}`,
    ...(line % 2 === 0 ? { account: `${name}-account-${line}` } : {}),
    access_token: `at-${name}-${line}-0123456789abcdef0123456789abcdef`,
    refresh_token: `rt-${name}-${line}-0123456789abcdef0123456789abcdef`,
    expires_at: '2030-01-01T00:00:00Z',
    scopes: ['read', 'activity:read_all'],
    metadata: { plan: 'basic', imported: line },
  }
  if (!wrong) return JSON.stringify(grant)
  const ways: readonly string[] = [
    JSON.stringify(grant).slice(0, -20),
    JSON.stringify({ ...grant, access_token: undefined, refresh_token: undefined }),
    JSON.stringify({ ...grant, expires_at: 'soon' }),
    JSON.stringify({ ...grant, integration: 'nobody' }),
    JSON.stringify({ ...grant, owner: '' }),
  ]
  return ways[Math.floor(line / 100) % ways.length] ?? ''
}
