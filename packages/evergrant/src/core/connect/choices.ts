import { everyItem } from '../connection/every-item.ts'
import type { Integration } from '../connection/integration.ts'
import { Fault } from '../fault/fault.ts'
import { type IntegrationId, idPattern, type OrganizationId } from '../ids.ts'
import { isMachineGrant } from '../provider/grant-kind.ts'
import { type Brand, senderOf } from './brand.ts'
import type { ConnectPorts } from './connect-ports.ts'
import type { ConnectSession } from './connect-sessions.ts'
import { returnTo } from './return-url.ts'
import { isStartable } from './startable.ts'

/** Of a request for a new session: what says which integrations the end user may choose. */
interface ChoiceRequest {
  readonly organization: OrganizationId
  readonly choices?: readonly string[]
  readonly returnUrl: string | null
  readonly scopes: readonly string[] | null
  readonly variables: Readonly<Record<string, string>>
}

/** What the page shows on which the end user chooses. */
export interface ChoiceView {
  readonly application: string
  readonly brand: Brand
  readonly owner: string
  readonly options: readonly { readonly slug: string; readonly name: string }[]
  readonly cancelUrl: string | null
  readonly expired: boolean
  readonly startable: boolean
}

/** More than a person would read; the page has no search. */
const CHOICES_MAX = 100
const INTEGRATION_ID = new RegExp(idPattern('int'))

/** @throws Fault `not_found` */
export async function namedIntegration(
  organization: OrganizationId,
  named: string,
  field: string,
  { integrations }: Pick<ConnectPorts, 'integrations'>,
): Promise<Integration> {
  const integration = isIntegrationId(named) ? await integrations.get(organization, named) : await integrations.bySlug(organization, named)
  if (integration !== undefined) return integration
  throw new Fault('not_found', { field, detail: `There is no integration "${named.slice(0, 100)}" in this organization. GET integrations lists them.` })
}

/** The integrations that a new session leaves to the end user, by name. @throws Fault `invalid_request`, `not_found` */
export async function choicesFor(request: ChoiceRequest, ports: ConnectPorts): Promise<readonly Integration[]> {
  if (request.scopes !== null) throw needsOne('scopes')
  if (Object.keys(request.variables).length > 0) throw needsOne('variables')
  const named = request.choices === undefined ? null : await Promise.all(request.choices.map((name, at) => chosenOne(request, name, at, ports)))
  const all = named ?? (await fitting(request, ports))
  if (all.length === 0)
    throw new Fault('invalid_request', {
      field: '/integration',
      detail: 'No integration of this organization can be connected in a browser with this `return_url`. Make one, or list the address in its `return_urls`.',
    })
  return [...all].sort((left, right) => (left.name < right.name ? -1 : 1))
}

async function chosenOne(request: ChoiceRequest, name: string, at: number, ports: ConnectPorts): Promise<Integration> {
  const field = `/integrations/${at}`
  const integration = await namedIntegration(request.organization, name, field, ports)
  if (fits(integration, request, ports)) return integration
  throw new Fault('invalid_request', {
    field,
    detail: `"${integration.slug}" asks nobody in a browser, or its \`return_urls\` do not have this \`return_url\`. They are compared character by character.`,
  })
}

async function fitting(request: ChoiceRequest, ports: ConnectPorts): Promise<readonly Integration[]> {
  const found: Integration[] = []
  for await (const integration of everyItem((page) => ports.integrations.list(request.organization, page))) {
    if (fits(integration, request, ports)) found.push(integration)
    if (found.length === CHOICES_MAX) break
  }
  return found
}

function fits(integration: Integration, { returnUrl }: ChoiceRequest, ports: ConnectPorts): boolean {
  const record = ports.providers.get(integration.provider)
  return record !== undefined && !isMachineGrant(record.grant) && (returnUrl === null || integration.settings.returnUrls.includes(returnUrl))
}

function needsOne(field: string): Fault {
  return new Fault('invalid_request', { field: `/${field}`, detail: `\`${field}\` belong to one integration. Name it in \`integration\`, or leave them out.` })
}

export async function choiceView(session: ConnectSession, ports: ConnectPorts): Promise<ChoiceView> {
  const now = ports.clock.wall()
  const [sender, offered] = await Promise.all([senderOf(session.organization, ports), offeredBy(session, ports)])
  return {
    ...sender,
    owner: session.owner,
    options: offered.map(({ slug, name }) => ({ slug, name })),
    cancelUrl: session.returnUrl === null ? null : returnTo(session.returnUrl, { session: session.id, error: 'connect_cancelled' }),
    expired: session.expiresAt <= now,
    startable: isStartable(session, now),
  }
}

export async function choose(session: ConnectSession, slug: string, ports: ConnectPorts): Promise<ConnectSession | undefined> {
  const found = (await offeredBy(session, ports)).find((one) => one.slug === slug)
  return found === undefined ? undefined : chosenIn(session, found.id)
}

/** Another integration begins anew: what was answered for the one before has no meaning there. */
export function chosenIn(session: ConnectSession, integration: IntegrationId): ConnectSession | undefined {
  if (session.integration === integration) return session
  return session.choices?.includes(integration) === true ? { ...session, integration, variables: {}, fault: null } : undefined
}

/** An integration that was deleted since is offered no more. */
async function offeredBy(session: ConnectSession, ports: ConnectPorts): Promise<readonly Integration[]> {
  const found = await Promise.all((session.choices ?? []).map((id) => ports.integrations.load(id)))
  return found.filter((one) => one !== undefined)
}

function isIntegrationId(text: string): text is IntegrationId {
  return INTEGRATION_ID.test(text)
}
