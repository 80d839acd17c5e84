import type { ProviderRecord } from './record.ts'

/** Names of everything that answers, callbacks, pushes and further requests of a record tell. */
export function factsOf(record: ProviderRecord): string[] {
  const tables = [
    record.answer.facts,
    record.authorize.callback.facts,
    ...record.chain.map((step) => step.facts),
    ...record.afterConnect.map((step) => step.facts),
    ...(record.push?.rules ?? []).map((rule) => rule.facts),
  ]
  return [...new Set(tables.flatMap((facts) => Object.keys(facts)))]
}
