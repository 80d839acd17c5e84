// A fast token endpoint in a process of its own that remembers every refresh token it was shown. `GET /` tells what it saw.
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'

// Two providers that run one after the other must not hand out the same token to two connections.
const run = randomBytes(8).toString('hex')

const presented = new Set<string>()
let exchanges = 0
let reused = 0
let firstAt: number | null = null
let lastAt: number | null = null

const server = createServer((request, response) => {
  if (request.method !== 'POST') {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ exchanges, reused, firstAt, lastAt }))
    return
  }
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const token = new URLSearchParams(Buffer.concat(chunks).toString('utf8')).get('refresh_token') ?? ''
    if (presented.has(token)) reused += 1
    presented.add(token)
    exchanges += 1
    lastAt = Date.now()
    firstAt ??= lastAt
    const body = `{"access_token":"at-${exchanges}-${run}-0123456789abcdef","refresh_token":"rt-${exchanges}-${run}-0123456789abcdef","token_type":"Bearer","expires_in":3600}`
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
    response.end(body)
  })
})
server.keepAliveTimeout = 60_000
server.maxRequestsPerSocket = 0
server.listen(0, '127.0.0.1', 4_096, () => {
  const address = server.address()
  console.log(JSON.stringify({ url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}` }))
})
