import { isJsonObject, type JsonObject, type JsonValue } from '../json.ts'
import { accountAt, conditionsHold, textAt, valuesAt } from '../provider/answer-path.ts'
import { parseIsoInstant } from '../provider/dates.ts'
import type { ProviderRecord } from '../provider/record.ts'
import type { PushRule } from '../provider/record-around.ts'
import type { Instant } from '../time.ts'

/** One thing that a push says. */
export interface PushReading {
  readonly means: PushRule['means']
  readonly account: string | null
  readonly happenedAt: Instant | null
  readonly code: string | null
  readonly facts: Readonly<Record<string, string>>
}

interface ReadablePush {
  readonly body: JsonObject
  readonly headers: Readonly<Record<string, string>>
  /** Of the integration: the conditions of a rule may use them. */
  readonly variables: Readonly<Record<string, string>>
}

const MILLISECONDS_FROM = 1e11

/** What a push says by the rules of its record; empty when nothing in it concerns us. Each element of a list is read by the first rule that fits it. */
export function readPush(record: ProviderRecord, push: ReadablePush): PushReading[] {
  const rules = record.push?.rules ?? []
  const variables = { ...defaultsOf(record), ...push.variables }
  const readings: PushReading[] = []
  const read = new Set<JsonValue>()
  for (const rule of rules) {
    if (!headersFit(rule, push.headers)) continue
    for (const subject of subjectsOf(rule, push.body)) {
      if (read.has(subject) || !conditionsHold(subject, filled(rule.where, variables))) continue
      read.add(subject)
      readings.push(readingOf(rule, subject))
    }
  }
  return readings
}

function defaultsOf(record: ProviderRecord): Record<string, string> {
  return Object.fromEntries(Object.entries(record.variables).flatMap(([name, variable]) => (variable.default === null ? [] : [[name, variable.default]])))
}

function subjectsOf(rule: PushRule, body: JsonObject): readonly JsonObject[] {
  if (rule.list === null) return [body]
  return valuesAt(body, rule.list)
    .flatMap((value) => (Array.isArray(value) ? [...value] : [value]))
    .filter(isJsonObject)
}

function headersFit(rule: PushRule, headers: Readonly<Record<string, string>>): boolean {
  return Object.entries(rule.headers).every(([name, expected]) => conditionsHold({ value: headers[name.toLowerCase()] ?? null }, { value: expected }))
}

/** A variable that has no value makes a condition that never holds. */
function filled(where: PushRule['where'], variables: Readonly<Record<string, string>>): PushRule['where'] {
  return Object.fromEntries(
    Object.entries(where).map(([path, expected]) => {
      const name = typeof expected === 'string' ? /^\{([A-Za-z0-9_-]+)\}$/.exec(expected)?.[1] : undefined
      return [path, name === undefined ? expected : Object.hasOwn(variables, name) ? (variables[name] ?? '') : '/^(?!)/']
    }),
  )
}

function readingOf(rule: PushRule, subject: JsonObject): PushReading {
  return {
    means: rule.means,
    account: accountOf(rule, subject),
    happenedAt: rule.at === null ? null : instantAt(textAt(subject, rule.at)),
    code: textAt(subject, rule.code),
    facts: Object.fromEntries(
      Object.entries(rule.facts).flatMap(([name, path]) => {
        const text = textAt(subject, path)
        return text === null ? [] : [[name, text.slice(0, 500)]]
      }),
    ),
  }
}

function accountOf(rule: PushRule, subject: JsonObject): string | null {
  const text = rule.account === null ? null : accountAt(subject, rule.account)
  if (text === null || text.length > 500) return null
  return rule.pattern === null ? text : (new RegExp(rule.pattern).exec(text)?.[1] ?? null)
}

function instantAt(text: string | null): Instant | null {
  if (text === null) return null
  if (!/^[0-9]{1,16}(?:\.[0-9]+)?$/.test(text)) return parseIsoInstant(text)
  const told = Number(text)
  return Math.floor(told >= MILLISECONDS_FROM ? told : told * 1_000)
}
