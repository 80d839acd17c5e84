import { Agent, request } from 'node:http'
import { type Latency, latencyOf } from './latency.ts'

export interface ReadCost extends Latency {
  readonly perSecond: number
}

/** GETs `paths` once each over kept connections, `lanes` at a time. */
export async function readAll(base: string, headers: Readonly<Record<string, string>>, paths: readonly string[], lanes: number): Promise<ReadCost> {
  const agent = new Agent({ keepAlive: true, maxSockets: lanes })
  const durations: number[] = []
  let next = 0
  const lane = async () => {
    for (let path = paths[next++]; path !== undefined; path = paths[next++]) {
      const started = performance.now()
      await get(`${base}${path}`, headers, agent)
      durations.push(performance.now() - started)
    }
  }
  const started = performance.now()
  await Promise.all(Array.from({ length: lanes }, lane))
  const seconds = (performance.now() - started) / 1_000
  agent.destroy()
  return { ...latencyOf(durations), perSecond: paths.length / seconds }
}

function get(url: string, headers: Readonly<Record<string, string>>, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent, headers: { ...headers } }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('end', () =>
        answer.statusCode === 200 ? resolve() : reject(new Error(`${url}: ${answer.statusCode} ${Buffer.concat(chunks).toString('utf8')}`)),
      )
      answer.on('error', reject)
    })
    sent.on('error', reject)
    sent.end()
  })
}
