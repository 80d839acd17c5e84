import { Fault } from '../fault/fault.ts'
import type { ProviderContext } from './context.ts'
import { basicDateTime } from './dates.ts'
import { percentEncode } from './form.ts'
import { fillPlain } from './jwt.ts'
import type { AwsSignatureFacts } from './record.ts'
import { addressParts } from './request-address.ts'
import { valuesOf } from './values.ts'
import type { ProviderRequest } from './wire.ts'

const ALGORITHM = 'AWS4-HMAC-SHA256'
const TERMINATOR = 'aws4_request'

/**
 * The request signed with AWS Signature Version 4, in its Authorization header (IAM user guide, "Create a signed AWS API
 * request"). The client id is the access key id, the client secret the secret access key, which is never sent. Signed are the
 * host, the content type and every `x-amz-` header, a session token among them. Paths are encoded twice, as every service but S3
 * wants it. @throws Fault `invalid_request` when nothing here signs, there is no secret, or the region is not known
 */
export function signAws(context: ProviderContext, request: ProviderRequest, facts: AwsSignatureFacts): ProviderRequest {
  const ports = context.signing
  if (ports === undefined) throw new Fault('invalid_request', { detail: 'The provider wants a signed request, and nothing here signs.' })
  const { clientSecret: secret, clientId, record } = context
  if (secret === null)
    throw new Fault('invalid_request', {
      field: '/integration',
      detail: `${record.name} needs a secret access key: store it as the client secret of the integration, and the access key id as its client id.`,
    })
  const region = fillPlain(facts.region, valuesOf(context))
  if (region === null || !/^[a-z0-9-]+$/.test(region))
    throw new Fault('invalid_request', {
      field: 'token.awsSignature.region',
      detail: `The AWS region of ${record.name} is missing or malformed. Example: eu-west-1`,
    })
  const at = basicDateTime(ports.now())
  const scope = [at.slice(0, 8), region, facts.service, TERMINATOR]
  const { authorization: _, ...own } = request.headers
  const headers: Record<string, string> = { ...own, 'x-amz-date': at }
  const hash = (text: string): string => ports.signer.hash('sha256', '', text, 'hex')
  const signed = signedHeaders(request.url, headers)
  const names = signed.map(([name]) => name).join(';')
  const canonical = canonicalRequest(request, signed, names, hash(request.body ?? ''))
  const text = [ALGORITHM, at, scope.join('/'), hash(canonical)].join('\n')
  const signature = ports.signer.hmacChain(`AWS4${secret}`, [...scope, text])
  headers.authorization = `${ALGORITHM} Credential=${clientId}/${scope.join('/')}, SignedHeaders=${names}, Signature=${signature}`
  return { ...request, headers }
}

function signedHeaders(url: string, headers: Readonly<Record<string, string>>): (readonly [string, string])[] {
  const chosen = Object.entries(headers).filter(([name]) => name === 'content-type' || name.startsWith('x-amz-'))
  const all: [string, string][] = [...chosen, ['host', addressParts(url).host]]
  return all.map(([name, value]) => [name, value.trim().replace(/ {2,}/g, ' ')] as const).sort(byName)
}

function canonicalRequest({ method, url }: ProviderRequest, signed: readonly (readonly [string, string])[], names: string, bodyHash: string): string {
  const { path, query } = addressParts(url)
  const lines = signed.map(([name, value]) => `${name}:${value}\n`).join('')
  return [method, path.split('/').map(percentEncode).join('/'), canonicalQuery(query), lines, names, bodyHash].join('\n')
}

/** Sorted by name, then value, each encoded once, whatever the address had of it. */
function canonicalQuery(query: string): string {
  if (query === '') return ''
  const pairs = query.split('&').map((pair): [string, string] => {
    const cut = pair.indexOf('=')
    const [name, value] = cut < 0 ? [pair, ''] : [pair.slice(0, cut), pair.slice(cut + 1)]
    return [encodedOnce(name), encodedOnce(value)]
  })
  return pairs
    .sort((a, b) => byName(a, b) || byText(a[1], b[1]))
    .map((pair) => pair.join('='))
    .join('&')
}

function encodedOnce(text: string): string {
  try {
    return percentEncode(decodeURIComponent(text))
  } catch {
    return percentEncode(text)
  }
}

function byName([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return byText(a, b)
}

/** By code unit, as everything here is ASCII. */
function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
