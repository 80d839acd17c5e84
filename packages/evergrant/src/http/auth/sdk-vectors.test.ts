import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { makeSdkVectors, type SdkVectors, vectorsText } from '../../testing/sdk-vectors.ts'

const FILE = new URL('../../../../../docs/reference/sdk-protocol-vectors.json', import.meta.url)
const vectors: SdkVectors = JSON.parse(readFileSync(FILE, 'utf8'))

/** `other_key` and `used_before` are told apart by what the server knows, not by the proof. */
const PROOFS =
  'missing more_than_one malformed type_wrong algorithm_refused key_wrong key_private claims_incomplete signature_wrong method_wrong target_wrong access_token_wrong credential_wrong nonce_needed'
const TOKENS =
  'dpop_nonce_required enrolment_code_invalid authorization_pending slow_down device_denied workload_refused sdk_token_invalid use_refresh reissued_too_often reload_credentials attempt_over installation_locked credentials_copied sdk_token_expired sdk_token_rotated recovery_forbidden recovery_disabled recovery_denied recovery_limit_reached recovery_cooldown installation_retired agent_suspended agent_revoked owner_inactive rekey_required'

test('the published vectors are what the server answers today, to the byte', async () => {
  const now = await makeSdkVectors(vectors)
  expect(now.proofs.map(({ title, result }) => [title, result])).toEqual(vectors.proofs.map(({ title, result }) => [title, result]))
  expect(vectorsText(now)).toBe(vectorsText(vectors))
})

test('each row of the page has its request and its answer, for refresh and for recovery', () => {
  const page = readFileSync(new URL('sdk-protocol.md', FILE), 'utf8')
  const rows = [...page.matchAll(/^\| ([^|`*]+) \| [^|]*\d{3}[^|]* \| [^|]+ \|$/gm)].map(([, row = '']) => row.trim())
  expect(rows.length).toBeGreaterThan(9)
  const covered = vectors.exchanges.map(({ row }) => row)
  expect(rows.filter((row) => !covered.some((one) => row.startsWith(one)))).toEqual([])
})

test('every refusal of a proof, and every refusal of a token that the page names, is among them', () => {
  const results = new Set(vectors.proofs.map(({ result }) => result))
  expect(PROOFS.split(' ').filter((result) => !results.has(result))).toEqual([])
  const codes = new Set(vectors.exchanges.map(({ answer }) => (answer.body as { readonly code?: string }).code))
  expect(TOKENS.split(' ').filter((code) => !codes.has(code))).toEqual([])
})
