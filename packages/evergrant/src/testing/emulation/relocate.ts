import type { AccountSource, ProviderRecord, RevokeFacts, VariableDefinition } from '../../core/provider/record.ts'
import type { RecordRequest } from '../../core/provider/record-around.ts'

/**
 * The same record with every address on one server: the host becomes the first part of the path, whatever variables it holds.
 * What a variable may look like is not asked any more, because base URLs lead to the new place.
 */
export function relocate(record: ProviderRecord, base: string): ProviderRecord {
  const at = (template: string) => template.replace(/^https:\/\//, `${base}/`)
  const maybe = <Text extends string | null | undefined>(template: Text) => (typeof template === 'string' ? at(template) : template)
  const request = (one: RecordRequest): RecordRequest => ({ ...one, url: at(one.url) })
  const { authorize, token, revoke, api } = record
  return {
    ...record,
    variables: Object.fromEntries(Object.entries(record.variables).map(([name, variable]) => [name, relocateVariable(variable, at)])),
    discovery: record.discovery === null ? null : { ...record.discovery, issuer: at(record.discovery.issuer) },
    issuer: maybe(record.issuer) ?? null,
    authorize: { ...authorize, url: maybe(authorize.url) },
    token: { ...token, url: maybe(token.url), refreshUrl: maybe(token.refreshUrl) },
    revoke: revoke === null ? null : { ...relocateRevoke(revoke, maybe), fallback: revoke.fallback === null ? null : relocateRevoke(revoke.fallback, maybe) },
    account: record.account.map((source): AccountSource => (source.from === 'request' ? { ...source, url: at(source.url) } : source)),
    api: api === null ? null : { ...api, base: at(api.base), hosts: [] },
    chain: record.chain.map((step) => ({ ...step, request: request(step.request) })),
    afterConnect: record.afterConnect.map((step) => ({ ...step, request: request(step.request) })),
    check: record.check === null ? null : { ...record.check, request: request(record.check.request) },
  }
}

function relocateVariable(variable: VariableDefinition, at: (template: string) => string): VariableDefinition {
  const { choices } = variable
  return {
    ...variable,
    pattern: '.+',
    example: at(variable.example),
    default: variable.default === null ? null : at(variable.default),
    choices:
      choices === null
        ? null
        : Object.fromEntries(
            Object.entries(choices).map(([value, choice]) => {
              const sets = Object.fromEntries(Object.entries(choice.sets).map(([name, text]) => [name, at(text)]))
              return [value, { ...choice, sets }]
            }),
          ),
  }
}

function relocateRevoke<Way extends Omit<RevokeFacts, 'fallback'>>(way: Way, maybe: (template: string | null) => string | null): Way {
  return { ...way, url: maybe(way.url) }
}

/** The values that stand for the record's variables: the default, else the first choice, else the example. */
export function examplesOf(record: ProviderRecord): Record<string, string> {
  return Object.fromEntries(
    Object.entries(record.variables)
      .filter(([, variable]) => variable.askedOf !== 'provider')
      .map(([name, { default: usual, choices, example }]) => [name, usual ?? Object.keys(choices ?? {})[0] ?? example]),
  )
}
