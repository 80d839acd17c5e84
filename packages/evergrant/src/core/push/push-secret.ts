import type { Actor, NewEvent } from '../audit/event.ts'
import { randomToken } from '../connect/random-token.ts'
import type { Integration } from '../connection/integration.ts'
import { Fault } from '../fault/fault.ts'
import { type IntegrationId, newId, type OrganizationId } from '../ids.ts'
import type { ProviderRecord } from '../provider/record.ts'
import { type Seal, SealError } from '../seal/seal.ts'
import { type Clock, DAY, type Entropy, type Instant } from '../time.ts'
import type { Pushes, PushSecrets } from './pushes.ts'

/** A registration at the provider takes the operator a while: the secret before is taken this much longer. */
const OVERLAP_MS = DAY
const PATH_SECRET = /^[A-Za-z0-9_-]{32,128}$/

/** Where pushes of an integration go, as the operator registers it. */
export interface PushAddress {
  /** Holds `{secret}` where the secret belongs. */
  readonly url: string
  /** What makes a push count: the secret in the path, or a signature. */
  readonly proof: 'path' | 'signature'
  /** Who chooses the push secret; null: none is needed, the client secret signs. */
  readonly secretFrom: 'evergrant' | 'provider' | null
  /** The same secret answers the provider's verification. */
  readonly verifies: boolean
}

/** Null when the provider pushes nothing that we know. */
export function pushAddress(record: ProviderRecord, integration: IntegrationId, publicUrl: string): PushAddress | null {
  const { push } = record
  if (push === null) return null
  const path = push.proof.kind === 'none'
  const signs = !path && push.proof.secret === 'push_secret'
  const verifies = push.handshake !== null && push.handshake.token !== null
  return {
    url: `${publicUrl}/hooks/${integration}${path ? '/{secret}' : ''}`,
    proof: path ? 'path' : 'signature',
    secretFrom: path || (verifies && !signs) ? 'evergrant' : signs ? 'provider' : null,
    verifies,
  }
}

interface PushSecretPorts {
  readonly pushes: Pick<Pushes, 'secrets' | 'setSecret'>
  readonly seal: Pick<Seal, 'seal' | 'openText'>
  readonly clock: Clock
  readonly entropy: Entropy
}

/**
 * Sets the secret that the provider gave, or draws one. It is told this once; the one before is taken for another day.
 * @throws Fault `invalid_request` when the record needs another kind of secret
 */
export async function setPushSecret(
  {
    integration,
    record,
    given,
    actor,
  }: { readonly integration: Integration; readonly record: ProviderRecord; readonly given: string | null; readonly actor: Actor },
  ports: PushSecretPorts,
): Promise<{ readonly secret: string; readonly beforeUntil: Instant | null }> {
  const secret = wantedSecret(record, integration.id, given, ports.entropy)
  const now = ports.clock.wall()
  const before = (await ports.pushes.secrets(integration.id))?.secret ?? null
  const beforeUntil = before === null ? null : now + OVERLAP_MS
  const event: NewEvent = {
    id: newId('evt', ports.entropy),
    organization: integration.organization,
    type: 'integration.push_secret_set',
    at: now,
    actor,
    connection: null,
    subject: integration.id,
    data: { drawn: given === null, replaced: before !== null },
  }
  const sealed = ports.seal.seal(secret, secretPlace(integration.organization, integration.id))
  await ports.pushes.setSecret({ integration: integration.id, secret: sealed, before, beforeUntil, setAt: now }, event)
  return { secret, beforeUntil }
}

function wantedSecret(record: ProviderRecord, integration: IntegrationId, given: string | null, entropy: Entropy): string {
  const address = pushAddress(record, integration, '')
  const invalid = (detail: string) => new Fault('invalid_request', { field: '/secret', detail })
  if (address === null) throw new Fault('invalid_request', { field: 'id', detail: `${record.name} pushes nothing that Evergrant knows.` })
  if (address.secretFrom === null) throw invalid(`${record.name} signs its pushes with the client secret; there is no other secret to set.`)
  if (given === null) {
    if (address.secretFrom === 'evergrant') return randomToken(entropy)
    throw invalid(`${record.name} gives the secret that signs its pushes: send it as \`secret\`.`)
  }
  if (address.proof === 'path' && !PATH_SECRET.test(given))
    throw invalid('It becomes a part of the address: 32 to 128 letters, digits, dashes and underscores. Leave `secret` out to have one drawn.')
  return given
}

const secretPlace = (organization: OrganizationId, integration: IntegrationId) => ({ organization, table: 'push_secret', row: integration, column: 'secret' })

/** The secrets that count now, newest first. @throws Fault when the key that sealed them is missing */
export function openPushSecrets(stored: PushSecrets | undefined, organization: OrganizationId, now: Instant, seal: Pick<Seal, 'openText'>): readonly string[] {
  if (stored === undefined) return []
  const { before, beforeUntil } = stored
  const counting = before !== null && beforeUntil !== null && now < beforeUntil ? [stored.secret, before] : [stored.secret]
  try {
    return counting.map((sealed) => seal.openText(sealed, secretPlace(organization, stored.integration)))
  } catch (error) {
    if (error instanceof SealError) throw new Fault(error.code, { detail: `push secret: ${error.message}`, cause: error })
    throw error
  }
}
