import type { FastifyReply } from 'fastify'
import type { FaultCode } from '../../core/fault/fault.ts'
import { PROOF_ALGORITHMS } from '../../core/proof/dpop.ts'

/** Marks a refusal as ours, for a client whose requests also reach other servers. The handler did not run: the request may be sent again. */
const MARKS: Partial<Record<FaultCode, 'missing' | 'expired' | 'revoked' | 'scope'>> = {
  unauthenticated: 'missing',
  session_missing: 'missing',
  access_token_expired: 'expired',
  session_expired: 'expired',
  session_signed_out: 'revoked',
  session_revoked: 'revoked',
  session_reuse_detected: 'revoked',
  role_missing: 'scope',
}

/** Challenges of a refused proof of possession (RFC 9449 section 7.1). */
const PROOF_ERRORS: Partial<Record<FaultCode, string>> = { dpop_proof_invalid: 'invalid_dpop_proof', dpop_nonce_required: 'use_dpop_nonce' }

/** `Evergrant-Auth` and the challenge (RFC 6750 section 3) of a refusal, as docs/reference/session-protocol.md promises. */
export function authHeaders(reply: FastifyReply, code: FaultCode, status: number, nonce: () => string): void {
  const mark = MARKS[code]
  if (mark !== undefined) reply.header('evergrant-auth', mark)
  if (status !== 401) return
  const proofError = PROOF_ERRORS[code]
  if (code === 'dpop_nonce_required') reply.header('dpop-nonce', nonce())
  if (proofError !== undefined) reply.header('www-authenticate', `DPoP error="${proofError}", algs="${PROOF_ALGORITHMS.join(' ')}"`)
  else reply.header('www-authenticate', mark !== undefined && code !== 'unauthenticated' ? 'Bearer error="invalid_token"' : 'Bearer realm="evergrant"')
}
