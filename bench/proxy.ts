import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, type IncomingMessage, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ServerProcess } from '../packages/lab/src/server-process.ts'
import { startBareServer } from './bare-process.ts'

const CLIENTS = 10
const MB = 1_024 * 1_024

export interface ProxyFigures {
  readonly clients: number
  readonly bytesEach: number
  /** Of the server's memory above where it stood before, MB: while answers stream, and while requests do. */
  readonly downloadGrowthMb: number
  readonly uploadGrowthMb: number
  readonly downloadMbPerSecond: number
  readonly uploadMbPerSecond: number
  /** What the way through the proxy adds to a call of 2 KB, one after the other, ms. */
  readonly addedP50Ms: number
  readonly addedP99Ms: number
  readonly directP50Ms: number
}

/** Ten clients stream through the proxy at once; then single small calls, each beside the same call made directly. */
export async function benchProxy(options: { readonly short: boolean }): Promise<ProxyFigures> {
  const bytesEach = options.short ? 64 * MB : 1_024 * MB
  const api = await startBareServer('./proxy-api.ts')
  const providers = mkdtempSync(join(tmpdir(), 'evergrant-bench-providers-'))
  writeFileSync(join(providers, 'bench.json'), JSON.stringify(recordOf(api.url)))
  const env = { EVERGRANT_LOG_LEVEL: 'warn', EVERGRANT_RATE_LIMIT_PER_KEY: '10000000', EVERGRANT_PROVIDERS_DIR: providers }
  const server = await ServerProcess.start({ env })
  const agent = new Agent({ keepAlive: true })
  try {
    const through = await importedConnection(server)
    const latency = await sideBySide({ url: `${api.url}/small`, headers: {} }, { ...through, url: `${through.url}/small` }, agent, options.short ? 500 : 3_000)
    await many((): Promise<void> => download(through, 16 * MB))
    const down = await watched(server.pid, () => many(() => download(through, bytesEach)))
    await many((): Promise<void> => upload(through, 16 * MB))
    const up = await watched(server.pid, () => many(() => upload(through, bytesEach)))
    const perSecond = (ms: number): number => (CLIENTS * bytesEach) / MB / (ms / 1_000)
    return {
      clients: CLIENTS,
      bytesEach,
      downloadGrowthMb: down.growthMb,
      uploadGrowthMb: up.growthMb,
      downloadMbPerSecond: perSecond(down.ms),
      uploadMbPerSecond: perSecond(up.ms),
      ...latency,
    }
  } finally {
    agent.destroy()
    await server.dispose()
    api.stop()
    rmSync(providers, { recursive: true, force: true })
  }
}

interface Place {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}

function recordOf(url: string): object {
  return {
    id: 'bench',
    name: 'Bench',
    authorize: { url: 'https://provider.example/authorize' },
    token: { url: 'https://provider.example/token' },
    reuse: { class: 'P0', evidence: 'nothing is refreshed here' },
    api: { base: url },
  }
}

async function importedConnection(server: ServerProcess): Promise<Place> {
  const client = await server.client()
  const integration = await client.post('/integrations', { slug: 'bench', provider: 'bench', client_id: 'bench', client_secret: 'bench' })
  if (integration.status !== 201) throw new Error(integration.text)
  const expires = new Date(Date.now() + 3_600_000).toISOString()
  const grant = { integration: 'bench', owner: 'bench', access_token: 'bench.0123456789abcdef0123456789abcdef', expires_at: expires }
  const imported = await client.post('/connections', grant)
  if (imported.status !== 201) throw new Error(imported.text)
  const { id }: { id: string } = JSON.parse(imported.text)
  return { url: `${server.url}/api/v1/proxy/${id}`, headers: { ...client.headers, 'evergrant-deadline': '300' } }
}

async function many(one: () => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: CLIENTS }, one))
}

function answered(place: Place, method: 'GET' | 'POST', body: Readable | null, agent?: Agent): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = request(place.url, { method, headers: { ...place.headers }, ...(agent === undefined ? {} : { agent }) }, resolve)
    outgoing.on('error', reject)
    if (body === null) outgoing.end()
    else pipeline(body, outgoing).catch(reject)
  })
}

async function download(through: Place, bytes: number): Promise<void> {
  const answer = await answered({ ...through, url: `${through.url}/stream?bytes=${bytes}` }, 'GET', null)
  let received = 0
  for await (const chunk of answer) received += (chunk as Buffer).length
  if (answer.statusCode !== 200 || received !== bytes) throw new Error(`status ${answer.statusCode}, ${received} of ${bytes} bytes`)
}

async function upload(through: Place, bytes: number): Promise<void> {
  const piece = Buffer.alloc(64 * 1_024, 'evergrant ')
  let left = bytes
  const body = new Readable({
    read() {
      const next = left < piece.length ? piece.subarray(0, left) : piece
      left -= next.length
      this.push(next.length === 0 ? null : next)
    },
  })
  const headers = { ...through.headers, 'content-type': 'application/octet-stream', 'content-length': String(bytes) }
  const answer = await answered({ url: `${through.url}/sink`, headers }, 'POST', body)
  const { received }: { received: number } = JSON.parse(await textOf(answer))
  if (answer.statusCode !== 200 || received !== bytes) throw new Error(`status ${answer.statusCode}, ${received} of ${bytes} bytes`)
}

async function textOf(answer: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of answer) text += String(chunk)
  return text
}

/** The highest memory that the process had while `work` ran, above what it had before. */
async function watched(pid: number, work: () => Promise<void>): Promise<{ readonly growthMb: number; readonly ms: number }> {
  const before = residentMb(pid)
  let highest = before
  const timer = setInterval(() => {
    highest = Math.max(highest, residentMb(pid))
  }, 50)
  const started = performance.now()
  try {
    await work()
  } finally {
    clearInterval(timer)
  }
  return { growthMb: Math.max(highest, residentMb(pid)) - before, ms: performance.now() - started }
}

function residentMb(pid: number): number {
  const found = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Number(found?.[1] ?? Number.NaN) / 1_024
}

async function sideBySide(direct: Place, through: Place, agent: Agent, rounds: number) {
  const one = async (place: Place): Promise<number> => {
    const started = performance.now()
    const answer = await answered(place, 'GET', null, agent)
    const text = await textOf(answer)
    if (answer.statusCode !== 200 || text.length !== 2_048) throw new Error(`status ${answer.statusCode}, ${text.length} bytes`)
    return performance.now() - started
  }
  const [directMs, throughMs]: [number[], number[]] = [[], []]
  for (let round = -200; round < rounds; round += 1) {
    const [beside, measured] = [await one(direct), await one(through)]
    if (round < 0) continue
    directMs.push(beside)
    throughMs.push(measured)
  }
  const part = (values: readonly number[], share: number): number => [...values].sort((a, b) => a - b)[Math.floor(values.length * share)] ?? Number.NaN
  return {
    addedP50Ms: part(throughMs, 0.5) - part(directMs, 0.5),
    addedP99Ms: part(throughMs, 0.99) - part(directMs, 0.99),
    directP50Ms: part(directMs, 0.5),
  }
}
