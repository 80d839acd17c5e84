import { Fault } from '../fault/fault.ts'
import { SECOND } from '../time.ts'
import { signAws } from './aws-signature.ts'
import { decodeBase64Url } from './base64url.ts'
import type { ProviderContext } from './context.ts'
import { encodeForm, encodeQuery, withQuery } from './form.ts'
import type { SignatureFacts, TokenFacts } from './record.ts'
import { addressParts } from './request-address.ts'
import { sendableSecret } from './values.ts'
import type { ProviderRequest } from './wire.ts'

interface Sending {
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

/** The request with the signatures that its record wants. @throws Fault `invalid_request` when nothing here signs, or the key cannot */
export function signRequest(context: ProviderContext, request: ProviderRequest): ProviderRequest {
  const { signature, awsSignature } = context.record.token
  const signed = signature === null ? request : signBody(context, request, signature)
  return awsSignature === null ? signed : signAws(context, signed, awsSignature)
}

function signBody(context: ProviderContext, request: ProviderRequest, facts: SignatureFacts): ProviderRequest {
  const ports = context.signing
  if (ports === undefined) throw new Fault('invalid_request', { detail: 'The provider wants a signed request, and nothing here signs.' })
  const timestamp = String(Math.floor(ports.now() / SECOND))
  const secret = context.clientSecret ?? ''
  const { host, path, query } = addressParts(request.url)
  const known: Readonly<Record<string, () => string>> = {
    method: () => request.method,
    host: () => host,
    path: () => (query === '' ? path : `${path}?${query}`),
    body: () => request.body ?? '',
    body_sha256: () => ports.signer.hash('sha256', '', request.body ?? '', 'hex'),
    timestamp: () => timestamp,
    client_id: () => context.clientId,
    client_secret: () => sendableSecret(context) ?? '',
  }
  // A body may be empty, and holds braces of its own: only the record's text is a template.
  const text = facts.text.replace(/\{([a-z0-9_]+)\}/g, (whole, name: string) => (Object.hasOwn(known, name) ? (known[name]?.() ?? '') : whole))
  const { algorithm, encoding } = facts
  const value = algorithm === 'ed25519' ? encoded(ports.signer.sign('EdDSA', secret, text), encoding) : ports.signer.hash(algorithm, secret, text, encoding)
  const headers: Record<string, string> = { ...request.headers, [facts.header.toLowerCase()]: value }
  if (facts.timestampHeader !== null) headers[facts.timestampHeader.toLowerCase()] = timestamp
  return { ...request, headers }
}

/** From base64url, in which signatures come. */
function encoded(signature: string, encoding: SignatureFacts['encoding']): string {
  if (encoding === 'hex') return (decodeBase64Url(signature) ?? []).map((byte) => byte.toString(16).padStart(2, '0')).join('')
  return signature
    .replaceAll('-', '+')
    .replaceAll('_', '/')
    .padEnd(Math.ceil(signature.length / 4) * 4, '=')
}
