import { RefusedCall } from './call.ts'

const CONNECTION = /^con_[0-9a-f-]{36}$/

/** Arguments of one tool call, read one by one. What is wrong is said so that a language model can put it right. */
export class Arguments {
  readonly #values: Readonly<Record<string, unknown>>

  /** @throws RefusedCall for a name that the tool does not have */
  constructor(values: Readonly<Record<string, unknown>>, names: readonly string[]) {
    const unknown = Object.keys(values).find((name) => !names.includes(name))
    if (unknown !== undefined) throw new RefusedCall(`There is no argument \`${unknown}\`. This tool takes ${names.map((name) => `\`${name}\``).join(', ')}.`)
    this.#values = values
  }

  connection(): string {
    const id = this.text('connection', '')
    if (!CONNECTION.test(id)) throw new RefusedCall('`connection` must be the `id` of a connection, con_.... The tool list_connections says which there are.')
    return id
  }

  text(name: string, otherwise: string): string {
    const value = this.#values[name] ?? otherwise
    if (typeof value !== 'string') throw new RefusedCall(`\`${name}\` must be a text.`)
    return value
  }

  optionalText(name: string): string | undefined {
    return this.#values[name] === undefined ? undefined : this.text(name, '')
  }

  seconds(name: string, otherwise: number, most: number): number {
    const value = this.#values[name] ?? otherwise
    if (typeof value !== 'number' || !(value >= 0 && value <= most)) throw new RefusedCall(`\`${name}\` must be a number of seconds from 0 to ${most}.`)
    return value
  }

  texts(name: string): Readonly<Record<string, string>> {
    const value = this.#values[name] ?? {}
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new RefusedCall(`\`${name}\` must be an object of names and values.`)
    return Object.fromEntries(Object.entries(value).map(([key, text]) => [key, oneValue(name, key, text)]))
  }

  any(name: string): unknown {
    return this.#values[name]
  }
}

function oneValue(name: string, key: string, value: unknown): string {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value)
  throw new RefusedCall(`\`${name}.${key}\` must be a text, a number or a boolean.`)
}
