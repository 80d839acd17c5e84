/** An answer of a JSON API. `body` is null when there is none, or none that parses. */
export interface JsonReply {
  readonly status: number
  readonly headers: Headers
  readonly body: unknown
  readonly text: string
}

interface JsonCall {
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** One API with one key. Paths are relative to `base`. Redirects are not followed; refusals are answers, not errors. */
export class JsonClient {
  readonly #base: string
  readonly headers: Readonly<Record<string, string>>

  constructor(base: string, headers: Readonly<Record<string, string>> = {}) {
    this.#base = base.replace(/\/+$/, '')
    this.headers = headers
  }

  get(path: string, call: JsonCall = {}): Promise<JsonReply> {
    return this.call('GET', path, call)
  }

  post(path: string, body: unknown = {}, headers: Readonly<Record<string, string>> = {}): Promise<JsonReply> {
    return this.call('POST', path, { body, headers })
  }

  async call(method: string, path: string, { body, headers = {} }: JsonCall = {}): Promise<JsonReply> {
    const type: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' }
    const response = await fetch(`${this.#base}${path}`, {
      method,
      redirect: 'manual',
      headers: { ...this.headers, ...type, ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, body: parse(text), text }
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** The value at a dotted path (`items.0.id`); undefined where there is none. */
export function at(value: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((inner, step) => (typeof inner === 'object' && inner !== null ? Reflect.get(inner, step) : undefined), value)
}

/** The same, as a string. Throws with the whole answer when it is none: the message of a failed test. */
export function textAt(reply: JsonReply, path: string): string {
  const value = at(reply.body, path)
  if (typeof value !== 'string') throw new Error(`${path} is missing in the answer ${reply.status}: ${reply.text.slice(0, 2000)}`)
  return value
}
