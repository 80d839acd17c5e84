// An API in a process of its own: `GET /small` answers 2 KB, `GET /stream?bytes=N` that many bytes, `POST /sink` counts
// what it is sent. Nothing is kept in memory. Prints its address as one JSON line.
import { createServer, type ServerResponse } from 'node:http'

const small = Buffer.from(JSON.stringify({ items: 'x'.repeat(2_048 - 12) }))
const piece = Buffer.alloc(64 * 1_024, 'evergrant ')

function stream(response: ServerResponse, bytes: number): void {
  let left = bytes
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': bytes })
  const more = (): void => {
    while (left > 0) {
      const next = left < piece.length ? piece.subarray(0, left) : piece
      left -= next.length
      if (!response.write(next)) return void response.once('drain', more)
    }
    response.end()
  }
  response.on('error', () => {})
  more()
}

const server = createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://api')
  if (request.method === 'POST') {
    let received = 0
    request.on('data', (chunk: Buffer) => {
      received += chunk.length
    })
    request.on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ received })))
  } else if (url.pathname === '/stream') stream(response, Number(url.searchParams.get('bytes')))
  else response.writeHead(200, { 'content-type': 'application/json', 'content-length': small.length }).end(small)
})
server.keepAliveTimeout = 60_000
server.maxRequestsPerSocket = 0
server.requestTimeout = 0
server.listen(0, '127.0.0.1', 4_096, () => {
  const address = server.address()
  console.log(JSON.stringify({ url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}` }))
})
