import type { ClientAuth, ProviderRecord } from '../../core/provider/record.ts'
import type { TokenStep } from '../../core/provider/verdict.ts'
import type { Client, Received } from './received-request.ts'
import { proofProblems } from './request-proofs.ts'

type Table = Readonly<Record<string, string>>

/** What a strict server of this record would refuse in a request to its token endpoint; none: it is as the record says. */
export function tokenRequestProblems(record: ProviderRecord, step: TokenStep, received: Received, client: Client): string[] {
  const own = record.token.refresh
  const refreshing = step === 'refresh'
  const method = (refreshing ? own.method : null) ?? record.token.method
  const format = (refreshing ? own.bodyFormat : null) ?? record.token.bodyFormat
  const rename = (refreshing ? own.rename : null) ?? record.token.rename
  const omit = (refreshing ? own.omit : null) ?? record.token.omit
  const auth = (refreshing ? own.clientAuth : null) ?? record.token.clientAuth
  const sent = { ...received.query, ...received.body }
  const extra = Object.keys(refreshing ? record.token.refreshParameters : record.token.exchangeParameters)
  return [
    ...(received.method === method ? [] : [`${step}: ${received.method} instead of ${method}`]),
    ...(method === 'GET' ? [] : formatProblems(step, format, received)),
    ...omit.filter((name) => name in sent && !extra.includes(name)).map((name) => `${step}: ${name} must not be sent`),
    ...extra.filter((name) => !(name in sent)).map((name) => `${step}: ${name} is missing`),
    ...Object.keys(record.token.signature === null ? {} : { [record.token.signature.header.toLowerCase()]: '' })
      .filter((name) => received.headers[name] === undefined)
      .map((name) => `${step}: the signature in ${name} is missing`),
    ...proofProblems(record, received, client).map((problem) => `${step}: ${problem}`),
    ...clientProblems(auth, { rename, omit }, received, client).map((problem) => `${step}: ${problem}`),
  ]
}

const CONTENT_TYPES = { form: 'application/x-www-form-urlencoded', json: 'application/json', xml: 'application/xml', query: '' } as const

function formatProblems(step: TokenStep, format: keyof typeof CONTENT_TYPES, { headers, query, text }: Received): string[] {
  if (format === 'query') return text === '' && Object.keys(query).length > 0 ? [] : [`${step}: the parameters belong into the query`]
  const type = String(headers['content-type'] ?? '')
  return type.startsWith(CONTENT_TYPES[format]) ? [] : [`${step}: a body of ${type || 'no type'} instead of ${CONTENT_TYPES[format]}`]
}

function clientProblems(auth: ClientAuth, names: { readonly rename: Table; readonly omit: readonly string[] }, received: Received, client: Client): string[] {
  const sent: Table = { ...received.query, ...received.body }
  const at = (name: string) => (names.omit.includes(name) ? null : (sent[names.rename[name] ?? name] ?? null))
  const header = String(received.headers.authorization ?? '')
  const basic = header.startsWith('Basic ') ? Buffer.from(header.slice(6), 'base64').toString('utf8') : null
  const said = (holds: boolean, what: string) => (holds ? [] : [`the client does not prove itself: ${what}`])
  const omitted = (name: string) => names.omit.includes(name)
  switch (auth) {
    case 'body':
      return said(
        (omitted('client_id') || at('client_id') === client.id) && (omitted('client_secret') || at('client_secret') === client.secret),
        'id and secret in the body',
      )
    case 'basic':
    case 'basic_raw':
      return said(basic === `${encodeURIComponent(client.id)}:${encodeURIComponent(client.secret)}`, 'HTTP Basic')
    case 'secret_as_username':
      return said(basic === `${client.secret}:`, 'the secret as the user name of HTTP Basic')
    case 'header':
      return said(header !== '', 'an Authorization header')
    case 'signed_secret':
      return said(at('client_secret')?.split('.').length === 3, 'a signed client secret')
    case 'private_key_jwt':
      return said(sent.client_assertion?.split('.').length === 3, 'a signed assertion')
    case 'none':
    case 'tls':
      return said(omitted('client_id') || at('client_id') === client.id, 'its id')
  }
}

/** What a strict authorization endpoint of this record would refuse (RFC 6749 section 4.1.1, RFC 7636 section 4.3). */
export function authorizeProblems(record: ProviderRecord, sent: Table, client: Client): string[] {
  const { authorize } = record
  const at = (name: string) => sent[authorize.rename[name] ?? name]
  const missing = ['client_id', 'redirect_uri', 'response_type', 'state'].filter((name) => !authorize.omit.includes(name) && at(name) === undefined)
  const challenge = at('code_challenge')
  return [
    ...missing.map((name) => `authorize: ${name} is missing`),
    ...authorize.omit.filter((name) => name in sent && !(name in authorize.parameters)).map((name) => `authorize: ${name} must not be sent`),
    ...Object.keys(authorize.parameters)
      .filter((name) => sent[name] === undefined)
      .map((name) => `authorize: ${name} is missing`),
    ...(at('client_id') === undefined || at('client_id') === client.id ? [] : ['authorize: it is another client']),
    ...(authorize.pkce === 'required' && (challenge === undefined || at('code_challenge_method') !== 'S256') ? ['authorize: PKCE with S256 is missing'] : []),
    ...(authorize.pkce === 'unsupported' && challenge !== undefined ? ['authorize: PKCE must not be sent'] : []),
  ]
}
