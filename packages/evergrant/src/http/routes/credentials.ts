import { type Static, Type } from 'typebox'
import type { Integration } from '../../core/connection/integration.ts'
import type { MachineGiven } from '../../core/connection/machine-connections.ts'
import { Fault } from '../../core/fault/fault.ts'
import type { ConnectionId } from '../../core/ids.ts'
import { isMachineGrant, isStaticGrant } from '../../core/provider/grant-kind.ts'
import { actorOf, callerOf } from '../authentication.ts'
import { ConnectionView, connectionView } from '../connection-view.ts'
import { instantOf } from '../input.ts'
import { type App, ConnectionIdSchema, closed, nullable, PROBLEMS, TimeInput } from '../schema.ts'
import type { Caller, Services } from '../services.ts'

const Credentials = Type.Record(Type.String({ pattern: '^[A-Za-z0-9_-]{1,60}$' }), Type.String({ maxLength: 16_384 }), {
  maxProperties: 10,
  additionalProperties: false,
  description:
    "Write-only. By the grant of the provider: client_credentials `client_id`, `client_secret`; jwt_bearer `subject`, `issuer`, `private_key`, `key_id`; api_key `api_key`; basic `username`, `password`; installation none. What is not given is the integration's.",
})
const Verify = Type.Boolean({ description: 'Ask the provider before anything is stored (default). False stores without asking.' })
const Variables = Type.Record(Type.String({ pattern: '^[A-Za-z0-9_-]{1,60}$' }), Type.String({ minLength: 1, maxLength: 500 }), {
  maxProperties: 20,
  additionalProperties: false,
})

/** What a body that makes a connection may say besides tokens. */
export const CREDENTIAL_FIELDS = { credentials: Type.Optional(Credentials), verify: Type.Optional(Verify) }

const ReplaceBody = closed({
  credentials: Type.Optional(Credentials),
  variables: Type.Optional(Variables),
  expires_at: Type.Optional(nullable(TimeInput)),
  verify: Type.Optional(Verify),
})

/** Fields that only tokens have. */
const OF_TOKENS = ['access_token', 'refresh_token', 'token_type', 'refresh_expires_at', 'scopes', 'facts', 'consented_at'] as const

type Given = Partial<Record<(typeof OF_TOKENS)[number], unknown>> & {
  readonly integration: string
  readonly owner: string
  readonly credentials?: Static<typeof Credentials>
  readonly verify?: boolean
  readonly variables?: Readonly<Record<string, string>>
  readonly expires_at?: string | null
  readonly account?: string | null
  readonly account_label?: string | null
  readonly metadata?: MachineGiven['metadata']
  readonly tags?: readonly string[]
  readonly replace?: boolean
}

/**
 * The connection of a body that brings credentials instead of tokens; null when it brings tokens, or asks for what the provider
 * does not have. @throws Fault
 */
export async function fromCredentials(
  services: Services,
  caller: Caller,
  body: Given,
): Promise<{ readonly connection: ConnectionId; readonly replaced: boolean } | null> {
  const integration = await services.integrations.get(caller.organization, body.integration)
  if (!bringsCredentials(services, integration, body)) return null
  const tokens = OF_TOKENS.find((name) => body[name] !== undefined && body[name] !== null)
  if (tokens !== undefined) throw new Fault('invalid_request', { field: `/${tokens}`, detail: `\`${tokens}\` does not go with \`credentials\`: leave it out.` })
  const given: MachineGiven = {
    owner: body.owner,
    credentials: body.credentials ?? {},
    variables: body.variables ?? {},
    expiresAt: instantOf(body.expires_at, '/expires_at'),
    account: body.account ?? null,
    accountLabel: body.account_label ?? null,
    metadata: body.metadata ?? {},
    tags: body.tags ?? [],
    verify: body.verify ?? true,
    replace: body.replace ?? false,
  }
  return services.machines.create(caller.organization, integration, given, actorOf(caller))
}

/** A static secret may also come as the access token of an import; what is renewed cannot. */
function bringsCredentials(services: Services, integration: Integration, body: Given): boolean {
  const grant = services.providers.get(integration.provider)?.grant
  if (body.credentials !== undefined) return true
  if (grant === undefined || !isMachineGrant(grant)) return false
  return !(isStaticGrant(grant) && typeof body.access_token === 'string')
}

/** New credentials for a connection, in place. */
export function credentialRoutes(app: App, services: Services): void {
  app.put(
    '/api/v1/connections/:id/credentials',
    {
      config: { access: 'connections:write' },
      schema: {
        summary: 'Replace the credentials',
        description:
          'For connections without a browser: new credentials under the same id, as the next generation. What is not named stays; without `credentials` the stored ones are tried again. The connection is active afterwards.',
        tags: ['connections'],
        params: closed({ id: ConnectionIdSchema }),
        body: ReplaceBody,
        response: { 200: ConnectionView, ...PROBLEMS },
      },
    },
    async (request) => {
      const caller = callerOf(request)
      const { credentials, variables, expires_at: expiresAt, verify = true } = request.body
      const given = {
        verify,
        ...(credentials === undefined ? {} : { credentials }),
        ...(variables === undefined ? {} : { variables }),
        ...(expiresAt === undefined ? {} : { expiresAt: instantOf(expiresAt, '/expires_at') }),
      }
      await services.machines.replaceCredentials(caller.organization, request.params.id, given, actorOf(caller))
      const details = await services.connections.get(caller.organization, request.params.id)
      return connectionView(details, services.repairLink(details))
    },
  )
}
