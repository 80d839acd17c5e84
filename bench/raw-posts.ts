import { Agent, request } from 'node:http'
import { type Rate, rateOf } from './figures.ts'

/** The floor of a refresh: nothing but the POST, its answer read and parsed. */
export async function rawPosts(url: string, options: { readonly count: number; readonly inFlight: number; readonly pooled: boolean }): Promise<Rate> {
  const { count, inFlight, pooled } = options
  const agent = pooled ? new Agent({ keepAlive: true, maxSockets: inFlight }) : false
  let left = count
  const lane = async () => {
    while (left > 0) {
      left -= 1
      await post(`${url}/token`, agent)
    }
  }
  const rate = await rateOf(count, async () => void (await Promise.all(Array.from({ length: inFlight }, lane))))
  if (agent !== false) agent.destroy()
  return rate
}

function post(url: string, agent: Agent | false): Promise<void> {
  const body = 'grant_type=refresh_token&refresh_token=rt-0-0123456789abcdef0123456789abcdef&client_id=bench&client_secret=bench-secret'
  const headers = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': Buffer.byteLength(body) }
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', agent, headers }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('end', () => {
        JSON.parse(Buffer.concat(chunks).toString('utf8'))
        resolve()
      })
      answer.on('error', reject)
    })
    sent.on('error', reject)
    sent.end(body)
  })
}
