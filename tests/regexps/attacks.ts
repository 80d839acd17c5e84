import type { Pattern } from './pattern.ts'
import { stepsOf, TooManySteps } from './steps.ts'

/** A text that makes a pattern try again and again: something that fits, many times, and then something that does not. */
export interface Attack {
  readonly prefix: string
  readonly pump: string
  readonly suffix: string
}

/** What the leaves of a pattern are tried with; its own letters come first. */
const POOL = [...'aA0zZ9fF_- .,:;/=+*?!@#$%&|~^\'"<>()[]{}`\\\n\t\r\u00e9\u4e2d\u0301']
const SUFFIXES = ['', '\u0000', '\n!']
const MOST_ATTACKS = 72

/** What `pattern` may be made to try again. */
function attacksOn(pattern: Pattern): readonly Attack[] {
  const found = new Map<string, Attack>()
  const add = (prefix: string, pump: string): void => {
    if (pump === '') return
    for (const suffix of SUFFIXES) found.set(JSON.stringify([prefix, pump, suffix]), { prefix, pump, suffix })
  }
  for (const character of lettersOf(pattern)) add('', character)
  visit(pattern, '', (prefix, body) => {
    for (const pump of samplesOf(body)) {
      add(prefix, pump)
      add('', pump)
      add('', prefix + pump)
    }
  })
  return [...found.values()].slice(0, MOST_ATTACKS)
}

export const textOf = ({ prefix, pump, suffix }: Attack, length: number): string => prefix + pump.repeat(Math.ceil(length / pump.length)) + suffix

function lettersOf(pattern: Pattern): ReadonlySet<string> {
  const letters = new Set<string>()
  const look = (one: Pattern): void => {
    if (one.kind === 'one') for (const character of POOL.filter(one.fits).slice(0, 3)) letters.add(character)
    if (one.kind === 'one' && one.source.length === 1) letters.add(one.source)
    for (const inner of insideOf(one)) look(inner)
  }
  look(pattern)
  return letters
}

function insideOf(pattern: Pattern): readonly Pattern[] {
  if (pattern.kind === 'sequence') return pattern.parts
  if (pattern.kind === 'choice') return pattern.options
  return 'body' in pattern ? [pattern.body] : []
}

/** Every repetition, with a text that leads to it. */
function visit(pattern: Pattern, prefix: string, onRepeat: (prefix: string, body: Pattern) => void): string {
  switch (pattern.kind) {
    case 'sequence':
      return pattern.parts.reduce((before, part) => before + visit(part, prefix + before, onRepeat), '')
    case 'choice':
      return pattern.options.map((option) => visit(option, prefix, onRepeat))[0] ?? ''
    case 'repeat':
      if (pattern.max > 1) onRepeat(prefix, pattern.body)
      return visit(pattern.body, prefix, onRepeat).repeat(Math.min(pattern.min, 40))
    case 'group':
      return visit(pattern.body, prefix, onRepeat)
    case 'look':
      visit(pattern.body, prefix, onRepeat)
      return ''
    default:
      return samplesOf(pattern)[0] ?? ''
  }
}

/** A few texts that fit. */
function samplesOf(pattern: Pattern): readonly string[] {
  switch (pattern.kind) {
    case 'one':
      return pattern.source.length === 1 && pattern.source !== '.' ? [pattern.source] : POOL.filter(pattern.fits).slice(0, 4)
    case 'sequence':
      return joined(pattern.parts.map(samplesOf))
    case 'choice':
      return pattern.options.flatMap((option) => samplesOf(option).slice(0, 2)).slice(0, 8)
    case 'repeat':
      return samplesOf(pattern.body).map((text) => text.repeat(Math.min(Math.max(1, pattern.min), 40)))
    case 'group':
      return samplesOf(pattern.body)
    default:
      return ['']
  }
}

/** The first of each, and each of the others once. */
function joined(parts: readonly (readonly string[])[]): readonly string[] {
  const firsts = parts.map(([first = '']) => first)
  const others = parts.flatMap((texts, place) => texts.slice(1, 3).map((text) => firsts.with(place, text).join('')))
  return [firsts.join(''), ...others].slice(0, 8)
}

const SHORT = 120
const LENGTHS = [400, 1_600] as const
/** Four times the text may cost a little more than four times the steps; a square of it costs sixteen times. */
const MOST_GROWTH = 6
const MOST_STEPS = 3_000_000
const CHEAP_STEPS_A_CHARACTER = 12

/** The attack whose cost grows faster than its text; null when none does. Also the costliest, to be run on the real engine. */
export function growthOf(pattern: Pattern, flags: string): { readonly steep: Attack | null; readonly costliest: Attack | null } {
  let [costliest, most]: [Attack | null, number] = [null, 0]
  for (const attack of attacksOn(pattern)) {
    const text = textOf(attack, SHORT)
    const steps = count(pattern, flags, text)
    if (steps > most) [costliest, most] = [attack, steps]
    if (steps <= CHEAP_STEPS_A_CHARACTER * text.length) continue
    const [short, long] = LENGTHS.map((length) => count(pattern, flags, textOf(attack, length)))
    if ((long ?? 0) > MOST_GROWTH * (short ?? 0) || !Number.isFinite(long)) return { steep: attack, costliest: attack }
  }
  return { steep: null, costliest }
}

function count(pattern: Pattern, flags: string, text: string): number {
  try {
    return stepsOf(pattern, flags, text, MOST_STEPS)
  } catch (error) {
    if (error instanceof TooManySteps || error instanceof RangeError) return Infinity
    throw error
  }
}
