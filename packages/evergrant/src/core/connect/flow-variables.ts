import { Fault } from '../fault/fault.ts'
import { choiceWords, setByChoices, valueProblem } from '../provider/choices.ts'
import type { ProviderRecord, VariableDefinition } from '../provider/record.ts'

/** What the end user is asked for: variables of the record that neither integration nor session has. */
export function variablesToAsk(record: ProviderRecord, known: Readonly<Record<string, string>>): readonly (VariableDefinition & { readonly name: string })[] {
  const chosen = setByChoices(record)
  return Object.entries(record.variables)
    .filter(([name, definition]) => definition.askedOf === 'connection' && !Object.hasOwn(known, name) && !chosen.has(name))
    .map(([name, definition]) => ({ name, ...definition }))
}

/** The given values of known variables, each checked against its pattern. @throws Fault `invalid_request` naming the variable */
export function checkVariables(values: Readonly<Record<string, string>>, record: ProviderRecord): Readonly<Record<string, string>> {
  const checked: Record<string, string> = {}
  for (const [name, value] of Object.entries(values)) {
    const definition = Object.hasOwn(record.variables, name) ? record.variables[name] : undefined
    if (definition === undefined || definition.askedOf !== 'connection') {
      throw new Fault('invalid_request', {
        field: `/variables/${name.slice(0, 60)}`,
        detail: `"${name.slice(0, 60)}" is not a variable that ${record.name} asks of a connection.`,
      })
    }
    checked[name] = checkVariable(name, value, definition)
  }
  return checked
}

/** The end user's own input: spaces around it are forgiven, missing values are not. @throws Fault `invalid_request` */
export function answeredVariables(
  form: Readonly<Record<string, string>>,
  asked: readonly (VariableDefinition & { readonly name: string })[],
): Readonly<Record<string, string>> {
  const checked: Record<string, string> = {}
  for (const definition of asked) {
    const value = (Object.hasOwn(form, definition.name) ? form[definition.name] : undefined)?.trim() || definition.default || ''
    checked[definition.name] = checkVariable(definition.name, value, definition)
  }
  return checked
}

function checkVariable(name: string, value: string, definition: VariableDefinition): string {
  if (value.length <= 255 && valueProblem(definition, value) === null) return value
  const remedy = definition.choices === null ? `is not valid. It should look like this: ${definition.example}` : choiceWords(definition.choices)
  throw new Fault('invalid_request', { field: `/variables/${name}`, detail: `${definition.label} ${remedy}` })
}
