/** One step that may happen next. */
export interface Move<State> {
  readonly name: string
  readonly next: State
}

/** A finite system: where it starts, what may happen, and what names a state. */
export interface Model<State> {
  readonly initial: State
  /** Every move that is possible in `state`, in any order. */
  moves(state: State): readonly Move<State>[]
  /** Two states with the same key are the same state. */
  key(state: State): string
}

export interface Property<State> {
  readonly name: string
  holds(state: State): boolean
}

export interface Exploration<State> {
  readonly states: number
  readonly transitions: number
  /** Longest of the shortest ways to a state. */
  readonly depth: number
  /** False: the limit ended the search, and what was not seen is not known. */
  readonly complete: boolean
  /** The shortest way to break each property that does not hold. */
  readonly broken: ReadonlyMap<string, readonly string[]>
  /** Which of the targets were met. */
  readonly reached: ReadonlySet<string>
  /** States from which no way leads to a state where `rest` holds; 0 unless `rest` was given. */
  readonly stuck: number
  readonly stuckTrace: readonly string[] | null
  readonly example: (target: string) => readonly string[] | null
  readonly last: State
}

interface Question<State> {
  readonly properties: readonly Property<State>[]
  /** States that must be reachable, or the model proves nothing. */
  readonly targets: readonly Property<State>[]
  /** What every state must be able to come back to. */
  readonly rest?: (state: State) => boolean
  readonly limit: number
}

/** Breadth first over every reachable state, so that each counterexample is a shortest one. */
export function explore<State>(model: Model<State>, question: Question<State>): Exploration<State> {
  const search = new Search(model, question)
  search.run()
  return search.result()
}

class Search<State> {
  readonly #model: Model<State>
  readonly #question: Question<State>
  readonly #numbers = new Map<string, number>()
  readonly #states: State[] = []
  readonly #parents: number[] = []
  readonly #names: string[] = []
  readonly #depths: number[] = []
  readonly #edges: [number, number][] = []
  readonly #broken = new Map<string, number>()
  readonly #reached = new Map<string, number>()
  readonly #resting: number[] = []
  #transitions = 0
  #complete = true

  constructor(model: Model<State>, question: Question<State>) {
    this.#model = model
    this.#question = question
  }

  run(): void {
    this.#visit(this.#model.initial, -1, 'start')
    for (let at = 0; at < this.#states.length; at += 1) {
      if (this.#states.length >= this.#question.limit) {
        this.#complete = false
        return
      }
      for (const move of this.#model.moves(this.#states[at] as State)) {
        const to = this.#visit(move.next, at, move.name)
        this.#transitions += 1
        if (this.#question.rest !== undefined) this.#edges.push([at, to])
      }
    }
  }

  #visit(state: State, from: number, name: string): number {
    const key = this.#model.key(state)
    const known = this.#numbers.get(key)
    if (known !== undefined) return known
    const number = this.#states.length
    this.#numbers.set(key, number)
    this.#states.push(state)
    this.#parents.push(from)
    this.#names.push(name)
    this.#depths.push(from < 0 ? 0 : (this.#depths[from] ?? 0) + 1)
    for (const property of this.#question.properties) if (!this.#broken.has(property.name) && !property.holds(state)) this.#broken.set(property.name, number)
    for (const target of this.#question.targets) if (!this.#reached.has(target.name) && target.holds(state)) this.#reached.set(target.name, number)
    if (this.#question.rest?.(state)) this.#resting.push(number)
    return number
  }

  result(): Exploration<State> {
    const stuck = this.#question.rest === undefined ? [] : this.#cannotRest()
    return {
      states: this.#states.length,
      transitions: this.#transitions,
      depth: this.#depths.at(-1) ?? 0,
      complete: this.#complete,
      broken: new Map([...this.#broken].map(([name, number]) => [name, this.#wayTo(number)])),
      reached: new Set(this.#reached.keys()),
      stuck: stuck.length,
      stuckTrace: stuck[0] === undefined ? null : this.#wayTo(stuck[0]),
      example: (target) => {
        const number = this.#reached.get(target)
        return number === undefined ? null : this.#wayTo(number)
      },
      last: this.#states.at(-1) as State,
    }
  }

  /** Backwards from every resting state; what is not met cannot come to rest. */
  #cannotRest(): number[] {
    const before = new Map<number, number[]>()
    for (const [from, to] of this.#edges) {
      const known = before.get(to)
      if (known === undefined) before.set(to, [from])
      else known.push(from)
    }
    const met = new Uint8Array(this.#states.length)
    const open = [...this.#resting]
    for (const number of open) met[number] = 1
    for (let number = open.pop(); number !== undefined; number = open.pop()) {
      for (const from of before.get(number) ?? []) {
        if (met[from] === 1) continue
        met[from] = 1
        open.push(from)
      }
    }
    return [...met.keys()].filter((number) => met[number] === 0)
  }

  #wayTo(number: number): readonly string[] {
    const way: string[] = []
    for (let at = number; at > 0; at = this.#parents[at] ?? 0) way.push(this.#names[at] ?? '')
    return way.reverse()
  }
}
