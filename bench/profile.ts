import { type Profiler, Session } from 'node:inspector/promises'
import { startBareServer } from './bare-process.ts'
import { withPostgres } from './postgres.ts'
import { engineRefreshes } from './refresh-engine.ts'

interface ProfileOptions {
  readonly store: 'sqlite' | 'postgres'
  readonly pooled: boolean
  readonly short: boolean
}

/** How many functions are named, the dearest first. */
const FUNCTIONS = 40

/** First match wins. Native functions have no address and count to the area of the nearest caller that has one. */
const AREAS: readonly (readonly [area: string, place: RegExp])[] = [
  ['idle', /^\(idle\)/],
  ['garbage collection', /^\(garbage collector\)/],
  ['bench', /\/bench\//],
  ['sealing and digests', /\/src\/seal\//],
  ['ids and randomness', /\/src\/system\.ts|\/core\/ids\.ts/],
  ['journal', /\/src\/journal\//],
  ['store: statements and commit', /\/src\/store\/|node:sqlite|node:internal\/worker|node:worker_threads/],
  ['store: PostgreSQL driver', /\/node_modules\/pg/],
  ['outbound code', /\/src\/outbound\//],
  ['engine code', /\/src\//],
  [
    'node: http, net and streams',
    /node:(_?http|internal\/http|net|internal\/stream|stream|internal\/js_stream|events|internal\/net|dns|internal\/url|url|querystring|_http)/,
  ],
  ['node: crypto', /node:(internal\/)?crypto/],
  ['node: timers, promises, async hooks', /node:internal\/(timers|process|async_hooks|promise|util|errors|validators)|node:timers/],
]

/**
 * Where the time of a refresh goes on the thread of the event loop: a sampling profile of the measured part alone, printed
 * by area and by function in microseconds a refresh. Samples are of wall time: compare areas, not runs.
 */
export async function profileRefresh({ store, pooled, short }: ProfileOptions): Promise<object> {
  const count = short ? 4_000 : 12_000
  const bare = await startBareServer()
  const { url } = bare
  let profile: Profiler.Profile | undefined
  const around = async (work: () => Promise<void>) => {
    const session = new Session()
    session.connect()
    await session.post('Profiler.enable')
    await session.post('Profiler.setSamplingInterval', { interval: 200 })
    await session.post('Profiler.start')
    await work()
    profile = (await session.post('Profiler.stop')).profile
    session.disconnect()
  }
  const run = async (databaseUrl: string | null) => {
    await engineRefreshes({ url, databaseUrl, pooled, count: 2_000 })
    return engineRefreshes({ url, databaseUrl, pooled, count, around })
  }
  try {
    const rate = store === 'postgres' ? await withPostgres(run) : await run(null)
    const areas = profile === undefined ? new Map<string, number>() : report(profile, count)
    const micros = Object.fromEntries([...areas].map(([area, spent]) => [area, Math.round(spent / count)]))
    return { store, pooled, micros_per_refresh: micros, cpu: Math.round(rate.cpuMicros), loop: Math.round(rate.loopMicros), loop_delay_p99: rate.loopDelayP99 }
  } finally {
    bare.stop()
  }
}

function report({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile, count: number): ReadonlyMap<string, number> {
  const micros = new Map<number, number>()
  for (const [index, id] of samples.entries()) micros.set(id, (micros.get(id) ?? 0) + (timeDeltas[index] ?? 0))
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const parent = new Map(nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node.id] as const)))
  const areas = new Map<string, number>()
  const functions = new Map<string, number>()
  for (const [id, spent] of micros) {
    const place = placeOf(id)
    add(areas, AREAS.find(([, pattern]) => pattern.test(place))?.[0] ?? 'other', spent)
    const { functionName, url, lineNumber } = byId.get(id)?.callFrame ?? { functionName: '?', url: '', lineNumber: 0 }
    add(functions, `${functionName || '(anonymous)'} ${url.replace(/^file:.*\/packages\/evergrant\//, '')}:${lineNumber + 1}`, spent)
  }
  print(areas, areas.size, count)
  print(functions, FUNCTIONS, count)
  return areas

  function placeOf(id: number | undefined): string {
    for (let at = id; at !== undefined; at = parent.get(at)) {
      const frame = byId.get(at)?.callFrame
      if (frame === undefined) break
      if (frame.functionName.startsWith('(') && frame.functionName !== '(anonymous)') return frame.functionName
      if (frame.url !== '') return frame.url
    }
    return ''
  }
}

function add(sums: Map<string, number>, key: string, micros: number): void {
  sums.set(key, (sums.get(key) ?? 0) + micros)
}

function print(sums: ReadonlyMap<string, number>, most: number, count: number): void {
  for (const [name, micros] of [...sums].sort((left, right) => right[1] - left[1]).slice(0, most)) {
    console.log(`${(micros / count).toFixed(1).padStart(8)} us  ${name}`)
  }
  console.log('')
}
