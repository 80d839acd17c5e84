/** What the page shows of an OpenAPI document. Everything is read defensively: the page must never be the reason of a 500. */
export interface ApiOperation {
  readonly method: string
  readonly path: string
  readonly summary: string
  readonly description: string
  readonly parameters: readonly ApiField[]
  readonly body: readonly ApiField[]
  readonly answers: readonly { readonly status: string; readonly fields: readonly ApiField[] }[]
}

export interface ApiField {
  readonly name: string
  readonly place: string
  readonly type: string
  readonly required: boolean
  readonly description: string
}

export interface ApiGroup {
  readonly tag: string
  readonly operations: readonly ApiOperation[]
}

type Node = Readonly<Record<string, unknown>>

const METHODS = ['get', 'post', 'put', 'patch', 'delete']

/** The operations of a document by tag, in the order they were registered. An operation for any method is shown once. */
export function groupsOf(document: unknown): readonly ApiGroup[] {
  const groups = new Map<string, ApiOperation[]>()
  for (const [path, item] of Object.entries(node(node(document)['paths']))) {
    const known = METHODS.filter((method) => method in node(item))
    const shown = known.length === METHODS.length ? known.slice(0, 1) : known
    for (const method of shown) {
      const operation = node(node(item)[method])
      const tag = text(list(operation['tags'])[0]) || 'other'
      const group = groups.get(tag) ?? []
      group.push(operationOf(shown.length < known.length ? 'ANY' : method.toUpperCase(), path, operation))
      groups.set(tag, group)
    }
  }
  return [...groups].map(([tag, operations]) => ({ tag, operations }))
}

function operationOf(method: string, path: string, operation: Node): ApiOperation {
  const parameters = list(operation['parameters']).map((one) => {
    const { name, in: place, required, schema, description } = node(one)
    return {
      name: text(name),
      place: text(place),
      type: typeOf(schema),
      required: required === true,
      description: text(description) || text(node(schema)['description']),
    }
  })
  const answers = Object.entries(node(operation['responses']))
    .filter(([status]) => status.startsWith('2'))
    .map(([status, answer]) => ({ status, fields: fieldsOf(schemaIn(answer), '') }))
  return {
    method,
    path,
    summary: text(operation['summary']),
    description: text(operation['description']),
    parameters,
    body: fieldsOf(schemaIn(operation['requestBody']), 'body'),
    answers,
  }
}

function schemaIn(value: unknown): Node {
  return node(node(node(node(value)['content'])['application/json'])['schema'])
}

function fieldsOf(schema: Node, place: string): readonly ApiField[] {
  const required = list(schema['required'])
  return Object.entries(node(schema['properties'])).map(([name, field]) => ({
    name,
    place,
    type: typeOf(field),
    required: required.includes(name),
    description: text(node(field)['description']),
  }))
}

function typeOf(schema: unknown): string {
  const { type, enum: values, anyOf, items } = node(schema)
  if (Array.isArray(values)) return values.map((value) => JSON.stringify(value)).join(' | ')
  if (Array.isArray(anyOf)) return [...new Set(anyOf.map(typeOf))].join(' | ')
  if (type === 'array') return `${typeOf(items)}[]`
  return text(type) || 'any'
}

function node(value: unknown): Node {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
