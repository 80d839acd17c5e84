/** A regular expression as a tree: what a backtracking matcher walks. Classes and escapes of one character are one leaf, judged by the engine itself. */
export type Pattern =
  | { readonly kind: 'one'; readonly source: string; readonly fits: (character: string) => boolean }
  | { readonly kind: 'sequence'; readonly parts: readonly Pattern[] }
  | { readonly kind: 'choice'; readonly options: readonly Pattern[] }
  | { readonly kind: 'repeat'; readonly body: Pattern; readonly min: number; readonly max: number; readonly lazy: boolean }
  | { readonly kind: 'group'; readonly body: Pattern; readonly name: string | null }
  | { readonly kind: 'look'; readonly body: Pattern; readonly behind: boolean; readonly negated: boolean }
  | { readonly kind: 'edge'; readonly which: '^' | '$' | 'b' | 'B' }
  | { readonly kind: 'same'; readonly name: string }

const QUANTIFIER = /^(?:[*+?]|\{\d+(?:,\d*)?\})/
const GROUP = /^\((?:\?(?:(?<kind>[:=!]|<[=!])|<(?<name>[A-Za-z_]\w*)>))?/
const ESCAPE = /^\\(?:u\{[0-9a-fA-F]+\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|c[A-Za-z]|[pP]\{[^}]+\}|[\s\S])/

/** @throws SyntaxError for what is no regular expression, Error for one that this reader does not know */
export function readPattern(source: string, flags: string): Pattern {
  void new RegExp(source, flags)
  return new Reader(source, flags.replaceAll(/[gyd]/g, '')).whole()
}

class Reader {
  readonly #source: string
  readonly #flags: string
  #at = 0
  #groups = 0

  constructor(source: string, flags: string) {
    this.#source = source
    this.#flags = flags
  }

  whole(): Pattern {
    const read = this.#choice()
    if (this.#at < this.#source.length) throw new Error(`cannot read ${this.#rest()} of ${this.#source}`)
    return read
  }

  #rest(): string {
    return this.#source.slice(this.#at)
  }

  #take(pattern: RegExp): RegExpExecArray | null {
    const found = pattern.exec(this.#rest())
    if (found !== null) this.#at += found[0].length
    return found
  }

  #choice(): Pattern {
    const options = [this.#sequence()]
    while (this.#take(/^\|/)) options.push(this.#sequence())
    return options.length === 1 && options[0] !== undefined ? options[0] : { kind: 'choice', options }
  }

  #sequence(): Pattern {
    const parts: Pattern[] = []
    while (this.#at < this.#source.length && !/^[|)]/.test(this.#rest())) parts.push(this.#repeated(this.#atom()))
    return { kind: 'sequence', parts }
  }

  #repeated(body: Pattern): Pattern {
    const text = this.#take(QUANTIFIER)?.[0]
    if (text === undefined) return body
    const lazy = this.#take(/^\?/) !== null
    const fixed: Readonly<Record<string, readonly [number, number]>> = { '*': [0, Infinity], '+': [1, Infinity], '?': [0, 1] }
    const [low = '0', high] = text.slice(1, -1).split(',')
    const [min, max] = fixed[text] ?? [Number(low), high === undefined ? Number(low) : high === '' ? Infinity : Number(high)]
    return { kind: 'repeat', body, min, max, lazy }
  }

  #atom(): Pattern {
    const edge = this.#take(/^(?:\^|\$|\\[bB])/)?.[0]
    if (edge !== undefined) return { kind: 'edge', which: edge.replace('\\', '') as '^' }
    const group = this.#take(GROUP)
    if (group !== null) return this.#group(group.groups?.['kind'], group.groups?.['name'])
    const same = this.#take(/^\\(?:k<(\w+)>|([1-9]\d*))/)
    if (same !== null) return { kind: 'same', name: same[1] ?? same[2] ?? '' }
    const one = this.#class() ?? this.#take(ESCAPE)?.[0] ?? this.#take(/^[\s\S]/u)?.[0] ?? ''
    return this.#one(one)
  }

  #group(kind: string | undefined, name: string | undefined): Pattern {
    const own = kind === undefined ? String(++this.#groups) : null
    const body = this.#choice()
    if (this.#take(/^\)/) === null) throw new Error(`a group of ${this.#source} does not end`)
    if (kind === undefined || kind === ':') return { kind: 'group', body, name: name ?? own }
    return { kind: 'look', body, behind: kind.startsWith('<'), negated: kind.endsWith('!') }
  }

  #class(): string | undefined {
    if (!this.#rest().startsWith('[')) return undefined
    let end = 1
    while (this.#rest()[end] !== ']') end += this.#rest()[end] === '\\' ? 2 : 1
    const text = this.#rest().slice(0, end + 1)
    this.#at += end + 1
    return text
  }

  #one(source: string): Pattern {
    const engine = new RegExp(`^(?:${source})$`, this.#flags.replace('m', ''))
    const known = new Map<string, boolean>()
    const fits = (character: string): boolean => {
      const before = known.get(character)
      if (before !== undefined) return before
      const fitting = engine.test(character)
      known.set(character, fitting)
      return fitting
    }
    return { kind: 'one', source, fits }
  }
}
