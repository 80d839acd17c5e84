import { isRecord } from '../../proof/jws.ts'
import { storeError } from './client-errors.ts'
import type { KeyCustody } from './key-provider.ts'

export const CREDENTIAL_FILE = 'credentials.json'
const VERSION = 1

/** A key of this machine by name. The key itself is in the key store, once. */
export interface KeyReference {
  readonly thumbprint: string
  readonly custody: KeyCustody
}

/** Written before a request is sent, and gone when its answer is stored: whoever comes after a crash sends the same attempt. */
interface Intent {
  readonly attempt_id: string
  readonly from_generation: number
}

/** Why this very token is not shown again, until `until` (milliseconds; null: as long as it is the token here). */
export interface Failure {
  /** SHA-256 of the token that it is about. */
  readonly token: string
  /** When it was noted, milliseconds. */
  readonly at: number
  /** The page about it. */
  readonly type: string | null
  readonly code: string
  readonly status: number
  readonly detail: string
  readonly action: 'retry' | 'wait' | 'reconnect' | 'sign_in' | 'contact_admin' | 'none'
  readonly retry_at: string | null
  readonly request_id: string | null
  readonly approval: string | null
  readonly until: number | null
}

interface Named {
  readonly id: string
  readonly name: string
}

export interface Identity {
  readonly installation: Named & { readonly status: string; readonly expires_at: string | null }
  readonly agent: Named & { readonly status: string }
  readonly organization: Named
}

export interface Recovery {
  readonly mode: string
  readonly remaining: number | null
  readonly window_days: number
  readonly limit?: number
}

/** One enrolment of this machine at one server. Times are milliseconds since 1970 of this machine's clock. */
export interface Profile extends Identity {
  readonly server: string
  readonly name: string
  readonly generation: number
  readonly refresh_token: string
  readonly refresh_expires_at: string
  readonly access_token: string
  readonly token_type: string
  readonly received_at: number
  readonly expires_in: number
  readonly recovery: Recovery | null
  readonly key: KeyReference
  /** While a key is being replaced, both are kept: only the answer says which one counts. */
  readonly next_key: KeyReference | null
  readonly intent: Intent | null
  readonly failure: Failure | null
  /** Of the machine that enrolled; null where it has no id. */
  readonly machine: string | null
  /** SHA-256 of the code that enrolled it: the same code is not spent again. */
  readonly enrolled_with: string | null
}

/** An enrolment whose answer is not stored yet: the same key and attempt may repeat it. */
export interface PendingEnrolment {
  readonly server: string
  readonly code: string
  readonly attempt_id: string
  readonly key: KeyReference
}

export interface CredentialFile {
  readonly version: 1
  readonly profiles: readonly Profile[]
  readonly pending: readonly PendingEnrolment[]
}

export const NO_CREDENTIALS: CredentialFile = { version: VERSION, profiles: [], pending: [] }

const PROFILE_TEXTS = ['server', 'name', 'refresh_token', 'access_token', 'refresh_expires_at', 'token_type']

/** @throws CredentialStoreError for what is no credential file: it is left as it is */
export function readCredentials(text: string, path: string): CredentialFile {
  const value = parse(text)
  if (!isRecord(value)) throw broken(path, 'It is no JSON object.')
  if (value['version'] !== VERSION) throw broken(path, 'It was written by another version of this client.')
  const { profiles = [], pending = [] } = value
  if (!Array.isArray(profiles) || !profiles.every(isProfile)) throw broken(path, 'A profile in it is not complete.')
  if (!Array.isArray(pending) || !pending.every(isPending)) throw broken(path, 'An enrolment in `pending` is not complete.')
  return { version: VERSION, profiles, pending }
}

export function writeCredentials(file: CredentialFile): string {
  return `${JSON.stringify(file, null, 2)}\n`
}

function isProfile(value: unknown): value is Profile {
  if (!isRecord(value)) return false
  const { generation, received_at, expires_in, key, installation, agent, organization } = value
  const numbers = [generation, received_at, expires_in].every((number) => typeof number === 'number' && Number.isFinite(number))
  const records = [key, installation, agent, organization].every(isRecord)
  return numbers && records && PROFILE_TEXTS.every((name) => typeof value[name] === 'string')
}

const PENDING_TEXTS = ['server', 'code', 'attempt_id']

function isPending(value: unknown): value is PendingEnrolment {
  return isRecord(value) && isRecord(value['key']) && PENDING_TEXTS.every((name) => typeof value[name] === 'string')
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function broken(path: string, why: string): Error {
  return storeError(
    'credential_store_unreadable',
    `${path} cannot be used. ${why} It was left as it is: restore it from where it was changed, or move it away and enrol again: npx @evergrant/sdk enroll <code>.`,
  )
}
