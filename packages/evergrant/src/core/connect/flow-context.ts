import type { Integration } from '../connection/integration.ts'
import { Fault } from '../fault/fault.ts'
import { completeVariables } from '../provider/choices.ts'
import type { ProviderContext } from '../provider/context.ts'
import { SealError } from '../seal/seal.ts'
import { callbackFacts } from './callback-parameters.ts'
import type { ConnectPorts } from './connect-ports.ts'
import type { ConnectSession } from './connect-sessions.ts'

/** A session with everything that talking to its provider needs. Holds the client secret: never logged, never stored. */
export interface FlowContext {
  readonly session: ConnectSession
  readonly integration: Integration
  readonly context: ProviderContext
}

/** What is known beside the session: the end user's answers, what a callback said, or the facts of a grant in hand. */
interface FlowKnowledge {
  readonly variables?: Readonly<Record<string, string>>
  /** Of the callback, by the provider's own names. */
  readonly callback?: Readonly<Record<string, string>>
  readonly facts?: Readonly<Record<string, string>>
}

/**
 * @throws Fault `not_found`, `client_rejected`, `provider_unavailable`, `invalid_request`, `seal_key_missing`, `seal_broken`; `connect_failed`
 * when the callback said something that does not look as the record says
 */
export async function flowContext(session: ConnectSession, ports: ConnectPorts, known: FlowKnowledge = {}): Promise<FlowContext> {
  const integration = await ports.integrations.load(session.integration)
  if (integration === undefined) throw new Fault('not_found', { detail: 'The integration of this link does not exist any more.' })
  const record = ports.providers.get(integration.provider)
  if (record === undefined) throw new Fault('client_rejected', { detail: `The provider "${integration.provider}" is not in the catalogue.` })
  const variables = completeVariables(record, { ...integration.variables, ...session.variables, ...known.variables })
  const facts = { ...callbackFacts(record, known.callback ?? {}), ...known.facts }
  const endpoints = await ports.providers.resolve(record, { ...variables, ...facts })
  const clientSecret = openClientSecret(integration, ports)
  return {
    session,
    integration,
    context: {
      record,
      endpoints,
      clientId: integration.clientId,
      clientSecret,
      variables,
      facts,
      token: integration.settings.token,
      ...(ports.signing === undefined ? {} : { signing: ports.signing }),
    },
  }
}

function openClientSecret(integration: Integration, ports: Pick<ConnectPorts, 'seal'>): string | null {
  if (integration.clientSecret === null) return null
  try {
    return ports.seal.openText(integration.clientSecret, {
      organization: integration.organization,
      table: 'integration',
      row: integration.id,
      column: 'client_secret',
    })
  } catch (error) {
    if (error instanceof SealError) throw new Fault(error.code, { detail: `The client secret of ${integration.slug} cannot be opened.`, cause: error })
    throw error
  }
}

/** The redirect URI of a flow: one that is already registered at the provider, else the integration's own callback. */
export function redirectUriOf(integration: Integration, publicUrl: string): string {
  return integration.settings.redirectUri ?? `${publicUrl}/connect/callback/${integration.slug}`
}
