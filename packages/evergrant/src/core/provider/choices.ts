import { Fault } from '../fault/fault.ts'
import type { ProviderRecord, VariableDefinition } from './record.ts'
import { matchesPattern } from './template.ts'

type Values = Readonly<Record<string, string>>
type Choices = NonNullable<VariableDefinition['choices']>

interface Presets {
  /** Values that hold where nobody gave one. */
  readonly defaults: Values
  readonly chosen: readonly (readonly [name: string, choices: Choices])[]
  /** Neither of the two: the values are complete as they are. */
  readonly none: boolean
}

/** Records are few, and every request is built from the variables of one. */
const known = new WeakMap<ProviderRecord['variables'], Presets>()

function presetsOf(variables: ProviderRecord['variables']): Presets {
  const found = known.get(variables)
  if (found !== undefined) return found
  const all = Object.entries(variables)
  const defaults = Object.fromEntries(
    all.flatMap(([name, definition]): [string, string][] => (definition.default === null ? [] : [[name, definition.default]])),
  )
  const chosen = all.flatMap(([name, { choices }]): [string, Choices][] => (choices === null ? [] : [[name, choices]]))
  const presets = { defaults, chosen, none: chosen.length === 0 && Object.keys(defaults).length === 0 }
  known.set(variables, presets)
  return presets
}

/**
 * The values with the record's defaults, and with what the chosen ones set: a region's hosts. A value that somebody gave is not replaced.
 * @throws Fault `invalid_request` naming the choices, when a value is none of them
 */
export function completeVariables(record: Pick<ProviderRecord, 'variables'>, given: Values): Values {
  const { defaults, chosen, none } = presetsOf(record.variables)
  if (none) return given
  const values = { ...defaults, ...given }
  let sets: Values = {}
  for (const [name, choices] of chosen) {
    const value = values[name]
    if (value === undefined) continue
    const choice = Object.hasOwn(choices, value) ? choices[value] : undefined
    if (choice === undefined) throw new Fault('invalid_request', { field: `variables.${name}`, detail: `The variable "${name}" ${choiceWords(choices)}.` })
    sets = { ...sets, ...choice.sets }
  }
  return { ...values, ...sets, ...given }
}

/** Names that a choice of this record sets: nobody else needs to give them. */
export function setByChoices(record: Pick<ProviderRecord, 'variables'>): ReadonlySet<string> {
  return new Set(presetsOf(record.variables).chosen.flatMap(([, choices]) => Object.values(choices).flatMap(({ sets }) => Object.keys(sets))))
}

/** What is wrong with a value, as the end of a sentence; null when it is what the record wants. */
export function valueProblem(definition: VariableDefinition, value: string): string | null {
  const { choices, pattern, example } = definition
  if (choices !== null) return Object.hasOwn(choices, value) ? null : choiceWords(choices)
  return matchesPattern(pattern, value) ? null : `must match ${pattern}. Example: ${example}`
}

export function choiceWords(choices: Choices): string {
  const words = Object.entries(choices).map(([value, { label }]) => (label === value ? value : `${value} (${label})`))
  return `must be one of: ${words.join(', ')}`
}
