import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Fault } from '../core/fault/fault.ts'
import { basePath } from './below-path.ts'
import type { App } from './schema.ts'

const PUBLIC = { config: { access: 'public' as const } }
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
}
/** Everything from here, nothing inline. Pictures may be `data:`, for the logo that somebody uploads in the settings. */
const POLICY = "default-src 'self'; img-src 'self' data:; object-src 'none'; frame-ancestors 'none'; base-uri 'self'; form-action 'self'"
/** Their names carry a hash of what they hold. */
const HASHED = /^assets\//
const FOREVER = 'public, max-age=31536000, immutable'
const SHORTLY = 'public, max-age=300'
const PAGE = 'index.html'

interface ConsoleFile {
  readonly type: string
  readonly plain: Buffer
  readonly small: Buffer
}
type ConsoleFiles = ReadonlyMap<string, ConsoleFile>

/** Beside the built server in the package; in the repository the console's own build. */
const FOLDERS = [new URL('../console/', import.meta.url), new URL('../../../console/dist/', import.meta.url)]

/** The operators' console: its files below `/console/`, and its page for every other address there. Only what the build made can be asked for. */
export function consoleFiles(app: App, { publicUrl, folders = FOLDERS }: { readonly publicUrl: string; readonly folders?: readonly URL[] }): void {
  const base = `${basePath(publicUrl)}/console/`
  let known: ConsoleFiles | undefined
  const files = (): ConsoleFiles => {
    // A server that started before the first build finds it later.
    if (known === undefined || known.size === 0) known = readFiles(folders, base)
    return known
  }
  app.get('/console', PUBLIC, (_request, reply) => reply.redirect('/console/', 308))
  app.get<{ Params: { '*': string } }>('/console/*', PUBLIC, (request, reply) => answer(request, reply, files(), request.params['*']))
}

/** `GET /`: a browser that knows only the server's name finds the console. */
export function consoleFromRoot(app: App): void {
  app.get('/', PUBLIC, (_request, reply) => reply.redirect('/console/', 302))
}

function answer(request: FastifyRequest, reply: FastifyReply, files: ConsoleFiles, name: string): FastifyReply {
  const asset = name === PAGE ? undefined : files.get(name)
  if (asset !== undefined) return send(request, reply.header('cache-control', HASHED.test(name) ? FOREVER : SHORTLY), asset)
  // A file of another version: the page in its place would be read as a script.
  if (HASHED.test(name)) throw new Fault('not_found', { detail: 'The console has no such file. Load its page again.' })
  const page = files.get(PAGE)
  if (page === undefined) throw new Fault('not_found', { detail: 'The console is not built. Run `npm run build:console`.' })
  return send(request, reply.header('content-security-policy', POLICY), page)
}

function send(request: FastifyRequest, reply: FastifyReply, { type, plain, small }: ConsoleFile): FastifyReply {
  const packed = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '')
  if (packed) reply.header('content-encoding', 'gzip')
  return reply
    .header('vary', 'Accept-Encoding')
    .type(type)
    .send(packed ? small : plain)
}

/** Read once: under a megabyte, and what is not in the folder then cannot be named into existence. */
function readFiles(folders: readonly URL[], base: string): ConsoleFiles {
  const folder = folders.find((one) => existsSync(new URL(PAGE, one)))
  const files = new Map<string, ConsoleFile>()
  if (folder === undefined) return files
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = `${entry.parentPath.slice(fileURLToPath(folder).length - 1)}/${entry.name}`.replaceAll('\\', '/').replace(/^\/+/, '')
    const type = TYPES[extname(entry.name)]
    if (!entry.isFile() || type === undefined) continue
    const plain = path === PAGE ? withBase(readFileSync(new URL(path, folder)), base) : readFileSync(new URL(path, folder))
    files.set(path, { type, plain, small: gzipSync(plain, { level: 9 }) })
  }
  return files
}

/** The page learns where it is served: its own addresses are relative. */
const withBase = (page: Buffer, base: string): Buffer => Buffer.from(page.toString('utf8').replace('<base href="/console/">', `<base href="${base}">`))
