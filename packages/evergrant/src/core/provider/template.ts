import { Fault } from '../fault/fault.ts'
import { percentEncode } from './form.ts'
import type { Template, VariableDefinition } from './record.ts'

/** `{name}`, or `{+name}` for a value whose slashes are kept (RFC 6570 section 3.2.3). */
const PLACEHOLDER = /\{(\+?)([A-Za-z0-9_-]+)\}/g
const HOST = /^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*$/
const HOST_AND_PORT = /^[A-Za-z0-9.-]+(?::[0-9]{1,5})?$/
const BASE_URL = /^(?:https:\/\/|http:\/\/(?=(?:localhost|127\.0\.0\.1|\[::1\])(?::|\/|$)))(?:[A-Za-z0-9.-]+|\[::1\])(?::[0-9]{1,5})?(?:\/[A-Za-z0-9._~/-]*)?$/
const KEPT_PATH = /^[A-Za-z0-9._~-]+(?:\/[A-Za-z0-9._~-]+)*$/
const LONGEST = 2_048

type Position = 'url' | 'host' | 'host_end' | 'path'

interface TemplateOptions {
  /** Patterns, examples and defaults of the variables; a name that is not here still obeys the rules of its position. */
  readonly definitions?: Readonly<Record<string, VariableDefinition>>
  /** Placeholders that stay as they are. */
  readonly leave?: readonly string[]
  /** Placeholders that stay while nobody has told their value. */
  readonly later?: readonly string[]
}

/**
 * Fills the placeholders of a URL or header template. A value in host position must look like a host and match its
 * variable's pattern; one that begins the template must be an https base URL; elsewhere it is percent-encoded.
 * @throws Fault `invalid_request` naming the variable and an example, when a value is missing or malformed.
 */
export function fillTemplate(template: Template, values: Readonly<Record<string, string>>, options: TemplateOptions = {}): string {
  return template.replace(PLACEHOLDER, (whole: string, plus: string, name: string, at: number) => {
    if (options.leave?.includes(name)) return whole
    const definition = ownValue(options.definitions, name)
    const value = ownValue(values, name) ?? definition?.default ?? undefined
    if (value === undefined || value === '') {
      if (options.later?.includes(name)) return whole
      throw missing(name, definition)
    }
    const after = template.slice(at + whole.length)
    return insert(name, value, positionOf(template.slice(0, at), after), plus === '+', definition)
  })
}

/** Names of the placeholders of a template. */
export function placeholdersOf(template: Template): string[] {
  return [...template.matchAll(PLACEHOLDER)].map((match) => match[2] ?? '')
}

/** True when the whole value matches the pattern, anchored or not. */
export function matchesPattern(pattern: string, value: string): boolean {
  return new RegExp(`^(?:${pattern})$`).test(value)
}

function ownValue<Value>(table: Readonly<Record<string, Value>> | undefined, name: string): Value | undefined {
  return table !== undefined && Object.hasOwn(table, name) ? table[name] : undefined
}

function positionOf(before: string, after: string): Position {
  if (before === '') return 'url'
  const authority = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)$/i.test(before)
  if (!authority) return 'path'
  return after === '' || /^[/?#]/.test(after) ? 'host_end' : 'host'
}

function insert(name: string, value: string, position: Position, keepSlashes: boolean, definition: VariableDefinition | undefined): string {
  if (value.length > LONGEST) throw malformed(name, definition, `has more than ${LONGEST} characters`)
  if (definition !== undefined && !matchesPattern(definition.pattern, value)) throw malformed(name, definition, `does not match ${definition.pattern}`)
  switch (position) {
    case 'url':
      if (!BASE_URL.test(value) || value.split('/').includes('..')) throw malformed(name, definition, 'is not an https URL without user, query and fragment')
      return value.endsWith('/') ? value.slice(0, -1) : value
    case 'host':
      if (!HOST.test(value)) throw malformed(name, definition, 'is not a host name')
      return value
    case 'host_end':
      if (!HOST_AND_PORT.test(value) || !HOST.test(value.replace(/:.*$/, ''))) throw malformed(name, definition, 'is not a host name')
      return value
    case 'path':
      return insertInPath(name, value, keepSlashes, definition)
  }
}

function insertInPath(name: string, value: string, keepSlashes: boolean, definition: VariableDefinition | undefined): string {
  const dots = value.split('/').some((segment) => segment === '.' || segment === '..')
  if (dots) throw malformed(name, definition, 'holds a dot segment')
  if (!keepSlashes) return percentEncode(value)
  if (!KEPT_PATH.test(value)) throw malformed(name, definition, 'is not a plain path')
  return value
}

function missing(name: string, definition: VariableDefinition | undefined): Fault {
  return new Fault('invalid_request', { field: `variables.${name}`, detail: `The variable "${name}" is missing.${exampleOf(definition)}` })
}

function malformed(name: string, definition: VariableDefinition | undefined, problem: string): Fault {
  return new Fault('invalid_request', { field: `variables.${name}`, detail: `The variable "${name}" ${problem}.${exampleOf(definition)}` })
}

function exampleOf(definition: VariableDefinition | undefined): string {
  return definition === undefined ? '' : ` Example: ${definition.example}`
}
