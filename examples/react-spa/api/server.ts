// The application's own server: it gives out the built page, and answers a small API to people who are signed in.
import { once } from 'node:events'
import { createReadStream, existsSync, statSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { type AuthenticatedSession, AuthenticationError, createAuthenticator } from '@evergrant/sdk/node'

interface Options {
  readonly port: number
  /** Public URL of Evergrant. */
  readonly evergrantUrl: string
  /** Slug of the integration that people connect. */
  readonly integration: string
  /** Where vite put the page. */
  readonly pages: string
}

interface RunningApi {
  readonly url: string
  readonly close: () => Promise<void>
}

interface Note {
  readonly id: number
  readonly text: string
}

const TYPES: Readonly<Record<string, string>> = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' }
const TEXT_MAX = 200
const BODY_MAX = 10_000

export async function startApi({ port, evergrantUrl, integration, pages }: Options): Promise<RunningApi> {
  // Keys are fetched once and kept; each token is checked here, without asking anybody.
  const { authenticate } = createAuthenticator({ issuer: evergrantUrl })
  const notes = new Map<string, Note[]>()
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://api.invalid')
    if (pathname === '/config.json') return answer(response, 200, { evergrantUrl, integration })
    if (!pathname.startsWith('/api/')) return page(response, pages, pathname)
    authenticate(request)
      .then((session) => notesOf(session, notes, request, response))
      .catch((error: unknown) => refuse(response, error))
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const actual = typeof address === 'object' && address !== null ? address.port : port
  return {
    url: `http://localhost:${actual}`,
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Nobody gets here without a valid access token; `session.user` is who it is. */
async function notesOf(session: AuthenticatedSession, notes: Map<string, Note[]>, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const mine = notes.get(session.user) ?? [{ id: 1, text: 'Look at this page: it is yours, and nobody asked you to sign in again.' }]
  notes.set(session.user, mine)
  if (request.method === 'GET') return answer(response, 200, { notes: mine, role: session.role, until: session.expiresAt })
  if (request.method !== 'POST') return answer(response, 405, { title: 'Use GET or POST' })
  const text = await textOf(request)
  if (text === null) return answer(response, 400, { title: `A note has a text of 1 to ${TEXT_MAX} characters` })
  mine.push({ id: mine.length + 1, text })
  answer(response, 201, { notes: mine })
}

async function textOf(request: IncomingMessage): Promise<string | null> {
  let body = ''
  for await (const chunk of request.setEncoding('utf8')) {
    body += chunk
    if (body.length > BODY_MAX) return null
  }
  try {
    const { text }: { readonly text?: unknown } = JSON.parse(body)
    return typeof text === 'string' && text.trim() !== '' && text.length <= TEXT_MAX ? text.trim() : null
  } catch {
    return null
  }
}

/** The headers say that the handler did not run, so the client may refresh and send the request again. */
function refuse(response: ServerResponse, error: unknown): void {
  if (!(error instanceof AuthenticationError)) return answer(response, 500, { title: 'Something went wrong' })
  response.writeHead(error.status, error.headers)
  response.end(JSON.stringify(error.problem()))
}

function answer(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
  response.end(JSON.stringify(value))
}

function page(response: ServerResponse, pages: string, pathname: string): void {
  const wanted = join(pages, normalize(pathname))
  // Every path that is no file is the page: it does its own routing.
  const file = wanted.startsWith(pages) && existsSync(wanted) && statSync(wanted).isFile() ? wanted : join(pages, 'index.html')
  response.writeHead(200, {
    'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
  })
  createReadStream(file).pipe(response)
}
