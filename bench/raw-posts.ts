import { Agent, request } from 'node:http'

/** The floor of a refresh: nothing but the POST, its answer read and parsed. Returns requests per second. */
export async function rawPosts(url: string, options: { readonly count: number; readonly inFlight: number; readonly pooled: boolean }): Promise<number> {
  const { count, inFlight, pooled } = options
  const agent = pooled ? new Agent({ keepAlive: true, maxSockets: inFlight }) : false
  let left = count
  const started = performance.now()
  const lane = async () => {
    while (left > 0) {
      left -= 1
      await post(`${url}/token`, agent)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, lane))
  const seconds = (performance.now() - started) / 1_000
  if (agent !== false) agent.destroy()
  return count / seconds
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
