import { Fault } from '../fault/fault.ts'
import type { ClientAuth, ProviderRecord, SigningFacts } from '../provider/record.ts'
import type { Signer } from '../provider/signing.ts'
import { isKeyText } from '../provider/values.ts'

export interface ClientKeyPorts {
  /** Without it, keys are not tried before they are stored. */
  readonly signer?: Pick<Signer, 'sign'>
  /** What is wrong with the PEM of a client certificate and its key, as the end of a sentence; null when nothing is. */
  readonly certificateProblem?: (pem: string) => string | null
}

/**
 * A client secret that is a key is tried before it is stored: afterwards every connection would stop because of it.
 * @throws Fault `invalid_request` naming the field and the remedy
 */
export function checkClientKey(record: ProviderRecord, secret: string | null, ports: ClientKeyPorts): void {
  const algorithm = signsWithSecret(record, secret)
  if (algorithm !== null) return checkSigningKey(record, algorithm, secret, ports)
  if (record.token.awsSignature !== null && secret === null && record.grant !== 'client_credentials')
    throw missing(record, 'signs its requests as AWS does: `client_secret` must be the secret access key, and `client_id` the access key id')
  if (!authenticatesBy(record, 'tls') || (record.grant === 'client_credentials' && secret === null)) return
  if (secret === null)
    throw missing(record, 'shows a client certificate: `client_secret` must be the PEM of the certificate and of its private key, one after the other')
  const problem = ports.certificateProblem?.(secret) ?? null
  if (problem !== null) throw refused(`\`client_secret\` must be the PEM of a client certificate and of its private key: it ${problem}.`)
}

function checkSigningKey(record: ProviderRecord, algorithm: SigningFacts['algorithm'], secret: string | null, { signer }: ClientKeyPorts): void {
  const wanted = `\`client_secret\` must be the private key that signs (${algorithm}): PEM or JWK`
  if (secret === null) throw missing(record, `signs its requests: ${wanted}`)
  try {
    signer?.sign(algorithm, secret, 'a key is tried before it is stored')
  } catch (error) {
    if (error instanceof Fault) throw refused(`${wanted}. ${error.details.detail ?? error.message}`)
    throw error
  }
}

/** The algorithm of the signature that this secret will make; null where it is no key. Connections may bring keys of their own, where the grant lets them. */
function signsWithSecret(record: ProviderRecord, secret: string | null): SigningFacts['algorithm'] | null {
  const { signing, signature } = record.token
  const { grant } = record
  if (grant === 'client_credentials' && secret === null) return null
  if (signature?.algorithm === 'ed25519') return 'EdDSA'
  if (signing === null) return null
  if (authenticatesBy(record, 'signed_secret') || authenticatesBy(record, 'private_key_jwt')) return signing.algorithm
  if (grant === 'installation') return secret === null ? null : signing.algorithm
  // Beside the keys of connections it may be the client's password.
  return grant === 'jwt_bearer' && isKeyText(secret) ? signing.algorithm : null
}

function authenticatesBy({ token }: ProviderRecord, auth: ClientAuth): boolean {
  return token.clientAuth === auth || token.refresh.clientAuth === auth
}

function missing(record: ProviderRecord, what: string): Fault {
  return refused(`${record.name} ${what}.`)
}

function refused(detail: string): Fault {
  return new Fault('invalid_request', { field: '/client_secret', detail })
}
