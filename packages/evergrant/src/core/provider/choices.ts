import { Fault } from '../fault/fault.ts'
import type { ProviderRecord, VariableDefinition } from './record.ts'
import { matchesPattern } from './template.ts'

type Values = Readonly<Record<string, string>>
type Chosen = readonly [name: string, definition: VariableDefinition, choices: NonNullable<VariableDefinition['choices']>]

/** Records are few, and every request is built from the variables of one. */
const known = new WeakMap<ProviderRecord['variables'], readonly Chosen[]>()

function chosenOf(variables: ProviderRecord['variables']): readonly Chosen[] {
  const found = known.get(variables)
  if (found !== undefined) return found
  const chosen = Object.entries(variables).flatMap(([name, definition]): Chosen[] =>
    definition.choices === null ? [] : [[name, definition, definition.choices]],
  )
  known.set(variables, chosen)
  return chosen
}

/**
 * The values with what the chosen ones set: a region's hosts. A value that somebody gave is not replaced.
 * @throws Fault `invalid_request` naming the choices, when a value is none of them
 */
export function withChoices(record: Pick<ProviderRecord, 'variables'>, values: Values): Values {
  const chosen = chosenOf(record.variables)
  if (chosen.length === 0) return values
  let all = values
  for (const [name, definition, choices] of chosen) {
    const value = Object.hasOwn(values, name) ? values[name] : definition.default
    if (value === null || value === undefined) continue
    const choice = Object.hasOwn(choices, value) ? choices[value] : undefined
    if (choice === undefined) throw new Fault('invalid_request', { field: `variables.${name}`, detail: `The variable "${name}" ${choiceWords(choices)}.` })
    all = { ...choice.sets, ...all }
  }
  return all
}

/** Names that a choice of this record sets: nobody else needs to give them. */
export function setByChoices(record: Pick<ProviderRecord, 'variables'>): ReadonlySet<string> {
  return new Set(chosenOf(record.variables).flatMap(([, , choices]) => Object.values(choices).flatMap(({ sets }) => Object.keys(sets))))
}

/** What is wrong with a value, as the end of a sentence; null when it is what the record wants. */
export function valueProblem(definition: VariableDefinition, value: string): string | null {
  const { choices, pattern, example } = definition
  if (choices !== null) return Object.hasOwn(choices, value) ? null : choiceWords(choices)
  return matchesPattern(pattern, value) ? null : `must match ${pattern}. Example: ${example}`
}

function choiceWords(choices: Chosen[2]): string {
  const words = Object.entries(choices).map(([value, { label }]) => (label === value ? value : `${value} (${label})`))
  return `must be one of: ${words.join(', ')}`
}
