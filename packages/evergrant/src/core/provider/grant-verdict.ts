import type { RenewedGrant } from './grant-kind.ts'
import { hasOwnSecret, type OwnCredentials } from './own-credentials.ts'
import type { Verdict } from './verdict.ts'

/** Refusals of RFC 6749 section 5.2 that are about who asks. */
const ABOUT_THE_CLIENT = new Set(['invalid_client', 'unauthorized_client'])

/**
 * What a verdict means where no owner granted anything. A refusal is about the credentials that we present: those of one
 * connection end that connection alone, those of the integration block it. A refresh token beside the access token (against
 * RFC 6749 section 4.4.3) is left: what we hold asks again just as well.
 */
export function machineVerdict(verdict: Verdict, grant: RenewedGrant, credentials: OwnCredentials): Verdict {
  const { said } = verdict
  switch (verdict.kind) {
    case 'granted':
      return { ...verdict, grant: { ...verdict.grant, refreshToken: null, refreshExpiresAt: null } }
    case 'dead':
      // Other credentials would not help: an administrator has to allow it.
      if (verdict.code === 'admin_approval_required') return verdict
      return { ...verdict, code: 'new_credentials_needed' }
    case 'config': {
      const about = said.httpStatus === 401 || ABOUT_THE_CLIENT.has(said.code ?? '')
      return hasOwnSecret(grant, credentials) && about ? { kind: 'dead', code: 'new_credentials_needed', said } : verdict
    }
    default:
      return verdict
  }
}
