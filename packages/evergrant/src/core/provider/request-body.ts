import { Fault } from '../fault/fault.ts'
import { SECOND } from '../time.ts'
import type { ProviderContext } from './context.ts'
import { encodeForm, encodeQuery, withQuery } from './form.ts'
import type { SignatureFacts, TokenFacts } from './record.ts'
import type { ProviderRequest } from './wire.ts'

export interface Sending {
  readonly method: ProviderRequest['method']
  readonly format: TokenFacts['bodyFormat']
  readonly headers: Readonly<Record<string, string>>
}

/** A request with its parameters where the record wants them. */
export function compose(url: string, how: Sending, parameters: Readonly<Record<string, string>>, basic: ProviderRequest['basic']): ProviderRequest {
  switch (how.format) {
    case 'query':
      return { method: how.method, url: withQuery(url, encodeQuery(parameters)), headers: how.headers, basic, body: null }
    case 'form':
      return withBody(url, how, basic, 'application/x-www-form-urlencoded', encodeForm(parameters))
    case 'json':
      return withBody(url, how, basic, 'application/json', JSON.stringify(parameters))
    case 'xml':
      return withBody(url, how, basic, 'application/xml', encodeXml(parameters))
  }
}

function withBody(url: string, how: Sending, basic: ProviderRequest['basic'], type: string, body: string): ProviderRequest {
  return { method: how.method, url, headers: { ...how.headers, 'content-type': type }, basic, body }
}

const XML_NAME = /^[A-Za-z_][A-Za-z0-9._-]*$/
/** Everything that XML 1.0 section 2.2 has no place for, lone surrogates included. */
const NO_XML_TEXT = /[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu
const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' }

/** `<request>` with one element for each parameter. */
function encodeXml(parameters: Readonly<Record<string, string>>): string {
  const elements = Object.entries(parameters).map(([name, value]) => {
    if (!XML_NAME.test(name)) throw new Fault('client_rejected', { detail: `"${name}" cannot be the name of an XML element: rename it in the record.` })
    const text = value.replace(NO_XML_TEXT, '\uFFFD').replace(/[&<>"']/g, (sign) => ESCAPES[sign] ?? sign)
    return `<${name}>${text}</${name}>`
  })
  return `<?xml version="1.0" encoding="UTF-8"?><request>${elements.join('')}</request>`
}

/** The request with a signature over its body as it is sent. @throws Fault `invalid_request` when nothing here signs */
export function signBody(context: ProviderContext, request: ProviderRequest, facts: SignatureFacts): ProviderRequest {
  const ports = context.signing
  if (ports === undefined) throw new Fault('invalid_request', { detail: 'The provider wants a signed request, and nothing here signs.' })
  const timestamp = String(Math.floor(ports.now() / SECOND))
  const secret = context.clientSecret ?? ''
  const known: Readonly<Record<string, string>> = { body: request.body ?? '', timestamp, client_id: context.clientId, client_secret: secret }
  // A body may be empty, and holds braces of its own: only the record's text is a template.
  const text = facts.text.replace(/\{(body|timestamp|client_id|client_secret)\}/g, (_, name: string) => known[name] ?? '')
  const headers: Record<string, string> = { ...request.headers, [facts.header.toLowerCase()]: ports.signer.hash(facts.algorithm, secret, text, facts.encoding) }
  if (facts.timestampHeader !== null) headers[facts.timestampHeader.toLowerCase()] = timestamp
  return { ...request, headers }
}
