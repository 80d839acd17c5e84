import { Type } from 'typebox'
import type { SdkOpened } from '../../core/agent/sdk-credentials.ts'
import { DAY } from '../../core/time.ts'
import { iso } from '../connection-view.ts'
import { nullable, Time } from '../schema.ts'

/** What every route answers that gives a machine its credentials. docs/reference/sdk-protocol.md, "Token answer". */
export const SdkAnswer = Type.Object({
  access_token: Type.String(),
  token_type: Type.String({ description: '`DPoP`, or `Bearer` where it was asked for and the policy of the agent gives it.' }),
  expires_in: Type.Integer({ description: 'Seconds.' }),
  refresh_token: Type.String({ description: 'Worthless without the key. The same attempt always gets the same bytes.' }),
  refresh_expires_at: Time,
  generation: Type.Integer(),
  attempt_id: Type.String({ description: 'Of the request that made this refresh token.' }),
  server_time: Time,
  installation: Type.Object({
    id: Type.String(),
    name: Type.String(),
    status: Type.String(),
    key_thumbprint: Type.String({ description: 'RFC 7638, SHA-256.' }),
    expires_at: nullable(Type.String({ description: 'The absolute end, which nothing extends.' })),
  }),
  agent: Type.Object({ id: Type.String(), name: Type.String(), status: Type.String() }),
  organization: Type.Object({ id: Type.String(), name: Type.String() }),
  metadata: Type.Object({
    source: Type.String({ description: '`enrolment`, `token_rotation`, `token_reissue`, `token_recovery`, `roll_forward` or `re_key`.' }),
    recovered_from: nullable(Type.String({ description: 'After a recovery: the token that it replaced.' })),
    recovery_reason: nullable(Type.String({ description: '`expired`, `hygiene`, `policy`, `key_rollover` or `approved`.' })),
  }),
  recovery: Type.Object({
    mode: Type.String(),
    remaining: nullable(Type.Integer({ description: 'Recoveries that are left in the window; null where none is counted.' })),
    limit: nullable(Type.Integer({ description: 'Recoveries that a window has in all; null where none is counted.' })),
    window_days: Type.Number(),
  }),
})

/** The body of such an answer. */
export function sdkAnswer({ standing: { installation, agent }, token, organization, ...opened }: SdkOpened) {
  return {
    access_token: opened.accessToken,
    token_type: opened.tokenType,
    expires_in: opened.expiresIn,
    refresh_token: opened.refreshToken,
    refresh_expires_at: iso(token.expiresAt),
    generation: token.generation,
    attempt_id: token.attempt,
    server_time: iso(opened.serverTime),
    installation: {
      id: installation.id,
      name: installation.name,
      status: installation.status,
      key_thumbprint: installation.keyThumbprint,
      expires_at: installation.expiresAt === null ? null : iso(installation.expiresAt),
    },
    agent: { id: agent.id, name: agent.name, status: agent.status },
    organization: { id: organization.id, name: organization.name },
    metadata: token.metadata,
    recovery: {
      mode: opened.recovery.mode,
      remaining: opened.recovery.remaining,
      limit: opened.recovery.limit,
      window_days: Math.round((opened.recovery.windowMs / DAY) * 100) / 100,
    },
  }
}
