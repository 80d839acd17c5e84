import type { Pattern } from './pattern.ts'

type Next = (at: number) => boolean

/** Thrown when counting has gone on for longer than anybody wants to know. */
export class TooManySteps extends Error {}

/**
 * How many characters a backtracking engine looks at while it searches `text` from its beginning: counted, not timed, so that the same pattern
 * costs the same on every machine. @throws TooManySteps beyond `limit`
 */
export function stepsOf(pattern: Pattern, flags: string, text: string, limit: number): number {
  const walk = new Walk(flags, text, limit)
  walk.search(pattern)
  return walk.steps
}

/** What the engine would answer: shows that the counting walks the same way. */
export function matches(pattern: Pattern, flags: string, text: string): boolean {
  return new Walk(flags, text, Infinity).search(pattern)
}

class Walk {
  steps = 0
  readonly #characters: readonly string[]
  readonly #multiline: boolean
  readonly #limit: number
  readonly #groups = new Map<string, string>()

  constructor(flags: string, text: string, limit: number) {
    this.#characters = /[uv]/.test(flags) ? [...text] : text.split('')
    this.#multiline = flags.includes('m')
    this.#limit = limit
  }

  /** From the first place on, to the first match: as `exec` does. */
  search(pattern: Pattern): boolean {
    for (let start = 0; start <= this.#characters.length; start += 1) {
      this.#count()
      if (this.#match(pattern, start, () => true)) return true
    }
    return false
  }

  #count(): void {
    this.steps += 1
    if (this.steps > this.#limit) throw new TooManySteps()
  }

  #match(pattern: Pattern, at: number, next: Next): boolean {
    switch (pattern.kind) {
      case 'one':
        return this.#fits(pattern, at) && next(at + 1)
      case 'sequence':
        return this.#sequence(pattern.parts, 0, at, next)
      case 'choice':
        return pattern.options.some((option) => this.#match(option, at, next))
      case 'repeat':
        return pattern.body.kind === 'one' ? this.#run(pattern, at, next) : this.#repeat(pattern, 0, at, next)
      case 'group':
        return this.#match(pattern.body, at, (end) => {
          if (pattern.name !== null) this.#groups.set(pattern.name, this.#characters.slice(at, end).join(''))
          return next(end)
        })
      case 'look':
        return this.#look(pattern, at) !== pattern.negated && next(at)
      case 'edge':
        return this.#edge(pattern.which, at) && next(at)
      case 'same': {
        const again = this.#groups.get(pattern.name) ?? ''
        this.steps += again.length
        return this.#characters.slice(at, at + again.length).join('') === again && next(at + again.length)
      }
    }
  }

  #fits(one: Extract<Pattern, { kind: 'one' }>, at: number): boolean {
    this.#count()
    const character = this.#characters[at]
    return character !== undefined && one.fits(character)
  }

  #sequence(parts: readonly Pattern[], index: number, at: number, next: Next): boolean {
    const part = parts[index]
    return part === undefined ? next(at) : this.#match(part, at, (end) => this.#sequence(parts, index + 1, end, next))
  }

  /** Of single characters: no recursion, as engines do it. */
  #run({ body, min, max, lazy }: Extract<Pattern, { kind: 'repeat' }>, at: number, next: Next): boolean {
    const one = body as Extract<Pattern, { kind: 'one' }>
    if (lazy) {
      for (let count = 0; ; count += 1) {
        if (count >= min && next(at + count)) return true
        if (count >= max || !this.#fits(one, at + count)) return false
      }
    }
    let count = 0
    while (count < max && this.#fits(one, at + count)) count += 1
    for (; count >= min; count -= 1) {
      this.#count()
      if (next(at + count)) return true
    }
    return false
  }

  #repeat(repeat: Extract<Pattern, { kind: 'repeat' }>, count: number, at: number, next: Next): boolean {
    const { body, min, max, lazy } = repeat
    const more = (): boolean => count < max && this.#match(body, at, (end) => (end === at && count >= min ? false : this.#repeat(repeat, count + 1, end, next)))
    const done = (): boolean => count >= min && next(at)
    return lazy ? done() || more() : more() || done()
  }

  #look({ body, behind }: Extract<Pattern, { kind: 'look' }>, at: number): boolean {
    if (!behind) return this.#match(body, at, () => true)
    for (let start = at; start >= Math.max(0, at - longest(body)); start -= 1) if (this.#match(body, start, (end) => end === at)) return true
    return false
  }

  #edge(which: '^' | '$' | 'b' | 'B', at: number): boolean {
    const [before, after] = [this.#characters[at - 1], this.#characters[at]]
    if (which === '^') return before === undefined || (this.#multiline && before === '\n')
    if (which === '$') return after === undefined || (this.#multiline && after === '\n')
    const word = (character: string | undefined): boolean => character !== undefined && /\w/.test(character)
    return (word(before) !== word(after)) === (which === 'b')
  }
}

function longest(pattern: Pattern): number {
  switch (pattern.kind) {
    case 'one':
      return 1
    case 'sequence':
      return pattern.parts.reduce((sum, part) => sum + longest(part), 0)
    case 'choice':
      return Math.max(...pattern.options.map(longest))
    case 'repeat':
      return pattern.max === 0 ? 0 : pattern.max * longest(pattern.body)
    case 'group':
      return longest(pattern.body)
    default:
      return 0
  }
}
