import { createServer, type IncomingMessage } from 'node:http'

interface SideAnswer {
  readonly status?: number
  readonly body: unknown
}

/** What a provider has beside its token endpoint: answers by path, and what was asked for. */
export interface SideServer {
  readonly url: string
  /** `GET /me` and the like, in order. */
  readonly asked: string[]
  readonly headers: IncomingMessage['headers'][]
  readonly bodies: string[]
  /** Each path's answers in order; the last one stays. `cut` ends the connection without one. */
  answer(path: string, ...answers: readonly (SideAnswer | 'cut')[]): void
  close(): Promise<void>
}

export async function startSideServer(): Promise<SideServer> {
  const answers = new Map<string, (SideAnswer | 'cut')[]>()
  const asked: string[] = []
  const headers: IncomingMessage['headers'][] = []
  const bodies: string[] = []
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://side')
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += String(chunk)
    asked.push(`${request.method} ${request.url}`)
    headers.push(request.headers)
    bodies.push(body)
    const queue = answers.get(pathname) ?? []
    const next = queue.length > 1 ? queue.shift() : queue[0]
    if (next === 'cut') return void request.socket.destroy()
    response.writeHead(next === undefined ? 404 : (next.status ?? 200), { 'content-type': 'application/json' }).end(JSON.stringify(next?.body ?? {}))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    asked,
    headers,
    bodies,
    answer: (path, ...given) => void answers.set(path, [...given]),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}
