// The floors: a bare node:http server in a process of its own. `GET /` answers 300 bytes; `POST /token` answers a token
// response after reading the body. Prints its address as one JSON line.
import { createServer } from 'node:http'

const page = Buffer.from('x'.repeat(300))
let issued = 0

const server = createServer((request, response) => {
  if (request.method !== 'POST') {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': page.length })
    response.end(page)
    return
  }
  let length = 0
  request.on('data', (chunk: Buffer) => {
    length += chunk.length
  })
  request.on('end', () => {
    issued += 1
    const body = `{"access_token":"at-${issued}-${length}-0123456789abcdef0123456789abcdef","refresh_token":"rt-${issued}-0123456789abcdef0123456789abcdef","token_type":"Bearer","expires_in":3600}`
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
