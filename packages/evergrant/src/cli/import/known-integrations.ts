import { isJsonObject } from '../../core/json.ts'
import { type Api, allItems, itemsOf } from '../api.ts'
import type { KnownIntegrations } from './make-item.ts'

export interface IntegrationFacts extends KnownIntegrations {
  /** How a refresh token of this integration may be presented: `P0` is the only class that forgives everything. */
  reuse(slugOrId: string): string
}

/** The integrations of the server with what lines need to know of them; read once. */
export async function knownIntegrations(api: Api): Promise<IntegrationFacts> {
  const integrations = await allItems(api, 'integrations', {})
  const providers = itemsOf(await api.call('GET', 'providers'))
  const reuseOf = new Map(providers.map((provider) => [String(provider['id']), String(provider['reuse'])]))
  const variables = new Map<string, readonly string[]>()
  const facts = new Map<string, { readonly variables: readonly string[]; readonly reuse: string }>()
  for (const integration of integrations) {
    const provider = String(integration['provider'])
    if (!variables.has(provider) && reuseOf.has(provider)) variables.set(provider, await variablesOf(api, provider))
    const settings = isJsonObject(integration['settings']) ? integration['settings'] : {}
    const told = settings['reuse']
    const fact = { variables: variables.get(provider) ?? [], reuse: typeof told === 'string' ? told : (reuseOf.get(provider) ?? 'PU') }
    for (const name of [integration['slug'], integration['id']]) if (typeof name === 'string') facts.set(name, fact)
  }
  return {
    slugs: integrations.map((integration) => String(integration['slug'])),
    isProvider: (name) => reuseOf.has(name),
    variables: (name) => facts.get(name)?.variables,
    reuse: (name) => facts.get(name)?.reuse ?? 'PU',
  }
}

async function variablesOf(api: Api, provider: string): Promise<readonly string[]> {
  const record = await api.call('GET', `providers/${encodeURIComponent(provider)}`)
  const found = Array.isArray(record['variables']) ? record['variables'] : []
  return found.flatMap((variable) => (isJsonObject(variable) && typeof variable['name'] === 'string' ? [variable['name']] : []))
}
