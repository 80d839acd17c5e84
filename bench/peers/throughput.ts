import autocannon from 'autocannon'
import { startBareServer } from '../bare-process.ts'
import { median } from '../figures.ts'
import { cpuMicrosOf, cpuMicrosOfTree, memoryOf } from '../process-cost.ts'
import { ask, type Peer, type TokenRequest } from './peer.ts'
import type { Stage } from './stage.ts'

const CONNECTIONS = 32

export interface ThroughputRow {
  readonly name: string
  readonly perSecond: number
  /** Against the bare server of the same round. */
  readonly ratio: number
  /** Processor time of the server process, and of PostgreSQL, for each request, in microseconds. */
  readonly cpuMicros: number
  readonly databaseMicros: number
  readonly residentBytes: number
}

interface Candidate {
  readonly name: string
  readonly url: string
  readonly request: TokenRequest
  readonly pid: number
}

/** Reads of one valid token, candidates in turn within each round. The first round warms up and is not counted. */
export async function throughput(
  stage: Stage,
  peers: readonly { readonly peer: Peer; readonly profile: string }[],
  shape: { readonly rounds: number; readonly seconds: number },
): Promise<readonly ThroughputRow[]> {
  const bare = await startBareServer()
  const candidates: Candidate[] = [
    { name: 'bare node:http, 300 bytes', url: bare.url, request: { method: 'GET', path: '/', headers: {}, body: null }, pid: bare.pid },
  ]
  for (const { peer, profile } of peers) candidates.push(await candidate(stage, peer, profile))
  const measured = new Map<string, Measure[]>(candidates.map(({ name }) => [name, []]))
  try {
    for (let round = 0; round <= shape.rounds; round += 1) {
      for (const one of candidates) {
        const measure = await measureOnce(stage, one, shape.seconds)
        if (round > 0) measured.get(one.name)?.push(measure)
      }
    }
  } finally {
    bare.stop()
  }
  const floors = measured.get(candidates[0]?.name ?? '') ?? []
  return candidates.map(({ name }) => rowOf(name, measured.get(name) ?? [], floors))
}

async function candidate(stage: Stage, peer: Peer, profile: string): Promise<Candidate> {
  const grant = await stage.grant(profile, 3_600)
  const request = await peer.hold(grant)
  const url = peer.urls[0] ?? ''
  const reply = await ask(url, request)
  if (reply.token !== grant.accessToken) throw new Error(`${peer.name} does not answer the token: ${reply.status} ${reply.text}`)
  return { name: peer.name, url, request, pid: peer.pids()[0] ?? 0 }
}

interface Measure {
  readonly perSecond: number
  readonly cpu: number
  readonly database: number
  readonly resident: number
}

async function measureOnce(stage: Stage, { url, request, pid }: Candidate, seconds: number): Promise<Measure> {
  const cpu = cpuMicrosOf(pid)
  const database = cpuMicrosOfTree(stage.postgresPid)
  const { method, path, headers, body } = request
  const result = await autocannon({
    url: `${url}${path}`,
    method,
    headers: { ...headers },
    connections: CONNECTIONS,
    duration: seconds,
    ...(body === null ? {} : { body }),
  })
  if (result.non2xx > 0 || result.errors > 0) throw new Error(`${url}${path}: ${result.non2xx} refused, ${result.errors} failed`)
  const requests = Math.max(1, result.requests.total)
  return {
    perSecond: result.requests.average,
    cpu: (cpuMicrosOf(pid) - cpu) / requests,
    database: (cpuMicrosOfTree(stage.postgresPid) - database) / requests,
    resident: memoryOf(pid).resident,
  }
}

function rowOf(name: string, measures: readonly Measure[], floors: readonly Measure[]): ThroughputRow {
  const of = (value: (measure: Measure) => number) => median(measures.map(value))
  return {
    name,
    perSecond: of((measure) => measure.perSecond),
    ratio: median(measures.map((measure, round) => measure.perSecond / (floors[round]?.perSecond ?? Number.NaN))),
    cpuMicros: of((measure) => measure.cpu),
    databaseMicros: of((measure) => measure.database),
    residentBytes: of((measure) => measure.resident),
  }
}
