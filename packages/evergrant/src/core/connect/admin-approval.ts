import type { Integration } from '../connection/integration.ts'
import { providerNameOf } from '../connection/provider-name.ts'
import { scopesToAsk } from '../provider/authorize.ts'
import type { ProviderContext } from '../provider/context.ts'
import { encodeQuery, withQuery } from '../provider/form.ts'
import { fillTemplate } from '../provider/template.ts'
import { valuesOf } from '../provider/values.ts'
import { type Brand, senderOf } from './brand.ts'
import { type CallbackParameters, single } from './callback-parameters.ts'
import type { ConnectPorts } from './connect-ports.ts'
import type { ConnectSession } from './connect-sessions.ts'
import { type FlowContext, flowContext, redirectUriOf } from './flow-context.ts'
import { sameSecret } from './random-token.ts'

/** An administrator came back. Nothing of ours changes by it: whoever asked may now try again. */
export interface Approval {
  readonly application: string
  readonly brand: Brand
  readonly provider: string
  readonly approved: boolean
}

const STATE = /^admin\.(int_[0-9a-f-]{36})\.([A-Za-z0-9_-]{43})$/

/** The address at the provider where an administrator approves for everybody; null where the provider has none, or cannot be asked right now. */
export async function adminLink(session: ConnectSession, ports: ConnectPorts): Promise<string | null> {
  try {
    const flowing = await flowContext(session, ports)
    return addressOf(flowing, ports)
  } catch {
    // The page says what to do without it.
    return null
  }
}

function addressOf({ context, integration, session }: FlowContext, ports: ConnectPorts): string | null {
  const facts = context.record.authorize.adminConsent
  if (facts === null) return null
  const query = {
    client_id: context.clientId,
    redirect_uri: redirectUriOf(integration, ports.publicUrl),
    state: stateOf(integration, ports),
    scope: scopesToAsk(context, session.scopes ?? integration.scopes).join(' '),
  }
  return withQuery(fillTemplate(facts.url, valuesFor(context, facts.instead), { definitions: context.record.variables }), encodeQuery(query))
}

function valuesFor(context: ProviderContext, instead: Readonly<Record<string, Readonly<Record<string, string>>>>): Readonly<Record<string, string>> {
  const values = valuesOf(context)
  for (const [name, table] of Object.entries(instead)) {
    const value = values[name]
    const other = value !== undefined && Object.hasOwn(table, value) ? table[value] : undefined
    if (other !== undefined) values[name] = other
  }
  return values
}

/** What the redirect after it says; undefined when it belongs to an ordinary flow. Anybody may come here twice. */
export async function approvalOf(parameters: CallbackParameters, ports: ConnectPorts): Promise<Approval | undefined> {
  const [, id, mac] = STATE.exec(single(parameters, 'state') ?? '') ?? []
  if (id === undefined || mac === undefined) return undefined
  const integration = await ports.integrations.load(id as Integration['id'])
  const record = integration === undefined ? undefined : ports.providers.get(integration.provider)
  if (integration === undefined || record === undefined || !sameSecret(macOf(integration, ports), mac)) return undefined
  const name = record.authorize.adminConsent?.approved
  const approved = name !== undefined && single(parameters, name)?.toLowerCase() === 'true'
  return { ...(await senderOf(integration.organization, ports)), provider: providerNameOf(record, integration), approved }
}

function stateOf(integration: Integration, ports: Pick<ConnectPorts, 'seal'>): string {
  return `admin.${integration.id}.${macOf(integration, ports)}`
}

function macOf({ id, organization }: Integration, { seal }: Pick<ConnectPorts, 'seal'>): string {
  return seal.mac('admin approval', `${organization}.${id}`)
}
