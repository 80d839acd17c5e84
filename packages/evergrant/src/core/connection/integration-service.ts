import type { Actor, EventType, NewEvent } from '../audit/event.ts'
import { isPlainUrl } from '../connect/return-url.ts'
import { Fault } from '../fault/fault.ts'
import { type IntegrationId, newId, type OrganizationId } from '../ids.ts'
import type { JsonObject } from '../json.ts'
import { setByChoices, valueProblem } from '../provider/choices.ts'
import type { ProviderDirectory } from '../provider/context.ts'
import type { GrantKind, ProviderRecord } from '../provider/record.ts'
import { parseReuse } from '../provider/reuse-of.ts'
import { CONFIRMED_FOR_MS } from '../refresh/death-watch.ts'
import type { DeathDecision } from '../refresh/deaths.ts'
import type { Seal } from '../seal/seal.ts'
import type { Clock, Entropy } from '../time.ts'
import { type ClientKeyPorts, checkClientKey } from './client-keys.ts'
import type { Page, PageRequest } from './connections.ts'
import type { Integration, IntegrationSettings } from './integration.ts'
import { DEFAULT_SETTINGS } from './integration.ts'
import type { Integrations } from './integrations.ts'
import { signInProblem } from './sign-in-problem.ts'

interface IntegrationPorts extends ClientKeyPorts {
  readonly integrations: Integrations
  readonly providers: Pick<ProviderDirectory, 'get'>
  readonly seal: Pick<Seal, 'seal'>
  readonly clock: Clock
  readonly entropy: Entropy
}

interface NewIntegration {
  readonly slug: string
  readonly name: string
  readonly provider: string
  readonly clientId: string
  readonly clientSecret: string | null
  readonly scopes: readonly string[]
  readonly variables: Readonly<Record<string, string>>
  readonly settings: Partial<IntegrationSettings>
}

/** What is named changes; settings are merged name by name. `clientSecret: null` removes it. */
export type IntegrationPatch = Partial<Omit<NewIntegration, 'provider'>>

/** Parameters that belong to the flow itself: an operator's extra must not take them over. */
const FLOW_PARAMETERS = [
  'client_id',
  'client_secret',
  'redirect_uri',
  'state',
  'nonce',
  'response_type',
  'response_mode',
  'code_challenge',
  'code_challenge_method',
]
const UPDATE_TRIES = 5
/** Everywhere else each connection may bring its own. */
const CLIENT_NEEDED: ReadonlySet<GrantKind> = new Set(['authorization_code', 'installation'])

/** Integrations: a provider plus this organization's client id, secret and settings. */
export class IntegrationService {
  readonly #ports: IntegrationPorts

  constructor(ports: IntegrationPorts) {
    this.#ports = ports
  }

  /** @throws Fault `invalid_request`, `already_exists` */
  async create(organization: OrganizationId, wanted: NewIntegration, actor: Actor): Promise<Integration> {
    const record = this.#record(wanted.provider)
    const id = newId('int', this.#ports.entropy)
    const now = this.#ports.clock.wall()
    const integration: Integration = {
      id,
      organization,
      slug: wanted.slug,
      name: wanted.name,
      provider: wanted.provider,
      clientId: wanted.clientId,
      clientSecret: this.#sealSecret(organization, id, wanted.clientSecret),
      scopes: wanted.scopes,
      variables: wanted.variables,
      settings: { ...DEFAULT_SETTINGS, ...wanted.settings },
      blocked: null,
      deathsHeld: null,
      createdAt: now,
      updatedAt: now,
      version: 1,
    }
    check(integration, record)
    checkClientKey(record, wanted.clientSecret, this.#ports)
    const event = this.#event('integration.created', integration, actor, { slug: integration.slug, provider: integration.provider })
    if ((await this.#ports.integrations.insert(integration, event)) === 'slug_taken') throw slugTaken(integration.slug)
    return integration
  }

  /** By id or slug. @throws Fault `not_found` */
  async get(organization: OrganizationId, idOrSlug: string): Promise<Integration> {
    const { integrations } = this.#ports
    const found = isIntegrationId(idOrSlug) ? await integrations.get(organization, idOrSlug) : await integrations.bySlug(organization, idOrSlug)
    if (found === undefined) throw integrationNotFound(idOrSlug)
    return found
  }

  list(organization: OrganizationId, page: PageRequest): Promise<Page<Integration>> {
    return this.#ports.integrations.list(organization, page)
  }

  /** `expectedVersion` null: last writer wins, name by name. New client credentials lift `blocked`. @throws Fault */
  async update(organization: OrganizationId, idOrSlug: string, patch: IntegrationPatch, expectedVersion: number | null, actor: Actor): Promise<Integration> {
    for (let attempt = 0; attempt < UPDATE_TRIES; attempt++) {
      const old = await this.get(organization, idOrSlug)
      if (expectedVersion !== null && expectedVersion !== old.version) throw versionMoved(old.version)
      const next = this.#patched(old, patch)
      const record = this.#record(next.provider)
      check(next, record)
      if (patch.clientSecret !== undefined) checkClientKey(record, patch.clientSecret, this.#ports)
      const changed = Object.keys(patch)
      const event = this.#event('integration.updated', next, actor, { changed, unblocked: old.blocked !== null && next.blocked === null })
      const outcome = await this.#ports.integrations.update(next, event)
      if (outcome === 'updated') return next
      if (outcome === 'slug_taken') throw slugTaken(next.slug)
      if (outcome === 'gone') throw integrationNotFound(idOrSlug)
    }
    throw new Fault('conflict', { detail: 'The integration kept changing while it was updated. Read it and try again.' })
  }

  /** @throws Fault `conflict` while a connection of it is not disconnected, `not_found` */
  async remove(organization: OrganizationId, idOrSlug: string, actor: Actor): Promise<void> {
    const integration = await this.get(organization, idOrSlug)
    const outcome = await this.#ports.integrations.remove(
      organization,
      integration.id,
      this.#event('integration.deleted', integration, actor, { slug: integration.slug }),
    )
    if (outcome === 'gone') throw integrationNotFound(idOrSlug)
    if (outcome === 'in_use') {
      throw new Fault('conflict', {
        detail: `${integration.slug} still has connections that are not disconnected. Disconnect them first: GET connections?integration=${integration.slug} lists them.`,
      })
    }
  }

  /** What becomes of the ends that are held. The nodes carry it out within seconds. @throws Fault `conflict` when nothing is held or it is decided already, `not_found` */
  async decideDeaths(organization: OrganizationId, idOrSlug: string, decision: DeathDecision, actor: Actor): Promise<Integration> {
    const integration = await this.get(organization, idOrSlug)
    const type = decision === 'confirm' ? 'integration.deaths_confirmed' : 'integration.deaths_released'
    const event = this.#event(type, integration, actor, { by: 'operator' })
    if ((await this.#ports.integrations.decideDeaths(integration.id, decision, CONFIRMED_FOR_MS, event)) === 'decided') return this.get(organization, idOrSlug)
    const taken = integration.deathsHeld?.decision
    throw new Fault('conflict', {
      detail: taken
        ? `It is decided already (${taken}) and being carried out.`
        : `No ends of ${integration.slug} are held: \`deaths_held\` of the integration says so.`,
    })
  }

  #patched(old: Integration, patch: IntegrationPatch): Integration {
    const settings = { ...old.settings, ...patch.settings }
    const concernsClient =
      patch.clientId !== undefined || patch.clientSecret !== undefined || patch.variables !== undefined || settings.redirectUri !== old.settings.redirectUri
    return {
      ...old,
      slug: patch.slug ?? old.slug,
      name: patch.name ?? old.name,
      clientId: patch.clientId ?? old.clientId,
      clientSecret: patch.clientSecret === undefined ? old.clientSecret : this.#sealSecret(old.organization, old.id, patch.clientSecret),
      scopes: patch.scopes ?? old.scopes,
      variables: patch.variables ?? old.variables,
      settings,
      blocked: concernsClient ? null : old.blocked,
      updatedAt: this.#ports.clock.wall(),
      version: old.version + 1,
    }
  }

  #sealSecret(organization: OrganizationId, id: IntegrationId, secret: string | null): Uint8Array | null {
    return secret === null ? null : this.#ports.seal.seal(secret, { organization, table: 'integration', row: id, column: 'client_secret' })
  }

  #record(provider: string): ProviderRecord {
    const record = this.#ports.providers.get(provider)
    if (record === undefined)
      throw invalid('/provider', `\`provider\` names no record of the catalogue: ${JSON.stringify(provider)}. GET providers lists them.`)
    return record
  }

  #event(type: EventType, integration: Integration, actor: Actor, data: JsonObject): NewEvent {
    const { clock, entropy } = this.#ports
    return { id: newId('evt', entropy), organization: integration.organization, type, at: clock.wall(), actor, connection: null, subject: integration.id, data }
  }
}

export function isIntegrationId(text: string): text is IntegrationId {
  return text.startsWith('int_')
}

export function integrationNotFound(idOrSlug: string): Fault {
  return new Fault('not_found', { detail: `There is no integration ${idOrSlug} in this organization. GET integrations lists them.` })
}

function check(integration: Integration, record: ProviderRecord): void {
  checkVariables(integration.variables, record)
  if (integration.clientId === '' && CLIENT_NEEDED.has(record.grant))
    throw invalid(
      '/client_id',
      `${record.name} needs \`client_id\`: ${record.grant === 'installation' ? 'the id of the app' : 'the id of your client at the provider'}.`,
    )
  const { settings } = integration
  for (const [index, url] of settings.returnUrls.entries()) checkUrl(`/settings/return_urls/${index}`, url)
  if (settings.redirectUri !== null) checkUrl('/settings/redirect_uri', settings.redirectUri)
  if (settings.reuse !== null) parseReuse(settings.reuse)
  const tokens = record.answer.tokens === null ? [] : Object.keys(record.answer.tokens)
  if (settings.token !== null && !tokens.includes(settings.token)) {
    throw invalid('/settings/token', `\`token\` must be ${tokens.length === 0 ? `null for ${record.name}` : `one of ${tokens.join(', ')}`}.`)
  }
  if (settings.signIn) checkSignIn(integration, record)
  const taken = Object.keys(settings.authorizeParameters).find((name) => FLOW_PARAMETERS.includes(name))
  if (taken !== undefined) throw invalid(`/settings/authorize_parameters/${taken}`, `\`${taken}\` belongs to the flow itself and cannot be set here.`)
}

function checkSignIn(integration: Integration, record: ProviderRecord): void {
  const problem = signInProblem(integration, record)
  if (problem !== null) throw invalid('/settings/sign_in', problem)
}

function checkVariables(variables: Readonly<Record<string, string>>, record: ProviderRecord): void {
  for (const [name, value] of Object.entries(variables)) {
    const definition = Object.hasOwn(record.variables, name) ? record.variables[name] : undefined
    if (definition === undefined)
      throw invalid(`/variables/${name}`, `${record.name} has no variable \`${name}\`. It has: ${Object.keys(record.variables).join(', ') || 'none'}.`)
    const problem = valueProblem(definition, value)
    if (problem !== null) throw invalid(`/variables/${name}`, `\`${name}\` ${problem}.`)
  }
  const chosen = setByChoices(record)
  for (const [name, definition] of Object.entries(record.variables)) {
    const needed = definition.askedOf === 'integration' && definition.default === null && !chosen.has(name)
    if (needed && !Object.hasOwn(variables, name))
      throw invalid(`/variables/${name}`, `${record.name} needs \`${name}\` (${definition.label}). ${exampleOf(definition)}.`)
  }
}

function exampleOf({ choices, example }: ProviderRecord['variables'][string]): string {
  return choices === null ? `Example: ${example}` : `Choose one of: ${Object.keys(choices).join(', ')}`
}

function checkUrl(field: string, url: string): void {
  if (!isPlainUrl(url))
    throw invalid(
      field,
      'It must be a plain https address, for example https://app.example.com/done (http only on localhost), without user, fragment or unusual characters.',
    )
}

function invalid(field: string, detail: string): Fault {
  return new Fault('invalid_request', { field, detail })
}

function slugTaken(slug: string): Fault {
  return new Fault('already_exists', { field: '/slug', detail: `The slug ${slug} is taken in this organization. Choose another, or update that integration.` })
}

function versionMoved(version: number): Fault {
  return new Fault('conflict', { field: '/version', detail: `The stored version is ${version}. Read it again and apply the change to what you see.` })
}
