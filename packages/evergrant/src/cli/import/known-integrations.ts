import { isJsonObject, type JsonValue } from '../../core/json.ts'
import { type Api, allItems, itemsOf } from '../api.ts'
import type { KnownIntegrations } from './make-item.ts'

export interface IntegrationFacts extends KnownIntegrations {
  /** How a refresh token of this integration may be presented: `P0` is the only class that forgives everything. */
  reuse(slugOrId: string): string
  /** The provider's record knows a call that proves a token. */
  canTest(slugOrId: string): boolean
}

/** The integrations of the server with what lines need to know of them; read once. */
export async function knownIntegrations(api: Api): Promise<IntegrationFacts> {
  const integrations = await allItems(api, 'integrations', {})
  const providers = itemsOf(await api.call('GET', 'providers'))
  const reuseOf = new Map(providers.map((provider) => [String(provider['id']), String(provider['reuse'])]))
  const records = new Map<string, ProviderFacts>()
  const facts = new Map<string, ProviderFacts & { readonly reuse: string }>()
  for (const integration of integrations) {
    const provider = String(integration['provider'])
    if (!records.has(provider) && reuseOf.has(provider)) records.set(provider, await factsOf(api, provider))
    const settings = isJsonObject(integration['settings']) ? integration['settings'] : {}
    const told = settings['reuse']
    const fact = {
      ...(records.get(provider) ?? { variables: [], told: [], canTest: false }),
      reuse: typeof told === 'string' ? told : (reuseOf.get(provider) ?? 'PU'),
    }
    for (const name of [integration['slug'], integration['id']]) if (typeof name === 'string') facts.set(name, fact)
  }
  return {
    slugs: integrations.map((integration) => String(integration['slug'])),
    isProvider: (name) => reuseOf.has(name),
    variables: (name) => facts.get(name)?.variables,
    told: (name) => facts.get(name)?.told ?? [],
    reuse: (name) => facts.get(name)?.reuse ?? 'PU',
    canTest: (name) => facts.get(name)?.canTest ?? false,
  }
}

interface ProviderFacts {
  readonly variables: readonly string[]
  readonly told: readonly string[]
  readonly canTest: boolean
}

async function factsOf(api: Api, provider: string): Promise<ProviderFacts> {
  const record = await api.call('GET', `providers/${encodeURIComponent(provider)}`)
  const found = Array.isArray(record['variables']) ? record['variables'] : []
  const names = (of: readonly JsonValue[]) =>
    of.flatMap((variable) => (isJsonObject(variable) && typeof variable['name'] === 'string' ? [variable['name']] : []))
  const told = names(found.filter((variable) => isJsonObject(variable) && variable['asked_of'] === 'provider'))
  return { variables: names(found), told, canTest: record['can_check'] === true }
}
