import type { TokenAnswer } from '../core/refresh/refresh-engine.ts'

/** A token as the API shows it. */
export function tokenView(answer: TokenAnswer) {
  return {
    access_token: answer.accessToken,
    token_type: answer.tokenType,
    expires_at: answer.expiresAt === null ? null : new Date(answer.expiresAt).toISOString(),
    generation: answer.generation,
    scopes: answer.scopes,
    connection_id: answer.connection,
    status: answer.status,
  }
}
