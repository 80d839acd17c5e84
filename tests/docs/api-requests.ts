import { Ajv2020 } from 'ajv/dist/2020.js'

/** What curl is told to send to our server. */
interface DocumentedRequest {
  readonly method: string
  /** Below the server's address, without the query. */
  readonly path: string
  readonly query: readonly string[]
  readonly body: string | null
}

/** The part of an OpenAPI document that requests are held to. */
export interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string }[]
  readonly requestBody?: { readonly content?: Readonly<Record<string, { readonly schema?: object }>> }
}

/** Options of curl that take the next word. */
const WITH_VALUE = new Set([
  '-H',
  '--header',
  '-d',
  '--data',
  '--data-binary',
  '-X',
  '--request',
  '-o',
  '--output',
  '-F',
  '-u',
  '--max-time',
  '-w',
  '-b',
  '-c',
  '--cacert',
  '--resolve',
  '--retry',
])
const OURS =
  /^(\$EVERGRANT|\$URL|\$\{EVERGRANT\}|https?:\/\/(localhost|127\.0\.0\.1):4400|http:\/\/<node>|https:\/\/(evergrant\.example(\.com)?|connect\.example\.com|auth\.example\.com|grants\.example\.com))(?=[/?]|$)/

/** Served beside the documented API; a test asks a running server for each. */
export const UNDOCUMENTED_PATHS: readonly string[] = [
  '/health/live',
  '/health/ready',
  '/metrics',
  '/docs/api',
  '/docs/errors',
  '/api/v1/openapi.json',
  '/.well-known/jwks.json',
  '/.well-known/oauth-protected-resource',
]

/** The request of a curl command, or null when it goes to somebody else. */
export function requestOf(words: readonly string[]): DocumentedRequest | null {
  let method: string | null = null
  let body: string | null = null
  let url = ''
  for (let index = 1; index < words.length; index += 1) {
    const word = words[index] ?? ''
    if (word.startsWith('-')) {
      if (!WITH_VALUE.has(word)) continue
      index += 1
      if (word === '-X' || word === '--request') method = words[index] ?? null
      if (['-d', '--data', '--data-binary'].includes(word)) body = words[index] ?? ''
    } else if (url === '') url = word
  }
  // `$2` is a parameter of a function of the page; its calls are judged.
  if (!OURS.test(url) || /\$\d/.test(url)) return null
  const [path = '', query = ''] = url.replace(OURS, '').split('?')
  return { method: method ?? (body === null ? 'GET' : 'POST'), path, query: namesOf(query), body }
}

export function namesOf(query: string): string[] {
  return query === '' ? [] : query.split('&').map((pair) => pair.split('=')[0] ?? '')
}

const FULL_ID = '01990f7e-7a5c-7c3e-8a4b-2f1d0c9b8a76'

/** Complaints about a documented request: an unknown route, method, parameter, or a body that the route would refuse. */
export class RequestJudge {
  readonly #paths: readonly (readonly [RegExp, string])[]
  readonly #document: ApiDocument
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false })

  constructor(document: ApiDocument) {
    this.#document = document
    this.#ajv.addSchema(document, 'api')
    // A literal path is found before one with a parameter in its place.
    const paths = Object.keys(document.paths).toSorted((a, b) => a.split('{').length - b.split('{').length)
    this.#paths = paths.map((path) => [new RegExp(`^${path.replace(/\{\*\}|\*$/, '.+').replace(/\{[^}]+\}/g, '[^/]+')}$`), path] as const)
  }

  judge({ method, path, query, body }: DocumentedRequest): string[] {
    if (UNDOCUMENTED_PATHS.includes(path)) return []
    const matches = this.#paths.filter(([pattern]) => pattern.test(path)).map(([, found]) => found)
    if (matches.length === 0) return [`there is no route ${path}`]
    const template = matches.find((found) => this.#document.paths[found]?.[method.toLowerCase()] !== undefined)
    if (template === undefined) return [`${matches[0]} has no ${method}`]
    const operation = this.#document.paths[template]?.[method.toLowerCase()] ?? {}
    if (template.includes('/proxy/')) return []
    const known = (operation.parameters ?? []).filter((parameter) => parameter.in === 'query').map(({ name }) => name)
    const strange = query.filter((name) => !known.includes(name)).map((name) => `${method} ${template} has no parameter '${name}'`)
    return [...strange, ...this.#judgeBody(`${method} ${template}`, template, method, operation, body)]
  }

  #judgeBody(name: string, template: string, method: string, operation: Operation, body: string | null): string[] {
    const content = operation.requestBody?.content?.['application/json']
    if (body === null || body.startsWith('@')) return []
    if (content?.schema === undefined) return [`${name} takes no body`]
    let value: unknown
    try {
      value = JSON.parse(body.replace(/"([a-z]+)_(\.\.\.|[0-9a-f-]+\.\.\.)"/g, `"$1_${FULL_ID}"`).replace(/\$\w+/g, 'x'))
    } catch {
      return [`${name}: the body is no JSON`]
    }
    const pointer = ['paths', template, method.toLowerCase(), 'requestBody', 'content', 'application/json', 'schema']
    const reference = `api#/${pointer.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}`
    const valid = this.#ajv.getSchema(reference) ?? this.#ajv.compile({ $ref: reference })
    if (valid(value)) return []
    return (valid.errors ?? []).map(({ instancePath, message }) => `${name}: ${instancePath === '' ? 'the body' : instancePath} ${message}`)
  }
}
