import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts'
import { CommandFailure, EXIT } from './exit-code.ts'

type Method = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'

/** The HTTP API, wherever it runs. Paths are relative to `/api/v1/`. Refusals become {@link CommandFailure}. */
export interface Api {
  /** Who answers, for people: a server, or a database that this process opened. */
  readonly where: string
  call(method: Method, path: string, body?: JsonObject | readonly JsonObject[]): Promise<JsonObject>
  close(): Promise<void>
}

/** An API that also hands out files: a server, or the same routes in this process. */
export interface FileApi extends Api {
  /** The bytes of an answer that is no JSON. */
  file(path: string, body: JsonObject): Promise<Uint8Array>
}

interface RawAnswer {
  readonly status: number
  readonly body: string
}

/** The answer as an object; a problem (RFC 9457) becomes the failure that a person reads. */
export function readAnswer({ status, body }: RawAnswer): JsonObject {
  const value = parse(body)
  if (status < 400) return isJsonObject(value) ? value : {}
  const problem = isJsonObject(value) ? value : {}
  const detail = typeof problem['detail'] === 'string' ? problem['detail'] : `the server answered ${status}`
  const code = typeof problem['code'] === 'string' ? ` (${problem['code']}${whereOf(problem, detail)})` : ''
  const repair = typeof problem['reconnect_url'] === 'string' ? ` Its owner repairs it here: ${problem['reconnect_url']}` : ''
  throw new CommandFailure(EXIT.problem, `${detail}${code}${repair}`, problem)
}

/** The field, where the sentence alone does not name it. */
function whereOf({ field }: JsonObject, detail: string): string {
  if (typeof field !== 'string') return ''
  const name = field.split('/').findLast((part) => !/^\d*$/.test(part))
  return name === undefined || detail.includes(name) ? '' : ` at ${field}`
}

/** The bytes as they are; a problem becomes the failure that a person reads. */
export function readFile({ status, bytes }: { readonly status: number; readonly bytes: Uint8Array }): Uint8Array {
  if (status >= 400) readAnswer({ status, body: new TextDecoder().decode(bytes) })
  return bytes
}

function parse(body: string): JsonValue {
  try {
    return JSON.parse(body)
  } catch {
    return null
  }
}

/** A running server, over HTTP. */
export function remoteApi(url: string, key: string): FileApi {
  const ask = async <Answer>(method: Method, path: string, body: unknown, read: (response: Response) => Promise<Answer>): Promise<Answer> => {
    const headers = { authorization: `Bearer ${key}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) }
    try {
      return await read(await fetch(`${url}/api/v1/${path}`, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }))
    } catch (cause) {
      throw new CommandFailure(EXIT.unreachable, `The server at ${url} does not answer (${reasonOf(cause)}). ${WHEN_SILENT}`, { url })
    }
  }
  return {
    where: `the server at ${url}`,
    async call(method, path, body) {
      return readAnswer(await ask(method, path, body, async (response) => ({ status: response.status, body: await response.text() })))
    },
    async file(path, body) {
      const answer = await ask('POST', path, body, async (response) => ({ status: response.status, bytes: new Uint8Array(await response.arrayBuffer()) }))
      return readFile(answer)
    },
    close: () => Promise.resolve(),
  }
}

/** A server that was killed looks like one that hangs once another process has its number. */
export const WHEN_SILENT =
  'If it runs, look at its log, and restart it if it hangs. If it was killed, start it again, or remove server.json from its data folder.'

export function reasonOf(cause: unknown): string {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause
  return inner instanceof Error ? ('code' in inner ? String(inner.code) : inner.message) : 'no reason given'
}

/** Follows the cursor to the last page. */
export async function allItems(api: Api, path: string, query: Readonly<Record<string, string>>): Promise<readonly JsonObject[]> {
  const items: JsonObject[] = []
  let cursor: string | null = null
  do {
    const page: JsonObject = await api.call('GET', withQuery(path, { limit: '200', ...query, ...(cursor === null ? {} : { cursor }) }))
    items.push(...itemsOf(page))
    cursor = typeof page['cursor'] === 'string' ? page['cursor'] : null
  } while (cursor !== null)
  return items
}

export function itemsOf(page: JsonObject): readonly JsonObject[] {
  const items = page['items']
  return Array.isArray(items) ? items.filter((item) => isJsonObject(item)) : []
}

export function withQuery(path: string, query: Readonly<Record<string, string | undefined>>): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, value)
  const text = search.toString()
  return text === '' ? path : `${path}?${text}`
}
