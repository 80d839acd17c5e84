import type { AgentConnections } from '@evergrant/sdk/node'
import type { Limits } from './limits.ts'
import { markedAsData } from './untrusted.ts'

/** One request that an AI agent wants sent. */
export interface Call {
  readonly connection: string
  readonly method: string
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  /** JSON; undefined: no body. */
  readonly body: unknown
}

/** Refused here, before anything was sent. Its message is for the AI agent: what was wrong, and what to do instead. */
export class RefusedCall extends Error {}

const PATH_MAX = 2_000
const TEXT = /^(text\/|application\/([\w.-]+\+)?(json|xml|x-ndjson|yaml|javascript)\b|application\/x-www-form-urlencoded\b)/
const MEDIA_TYPE = /^[\w.+-]{1,60}\/[\w.+-]{1,80}/

/** @throws RefusedCall */
export function requireAllowed({ method, path, body }: Call, { methods, paths, requestBytes }: Limits): void {
  if (!methods.includes(method)) throw new RefusedCall(`This server lets ${methods.join(', ')} through, and not ${method}. Whoever runs it decides that.`)
  requirePlainPath(path)
  const below = (prefix: string): boolean => path === prefix || path.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`)
  if (!paths.some(below)) throw new RefusedCall(`This server lets calls below ${paths.join(', ')} through, and not ${path}. Whoever runs it decides that.`)
  if (body === undefined) return
  if (method === 'GET' || method === 'HEAD') throw new RefusedCall(`${method} takes no body. Put what you want into \`query\`.`)
  const bytes = Buffer.byteLength(JSON.stringify(body))
  if (bytes > requestBytes) throw new RefusedCall(`The body has ${bytes} bytes, and ${requestBytes} are allowed. Send less at once.`)
}

/** A path that means the same to everybody who reads it: nothing in it climbs, names a host, or is another path once it is decoded. */
function requirePlainPath(path: string): void {
  const refuse = (why: string): never => {
    throw new RefusedCall(`The path ${why}. Write it as the API documents it, like /v1/items/42, and put parameters into \`query\`.`)
  }
  if (path.length > PATH_MAX) refuse(`is longer than ${PATH_MAX} characters`)
  if (!path.startsWith('/') || path.startsWith('//')) refuse('must begin with one slash')
  if (!/^[\w\-.~!$&'()*+,;=:@%/]*$/.test(path)) refuse('holds a character that no path holds: encode it')
  if (/%(?![0-9a-f]{2})|%(2[ef]|5c|00|25)/i.test(path)) refuse('holds an encoded dot, slash, backslash or percent sign')
  if (path.split('/').some((segment) => segment === '.' || segment === '..')) refuse('holds a segment of dots')
}

interface CallParts {
  readonly connections: Pick<AgentConnections, 'proxy'>
  readonly limits: Limits
  readonly signal: AbortSignal
}

/** Sends it through Evergrant, which adds the token. What the API answered, as text for a language model. @throws EvergrantError */
export async function sendCall({ connections, limits, signal }: CallParts, { connection, method, path, query, body }: Call): Promise<string> {
  const search = new URLSearchParams(query).toString()
  const response = await connections.proxy(connection, search === '' ? path : `${path}?${search}`, {
    method,
    headers: { 'evergrant-deadline': String(limits.seconds), ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.any([signal, AbortSignal.timeout((limits.seconds + 5) * 1_000)]),
  })
  const type = MEDIA_TYPE.exec(response.headers.get('content-type') ?? '')?.[0] ?? 'of no known kind'
  const { bytes, cut } = await beginningOf(response, limits.answerBytes)
  const said = [`The API answered ${method} ${path} with status ${response.status}.`]
  if (bytes.length === 0) return [...said, 'The answer is empty.'].join(' ')
  if (!TEXT.test(type)) return [...said, `The answer is ${type}, which is not shown.`].join(' ')
  if (cut) said.push(`Only its first ${limits.answerBytes} bytes are shown: ask for less at once.`)
  return `${said.join(' ')} (${type})\n${markedAsData('the API of this connection', new TextDecoder().decode(bytes))}`
}

/** No more than `most` bytes, and the rest is never read. */
async function beginningOf({ body }: Response, most: number): Promise<{ readonly bytes: Uint8Array; readonly cut: boolean }> {
  const parts: Uint8Array[] = []
  let length = 0
  if (body !== null)
    for await (const part of body) {
      parts.push(part)
      length += part.length
      // Leaving the loop cancels the body.
      if (length > most) break
    }
  return { bytes: Buffer.concat(parts).subarray(0, most), cut: length > most }
}
