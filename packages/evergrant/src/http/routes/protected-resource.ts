import { Type } from 'typebox'
import { PROOF_ALGORITHMS } from '../../core/proof/dpop.ts'
import type { App } from '../schema.ts'

const ProtectedResource = Type.Object({
  resource: Type.String({ description: 'The public address.' }),
  bearer_methods_supported: Type.Array(Type.String()),
  dpop_signing_alg_values_supported: Type.Array(Type.String(), { description: 'What a proof of possession may be signed with: these, and nothing else.' }),
  dpop_bound_access_tokens_required: Type.Boolean({ description: 'False: a session need not be bound to a key. A token that is bound needs its proof.' }),
  resource_documentation: Type.String(),
})

/**
 * What this server accepts, for clients that ask before they call (RFC 9728 section 2). It names no authorization server: Evergrant is none for clients of
 * others. The list of algorithms is the one that proofs are checked with, so it cannot promise more or less (RFC 9449 section 5.1).
 */
export function protectedResourceRoutes(app: App, publicUrl: string): void {
  const document = {
    resource: publicUrl,
    bearer_methods_supported: ['header'],
    dpop_signing_alg_values_supported: [...PROOF_ALGORITHMS],
    dpop_bound_access_tokens_required: false,
    resource_documentation: `${publicUrl}/docs/api`,
  }
  app.get(
    '/.well-known/oauth-protected-resource',
    {
      config: { access: 'public' },
      schema: {
        summary: 'What is accepted',
        description: 'Metadata of a protected resource (RFC 9728): how access tokens are sent, and what proofs of possession are signed with.',
        tags: ['sessions'],
        response: { 200: ProtectedResource },
      },
    },
    async () => document,
  )
}
