import { encodeForm } from '../core/provider/form.ts'
import { NotSent, type ProviderRequest } from '../core/provider/wire.ts'

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** Visible ASCII, space, tab and obs-text; no CR, LF or NUL, which would start another field or request. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/
/** Set here alone: framing and connection belong to the sender. */
const OWN = new Set(['host', 'connection', 'content-length', 'transfer-encoding', 'expect', 'upgrade', 'te', 'trailer', 'accept-encoding', 'authorization'])

/**
 * One request as the bytes of HTTP/1.1 (RFC 9112), head and body together so that they leave in one write.
 * @throws NotSent `invalid_request` when a header or the address cannot be written safely.
 */
export function encodeRequest(request: ProviderRequest, url: URL, keepAlive: boolean): Buffer {
  const body = request.body === null ? null : Buffer.from(request.body, 'utf8')
  let head = `${request.method} ${url.pathname}${url.search} HTTP/1.1\r\nhost: ${url.host}\r\nconnection: ${keepAlive ? 'keep-alive' : 'close'}\r\naccept-encoding: identity\r\n`
  for (const [name, value] of Object.entries(request.headers)) {
    const key = name.toLowerCase()
    if (OWN.has(key) && key !== 'authorization') continue
    if (key === 'authorization' && request.basic !== null) continue
    head += field(key, value)
  }
  if (request.headers.accept === undefined) head += 'accept: application/json\r\n'
  if (request.headers['user-agent'] === undefined) head += 'user-agent: evergrant\r\n'
  if (request.basic !== null) head += field('authorization', basicOf(request.basic))
  if (body !== null || request.method !== 'GET') head += `content-length: ${body?.length ?? 0}\r\n`
  const bytes = Buffer.from(`${head}\r\n`, 'latin1')
  return body === null ? bytes : Buffer.concat([bytes, body])
}

function field(name: string, value: string): string {
  if (!TOKEN.test(name) || !VALUE.test(value))
    throw new NotSent('invalid_request', `the header ${TOKEN.test(name) ? name : 'name'} has characters that HTTP does not allow`)
  return `${name}: ${value}\r\n`
}

/** RFC 6749 section 2.3.1: both parts are form-encoded first, unless the provider wants them raw (RFC 7617). */
function basicOf({ username, password, raw }: NonNullable<ProviderRequest['basic']>): string {
  const encode = (text: string): string => (raw === true ? text : encodeForm({ _: text }).slice(2))
  return `Basic ${Buffer.from(`${encode(username)}:${encode(password)}`, 'utf8').toString('base64')}`
}
