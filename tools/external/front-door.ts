import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer as createHttp, request } from 'node:http'
import { createServer as createHttps } from 'node:https'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { run } from './verdict.ts'

/** First byte of a TLS handshake. */
const HANDSHAKE = 0x16

interface FrontDoor {
  /** Of the authority that signed its certificate. */
  readonly authority: string
  close(): void
}

/** What stands before the server in production: TLS ends here, and plain http on the same port is sent to https. */
export async function openFrontDoor(target: string, port: number, folder: string): Promise<FrontDoor> {
  const [key, authority] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')]
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  const made = await run('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out', authority, ...names])
  if (made.status !== 0) throw new Error(`no certificate could be made: ${made.err}`)
  const secure = createHttps({ key: readFileSync(key), cert: readFileSync(authority) }, (asked, answer) => {
    const { pathname, search } = new URL(asked.url ?? '/', target)
    const passedOn = request(`${target}${pathname}${search}`, { method: asked.method, headers: asked.headers }, (from) => {
      answer.writeHead(from.statusCode ?? 502, from.headers)
      from.pipe(answer)
    })
    passedOn.on('error', () => answer.destroy())
    asked.pipe(passedOn)
  })
  const plain = createHttp((asked, answer) => {
    answer.writeHead(308, { location: `https://localhost:${port}${asked.url ?? '/'}` }).end()
  })
  const [securePort, plainPort] = [await listening(secure), await listening(plain)]
  const door = createServer((socket) => {
    socket.on('error', () => socket.destroy())
    socket.once('data', (first) => {
      const inner = connect(first[0] === HANDSHAKE ? securePort : plainPort, '127.0.0.1')
      inner.on('error', () => socket.destroy())
      inner.write(first)
      socket.pipe(inner).pipe(socket)
    })
  })
  await listening(door, port)
  const close = (): void => {
    for (const server of [door, secure, plain]) server.close()
    secure.closeAllConnections()
    plain.closeAllConnections()
  }
  return { authority, close }
}

async function listening(server: Server, port = 0): Promise<number> {
  server.listen(port, port === 0 ? '127.0.0.1' : undefined)
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
