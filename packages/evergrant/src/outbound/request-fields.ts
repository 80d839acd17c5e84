import { encodeForm } from '../core/provider/form.ts'
import type { ProviderRequest } from '../core/provider/wire.ts'

/** Framing and connection belong to the sender alone. */
const OWN = new Set(['host', 'connection', 'content-length', 'transfer-encoding', 'expect', 'upgrade', 'te', 'trailer', 'accept-encoding'])

/** The header fields of a request, in the order they are sent. Names and values are checked by the HTTP library. */
export function fieldsOf(request: ProviderRequest, url: URL, keepAlive: boolean): Record<string, string> {
  const fields: Record<string, string> = { host: url.host, connection: keepAlive ? 'keep-alive' : 'close', 'accept-encoding': 'identity' }
  for (const [name, value] of Object.entries(request.headers)) if (!OWN.has(name.toLowerCase())) fields[name.toLowerCase()] = value
  fields.accept ??= 'application/json'
  fields['user-agent'] ??= 'evergrant'
  if (request.basic !== null) fields.authorization = basicOf(request.basic)
  if (request.body !== null || request.method !== 'GET') fields['content-length'] = String(Buffer.byteLength(request.body ?? ''))
  return fields
}

/** RFC 6749 section 2.3.1: both parts are form-encoded first, unless the provider wants them raw (RFC 7617). */
function basicOf({ username, password, raw }: NonNullable<ProviderRequest['basic']>): string {
  const encode = (text: string): string => (raw === true ? text : encodeForm({ _: text }).slice(2))
  return `Basic ${Buffer.from(`${encode(username)}:${encode(password)}`, 'utf8').toString('base64')}`
}
