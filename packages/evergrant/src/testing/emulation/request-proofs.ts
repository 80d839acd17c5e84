import { createHash, createHmac, createPublicKey, verify } from 'node:crypto'
import type { ProviderRecord } from '../../core/provider/record.ts'
import type { Client, Received } from './received-request.ts'

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const headerOf = ({ headers }: Received, name: string): string => String(headers[name.toLowerCase()] ?? '')

/** What a server that checks signatures would refuse: it makes each anew from the request as it came, with code of its own. */
export function proofProblems({ token }: ProviderRecord, received: Received, client: Client): string[] {
  const problems: string[] = []
  if (token.signature?.algorithm === 'ed25519' && !ed25519Holds(received, client, token.signature.header, token.signature.timestampHeader ?? ''))
    problems.push('the Ed25519 signature does not verify')
  if (token.awsSignature !== null && !awsHolds(received, client, token.awsSignature.service)) problems.push('the AWS signature is another one')
  if (received.text.includes('PRIVATE KEY') || (token.awsSignature !== null && received.text.includes(client.secret))) problems.push('the key was sent')
  return problems
}

function ed25519Holds(received: Received, client: Client, header: string, timestampHeader: string): boolean {
  const lines = [received.method, headerOf(received, 'host'), received.target, headerOf(received, timestampHeader), sha256(received.text)]
  const signature = Buffer.from(headerOf(received, header), 'base64')
  return verify(null, Buffer.from(lines.join('\n')), createPublicKey(client.secret), signature)
}

/** AWS Signature Version 4, as the general reference lists its steps. */
function awsHolds(received: Received, client: Client, service: string): boolean {
  const parts = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(
    headerOf(received, 'authorization'),
  )
  if (parts === null) return false
  const [, id, day = '', region = '', named, names = '', signature] = parts
  const wanted = ['content-type', 'host', 'x-amz-date', 'x-amz-target']
  if (id !== client.id || named !== service || wanted.some((name) => !names.split(';').includes(name))) return false
  const [path = '', query = ''] = received.target.split('?')
  const lines = names.split(';').map((name) => `${name}:${headerOf(received, name).trim()}\n`)
  const canonical = [received.method, path, query.split('&').sort().join('&'), lines.join(''), names, sha256(received.text)].join('\n')
  const text = ['AWS4-HMAC-SHA256', headerOf(received, 'x-amz-date'), `${day}/${region}/${service}/aws4_request`, sha256(canonical)].join('\n')
  let key: Buffer = Buffer.from(`AWS4${client.secret}`)
  for (const part of [day, region, service, 'aws4_request']) key = createHmac('sha256', key).update(part).digest()
  return createHmac('sha256', key).update(text).digest('hex') === signature
}
