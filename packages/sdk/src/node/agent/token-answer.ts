import { isRecord, type JsonRecord } from '../../proof/jws.ts'
import { AgentClientError } from './client-errors.ts'
import type { Identity, KeyReference, Profile, Recovery } from './credential-file.ts'
import { recordOf, textOf } from './server-link.ts'

interface TokenMetadata {
  readonly source: string
  readonly recovered_from: string | null
  readonly recovery_reason: string | null
}

/** What a token answer brings. `docs/reference/sdk-protocol.md`. */
interface TokenAnswer extends Identity {
  readonly access_token: string
  readonly token_type: string
  readonly expires_in: number
  readonly refresh_token: string
  readonly refresh_expires_at: string
  readonly generation: number
  /** The key of the installation from now on; null where the server does not say. */
  readonly key_thumbprint: string | null
  readonly metadata: TokenMetadata
  readonly recovery: Recovery | null
}

/** @throws EvergrantError `invalid_answer` for a 200 that lacks what the protocol promises: nothing is stored then, and the attempt can be repeated */
export function readTokenAnswer(body: JsonRecord): TokenAnswer {
  const [access_token, refresh_token] = [textOf(body, 'access_token'), textOf(body, 'refresh_token')]
  const { expires_in, generation } = body
  const [installation, agent, organization] = [recordOf(body, 'installation'), recordOf(body, 'agent'), recordOf(body, 'organization')]
  if (
    access_token === null ||
    refresh_token === null ||
    typeof expires_in !== 'number' ||
    typeof generation !== 'number' ||
    textOf(installation, 'id') === null
  )
    throw new AgentClientError({ status: 200, code: 'invalid_answer', detail: 'The answer has no tokens of Evergrant: is there a proxy in between?' })
  const metadata = recordOf(body, 'metadata')
  return {
    access_token,
    refresh_token,
    expires_in,
    generation,
    key_thumbprint: textOf(installation, 'key_thumbprint'),
    token_type: textOf(body, 'token_type') ?? 'DPoP',
    refresh_expires_at: textOf(body, 'refresh_expires_at') ?? '',
    installation: { ...named(installation), status: textOf(installation, 'status') ?? 'active', expires_at: textOf(installation, 'expires_at') },
    agent: { ...named(agent), status: textOf(agent, 'status') ?? 'pending' },
    organization: named(organization),
    metadata: {
      source: textOf(metadata, 'source') ?? 'token_rotation',
      recovered_from: textOf(metadata, 'recovered_from'),
      recovery_reason: textOf(metadata, 'recovery_reason'),
    },
    recovery: recoveryOf(body['recovery']),
  }
}

function named(record: JsonRecord): { readonly id: string; readonly name: string } {
  return { id: textOf(record, 'id') ?? '', name: textOf(record, 'name') ?? '' }
}

function recoveryOf(value: unknown): Recovery | null {
  if (!isRecord(value)) return null
  const { remaining, window_days: days, limit } = value
  return {
    mode: textOf(value, 'mode') ?? 'standard',
    remaining: typeof remaining === 'number' ? remaining : null,
    window_days: typeof days === 'number' ? days : 30,
    ...(typeof limit === 'number' ? { limit } : {}),
  }
}

/** What stays of a profile when tokens are replaced. */
interface ProfileBase {
  readonly server: string
  readonly name: string
  readonly key: KeyReference
  readonly machine: string | null
  readonly enrolled_with: string | null
}

/** The profile that an answer makes, for storing. `sentAt`: lifetimes count from when the request was sent, so that none is believed too long. */
export function profileOf(base: ProfileBase, answer: TokenAnswer, sentAt: number): Profile {
  const { metadata: _metadata, key_thumbprint: _thumbprint, ...kept } = answer
  const { server, name, key, machine, enrolled_with } = base
  return { server, name, ...kept, received_at: sentAt, key, next_key: null, intent: null, failure: null, machine, enrolled_with }
}
