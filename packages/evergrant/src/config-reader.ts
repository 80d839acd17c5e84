import { CLIENT_KEYS } from './client-environment.ts'
import { CONFIG_KEYS, type ConfigKey, RENAMED_KEYS, type RenamedKey } from './config-keys.ts'
import { Fault } from './core/fault/fault.ts'

export type Environment = Readonly<Record<string, string | undefined>>

export interface ReadOptions {
  readonly development: boolean
  /** Reads what a `<NAME>_FILE` key points to; throws when it cannot. */
  readonly readSecretFile?: (path: string) => string
}

/** Reads keys of the configuration out of an environment, and collects what is wrong with them, so that it is told at once. */
export class ConfigReader {
  readonly #env: Environment
  readonly #options: ReadOptions
  readonly #problems = new Map<string, string>()

  constructor(env: Environment, options: ReadOptions) {
    this.#env = env
    this.#options = options
  }

  refuse(name: string, problem: string): void {
    if (!this.#problems.has(name)) this.#problems.set(name, problem)
  }

  failed(name: string): boolean {
    return this.#problems.has(name)
  }

  text(name: ConfigKey): string {
    return this.#raw(name) ?? defaultOf(name)
  }

  optional<Value>(name: ConfigKey, parse: (text: string) => Value): Value | null {
    const raw = this.#raw(name)
    if (raw === undefined) return null
    try {
      return parse(raw)
    } catch (error) {
      this.refuse(name, error instanceof Fault ? error.message : 'cannot be read')
      return null
    }
  }

  integer(name: ConfigKey, lowest: number, highest: number): number {
    const text = this.text(name).trim()
    const value = /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN
    if (value >= lowest && value <= highest) return value
    this.refuse(name, `must be a whole number from ${lowest} to ${highest}`)
    return lowest
  }

  flag(name: ConfigKey): boolean {
    const text = this.text(name).trim().toLowerCase()
    if (text !== 'on' && text !== 'off') this.refuse(name, 'must be on or off')
    return text === 'on'
  }

  list(name: ConfigKey, pattern: RegExp, expected: string): readonly string[] {
    const entries = this.text(name)
      .split(/[\s,]+/)
      .filter((entry) => entry !== '')
    if (!entries.every((entry) => pattern.test(entry))) this.refuse(name, `must be a list, separated by commas, of ${expected}`)
    return entries.map((entry) => entry.toLowerCase())
  }

  /** A misspelt key must not be ignored in silence. */
  refuseUnknown(): void {
    const names = [...CONFIG_KEYS.map(({ name }) => name), ...RENAMED_KEYS.map(({ before }) => before)]
    const known = new Set<string>([...CLIENT_KEYS, ...names.flatMap((name) => [name, `${name}_FILE`])])
    for (const name of Object.keys(this.#env)) {
      if (name.startsWith('EVERGRANT_') && !known.has(name)) this.refuse(name, 'is not a key of Evergrant: correct its spelling or remove it')
    }
  }

  throwProblems(): void {
    if (this.#problems.size === 0) return
    const lines = [...this.#problems].map(([name, problem]) => `${name} ${problem}`)
    const [first] = this.#problems.keys()
    throw new Fault('invalid_request', { detail: lines.join('\n'), ...(first === undefined ? {} : { field: first }) })
  }

  /** The keys that are set under the name they had before. */
  renamed(): readonly RenamedKey[] {
    return RENAMED_KEYS.filter(({ before }) => this.#isSet(before))
  }

  #raw(name: ConfigKey): string | undefined {
    const before = RENAMED_KEYS.find((key) => key.name === name && this.#isSet(key.before))?.before
    if (before === undefined) return this.#given(name)
    // One of them would win in silence, and whoever changes the other would wonder.
    if (this.#isSet(name)) this.refuse(before, `is the name that ${name} had before, and both are set: remove ${before}`)
    return this.#given(before)
  }

  #isSet(name: string): boolean {
    return [name, `${name}_FILE`].some((key) => (this.#env[key] ?? '') !== '')
  }

  #given(name: string): string | undefined {
    const direct = this.#env[name]
    const path = this.#env[`${name}_FILE`]
    if (path === undefined || path === '') return direct === '' ? undefined : direct
    if (direct !== undefined && direct !== '') this.refuse(name, `and ${name}_FILE are both set: keep one of them`)
    return this.#readFile(name, path)
  }

  #readFile(name: string, path: string): string | undefined {
    try {
      return this.#options.readSecretFile?.(path).trim()
    } catch (error) {
      this.refuse(name, error instanceof Fault ? error.message : `cannot be read from the file that ${name}_FILE names: check the path and its permissions`)
      return undefined
    }
  }
}

function defaultOf(name: ConfigKey): string {
  return CONFIG_KEYS.find((key) => key.name === name)?.default ?? ''
}

/** What is wrong with a value; never repeats it. */
export function invalid(detail: string): Fault {
  return new Fault('invalid_request', { detail })
}
