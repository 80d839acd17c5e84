import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { FakeEvergrant, type FakeEvergrantOptions } from '../../../testing/index.ts'

interface ServedFake {
  readonly fake: FakeEvergrant
  readonly url: string
  close(): Promise<void>
}

/** What stands between a request and its answer: returns false when the answer is lost. */
export type Wire = (request: IncomingMessage, commit: () => Promise<Response>) => Promise<Response | null>

const straight: Wire = (_request, commit) => commit()

/** The fake server behind a real socket, for other processes. */
export async function serveFake(options: FakeEvergrantOptions = {}, wire: Wire = straight): Promise<ServedFake> {
  let fake: FakeEvergrant | undefined
  const door = await openDoor(wire, (path, init) => {
    if (fake === undefined) throw new Error('a request came before the server')
    return fake.fetch(`${fake.url}${path}`, init)
  })
  fake = new FakeEvergrant({ ...options, url: door.url })
  return { ...door, fake }
}

interface Door {
  readonly url: string
  close(): Promise<void>
}

/** A socket whose requests `serve` answers, with `wire` between the two. */
export async function openDoor(wire: Wire, serve: (path: string, init: RequestInit) => Promise<Response>): Promise<Door> {
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await buffer(request)
    const headers = Object.entries(request.headers).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value] as [string, string]] : []))
    const init = { method: request.method ?? 'GET', headers, ...(body.length > 0 ? { body: new Uint8Array(body) } : {}) }
    const answered = await wire(request, () => serve(request.url ?? '', init))
    if (answered === null) {
      request.socket.destroy()
      return
    }
    response.writeHead(answered.status, Object.fromEntries(answered.headers))
    response.end(await answered.text())
  }
  const server = createServer((request, response) => void answer(request, response).catch(() => request.socket.destroy()))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
