import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import type { ProviderDraft } from './define.ts'
import { draftSchema } from './schema.ts'

/** One thing wrong with a file: where, and what was expected and found. */
export interface Problem {
  readonly path: string
  readonly text: string
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a group of fields',
  null: 'null',
}

type Checked = { readonly draft: ProviderDraft; readonly problems: null } | { readonly draft: null; readonly problems: readonly Problem[] }

// Compiled when first asked for: it takes longer than everything else that a start does with the catalogue.
let wholeFile: ValidateFunction<ProviderDraft> | null = null
let extendingFile: ValidateFunction | null = null

/** A provider file that stands on its own, or all that is wrong with it. */
export function checkDraft(written: unknown): Checked {
  wholeFile ??= compiler().compile<ProviderDraft>(draftSchema(false))
  return wholeFile(written) ? { draft: written, problems: null } : { draft: null, problems: explain(wholeFile.errors ?? []) }
}

/** What is wrong with a file that extends a record; empty when it is well-formed. */
export function checkExtension(written: unknown): readonly Problem[] {
  extendingFile ??= compiler().compile(draftSchema(true))
  return extendingFile(written) ? [] : explain(extendingFile.errors ?? [])
}

/** `providers/acme.yaml: token.clientAuth must be one of ...` */
export function sayProblem(fileName: string, problem: Problem): string {
  return problem.path === '' ? `${fileName}: ${problem.text}` : `${fileName}: ${problem.path} ${problem.text}`
}

function compiler(): Ajv {
  const ajv = new Ajv({ allErrors: true, verbose: true, allowUnionTypes: true, discriminator: true })
  ajv.addFormat('regex', { type: 'string', validate: compiles })
  return ajv
}

function compiles(pattern: string): boolean {
  try {
    return new RegExp(pattern) instanceof RegExp
  } catch {
    return false
  }
}

function explain(errors: readonly ErrorObject[]): Problem[] {
  const seen = new Set<string>()
  const problems: Problem[] = []
  for (const error of errors) {
    const problem = explainOne(error)
    const key = `${problem.path} ${problem.text}`
    if (!seen.has(key)) problems.push(problem)
    seen.add(key)
  }
  return problems
}

function explainOne(error: ErrorObject): Problem {
  const at = pathOf(error.instancePath)
  switch (error.keyword) {
    case 'additionalProperties': {
      const name: string = error.params.additionalProperty
      return { path: joined(at, name), text: `is not a field of a provider record${suggestion(name, Object.keys(error.parentSchema?.properties ?? {}))}` }
    }
    case 'required':
      return { path: joined(at, error.params.missingProperty), text: 'is missing' }
    case 'enum':
      return { path: at, text: `must be one of ${words(error.params.allowedValues)} (found ${found(error.data)})` }
    case 'type':
      return { path: at, text: `must be ${kinds(error.params.type)} (found ${found(error.data)})` }
    case 'discriminator':
      return {
        path: joined(at, 'from'),
        text: `must be one of answer, id_token, access_token, callback, variable, request (found ${found(error.params.tagValue)})`,
      }
    case 'format':
      return { path: at, text: `must be a regular expression that compiles (found ${found(error.data)})` }
    case 'pattern':
      return { path: at, text: `${patternWords(error.params.pattern)} (found ${found(error.data)})` }
    default:
      return { path: at, text: `${error.message ?? 'is not valid'} (found ${found(error.data)})` }
  }
}

function patternWords(pattern: string): string {
  if (pattern.startsWith('^(https://')) return 'must be an https URL; http only on a loopback host'
  if (pattern.startsWith('^[a-z0-9]')) return 'must be lower-case letters, digits and dashes'
  if (pattern.startsWith('^[0-9]{4}')) return 'must be a date such as 2026-07-30'
  if (pattern.startsWith('^(\\*')) return 'must be a host name, or *. and a host name'
  return `must match ${pattern}`
}

function pathOf(pointer: string): string {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .join('.')
}

function joined(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}

function kinds(type: string | readonly string[]): string {
  return [type]
    .flat()
    .map((kind) => KINDS[kind] ?? kind)
    .join(' or ')
}

function words(values: readonly unknown[]): string {
  return values.map((value) => (typeof value === 'string' && /^[\w-]+$/.test(value) ? value : JSON.stringify(value))).join(', ')
}

function found(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}

function suggestion(name: string, known: readonly string[]): string {
  const plain = (text: string) => text.toLowerCase().replaceAll(/[^a-z0-9]/g, '')
  const near = known.map((one) => ({ one, far: distance(plain(name), plain(one)) })).sort((a, b) => a.far - b.far)[0]
  return near !== undefined && near.far <= Math.max(2, Math.floor(name.length / 3)) ? `; did you mean "${near.one}"?` : `; known here: ${known.join(', ')}`
}

/** Levenshtein distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (const [index, sign] of [...a].entries()) {
    const next = [index + 1]
    for (const [column, other] of [...b].entries()) {
      next.push(Math.min((next[column] ?? 0) + 1, (row[column + 1] ?? 0) + 1, (row[column] ?? 0) + (sign === other ? 0 : 1)))
    }
    row = next
  }
  return row.at(-1) ?? 0
}
