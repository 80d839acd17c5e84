import { providerNameOf } from '../connection/provider-name.ts'
import type { FaultCode } from '../fault/fault.ts'
import { scopesToAsk } from '../provider/authorize.ts'
import type { VariableDefinition } from '../provider/record.ts'
import type { Instant } from '../time.ts'
import { accountTold, heldByOthers } from './account-limits.ts'
import { adminLink } from './admin-approval.ts'
import { type Brand, senderOf } from './brand.ts'
import { mayConnectAsNew } from './connect-as-new.ts'
import type { ConnectPorts } from './connect-ports.ts'
import type { ConnectSession, ConnectSessionState } from './connect-sessions.ts'
import { targetOf } from './connect-target.ts'
import { openFlowSecret } from './flow-secret.ts'
import { variablesToAsk } from './flow-variables.ts'
import { missingScopes, scopesOfFlow } from './granted-scopes.ts'
import { returnTo } from './return-url.ts'
import { isStartable } from './startable.ts'

/** What a page shows of a session. No id of anything, no secret. */
export interface ConnectView {
  readonly application: string
  readonly brand: Brand
  /** The end user may choose another integration. */
  readonly choosable: boolean
  /** What its integration is called in addresses. */
  readonly integration: string
  readonly expiresAt: Instant
  readonly provider: string
  readonly providerId: string
  readonly owner: string
  readonly state: ConnectSessionState
  readonly reconnect: boolean
  /** The flow is how somebody signs in. */
  readonly signingIn: boolean
  /** The account of the connection to repair, as people know it. */
  readonly account: string | null
  /** The account the end user signed in with just now, while it waits. */
  readonly signedInAs: string | null
  readonly scopes: readonly string[]
  /** Scope -> what the record says it allows. */
  readonly scopeMeanings: Readonly<Record<string, string>>
  readonly missingScopes: readonly string[]
  readonly asked: readonly AskedVariable[]
  readonly fault: { readonly code: FaultCode; readonly providerCode: string | null; readonly providerText: string | null } | null
  /** The sibling that the signed-in account belongs to. */
  readonly offersSibling: boolean
  /** The account that was signed in with may become a connection of its own. */
  readonly offersNew: boolean
  /** Where an administrator approves, once that is what is missing and the provider has such an address. */
  readonly adminUrl: string | null
  /** The provider keeps one grant per account: another connection of the account ends for certain, or would if there is one. Null: nothing ends. */
  readonly endsAnother: 'certainly' | 'perhaps' | null
  readonly expired: boolean
  /** The Continue button would work: the link is not spent. */
  readonly startable: boolean
  /** Back to the application, saying that the end user did not finish. */
  readonly cancelUrl: string | null
  /** Back to the application after success in mode `link`. */
  readonly doneUrl: string | null
}

export type AskedVariable = VariableDefinition & { readonly name: string; readonly value: string | null }

export async function connectView(session: ConnectSession, ports: ConnectPorts): Promise<ConnectView> {
  const [sender, integration, target, result] = await Promise.all([
    senderOf(session.organization, ports),
    ports.integrations.load(session.integration),
    targetOf(session, session.staged?.account ?? null, ports),
    session.result === null ? undefined : ports.connections.get(session.organization, session.result),
  ])
  const record = integration === undefined ? undefined : ports.providers.get(integration.provider)
  const wanted = result !== undefined ? result.connection : target.kind === 'repair' ? target.connection : 'wanted' in target ? target.wanted : null
  const asked = scopesOfFlow(session, integration, record)
  const given = { ...integration?.variables, ...fixedVariables(session, ports) }
  return {
    ...sender,
    choosable: session.choices !== undefined,
    integration: integration?.slug ?? '',
    expiresAt: session.expiresAt,
    provider: providerNameOf(record, integration),
    providerId: record?.id ?? '',
    owner: session.owner,
    state: session.state,
    reconnect: session.connection !== null,
    signingIn: session.mode === 'sign_in',
    account: wanted?.accountLabel ?? wanted?.account ?? null,
    signedInAs: session.staged === null ? null : (session.staged.accountLabel ?? session.staged.account),
    scopes: record === undefined ? asked : scopesToAsk({ record }, asked),
    scopeMeanings: record?.scopes ?? {},
    missingScopes: session.state === 'completed' ? missingScopes(asked, wanted?.scopes ?? null) : [],
    asked: record === undefined || integration === undefined ? [] : askedOf(session, variablesToAsk(record, given)),
    fault:
      session.fault === null
        ? null
        : { code: session.fault.code, providerCode: session.fault.evidence.providerCode, providerText: session.fault.evidence.providerText },
    offersNew: mayConnectAsNew(session, ports.clock.wall()),
    adminUrl: session.fault?.code === 'admin_approval_required' ? await adminLink(session, ports) : null,
    offersSibling: session.state === 'staged' && target.kind === 'sibling',
    endsAnother: record?.lifetimes.onePerAccount ? await endsAnother(session, wanted?.account ?? accountTold(record, given), ports) : null,
    expired: session.expiresAt <= ports.clock.wall(),
    startable: isStartable(session, ports.clock.wall()),
    cancelUrl: session.returnUrl === null ? null : returnTo(session.returnUrl, { session: session.id, error: 'connect_cancelled' }),
    doneUrl: session.returnUrl === null ? null : returnTo(session.returnUrl, { session: session.id }),
  }
}

async function endsAnother(session: ConnectSession, account: string | null, ports: ConnectPorts): Promise<ConnectView['endsAnother']> {
  if (account === null) return 'perhaps'
  return (await heldByOthers(session, account, ports)).length > 0 ? 'certainly' : null
}

function askedOf(session: ConnectSession, definitions: ReturnType<typeof variablesToAsk>): readonly AskedVariable[] {
  return definitions.map((definition) => ({ ...definition, value: session.variables[definition.name] ?? definition.default }))
}

/** The variables that the backend or the stored connection gave: everything but what the end user answered at an earlier try. */
export function fixedVariables(session: ConnectSession, ports: Pick<ConnectPorts, 'seal'>): Readonly<Record<string, string>> {
  if (session.flow === null || session.flow.secret.length === 0) return session.variables
  const { asked } = openFlowSecret(session.flow.secret, session, ports.seal)
  return Object.fromEntries(Object.entries(session.variables).filter(([name]) => !asked.includes(name)))
}
