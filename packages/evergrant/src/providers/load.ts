import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseDocument } from 'yaml'
import { Fault } from '../core/fault/fault.ts'
import type { ProviderRecord } from '../core/provider/record.ts'
import { checkDraft, checkExtension, type Problem, sayProblem } from './check-draft.ts'
import { checkMeaning } from './check-meaning.ts'
import { defineProvider } from './define.ts'

const LARGEST = 256 * 1_024

type Plain = Readonly<Record<string, unknown>>

/**
 * Reads one provider file, YAML 1.2 or JSON. `extends: google` merges the file onto that record: objects member by member,
 * everything else replaces; without an `id` of its own it overrides the record.
 * @throws Fault `invalid_request` that names file, field, what was expected and what was found.
 */
export function parseProvider(text: string, fileName: string, shipped: readonly ProviderRecord[] = []): ProviderRecord {
  const read = readProvider(text, fileName, shipped)
  if (read.record === null) throw refusal(fileName, read.problems)
  return read.record
}

type ReadProvider = { readonly record: ProviderRecord; readonly problems: null } | { readonly record: null; readonly problems: readonly Problem[] }

/** As {@link parseProvider}, with every problem by itself instead of an error. */
export function readProvider(text: string, fileName: string, shipped: readonly ProviderRecord[] = []): ReadProvider {
  const document = readDocument(text, fileName)
  if (document.written === null) return { record: null, problems: [document.problem] }
  const { extends: base, ...own } = document.written
  if (base === undefined) return complete(own)
  const record = shipped.find((one) => one.id === base)
  if (record === undefined) {
    const known = shipped.map((one) => one.id).join(', ')
    return refused([{ path: 'extends', text: `must name a shipped provider: ${known || 'there is none'} (found ${JSON.stringify(base)})` }])
  }
  const problems = checkExtension(document.written)
  return problems.length > 0 ? refused(problems) : complete(merge({ ...record }, own))
}

/**
 * The shipped records with an operator's folder over them: a file adds a provider, or replaces the one with its id.
 * @throws Fault `invalid_request` listing every bad file, or naming a folder that cannot be read: a misspelt folder
 * would quietly take providers from connections that need them.
 */
export async function loadProviderFolder(folder: string, shipped: readonly ProviderRecord[]): Promise<readonly ProviderRecord[]> {
  const own = new Map<string, { record: ProviderRecord; file: string }>()
  const bad: string[] = []
  for (const file of await providerFiles(folder)) {
    const path = join(folder, file)
    try {
      const record = parseProvider(await readFile(path, 'utf8'), path, shipped)
      const other = own.get(record.id)
      if (other !== undefined) throw refusal(path, [{ path: 'id', text: `"${record.id}" is already defined by ${other.file}` }])
      own.set(record.id, { record, file: path })
    } catch (cause) {
      if (!(cause instanceof Fault)) throw cause
      bad.push(cause.message)
    }
  }
  if (bad.length > 0) throw new Fault('invalid_request', { detail: bad.join('\n') })
  const kept = shipped.filter((record) => !own.has(record.id))
  return [...kept, ...[...own.values()].map(({ record }) => record)].sort((a, b) => (a.id < b.id ? -1 : 1))
}

function complete(written: Plain): ReadProvider {
  const { draft, problems } = checkDraft(written)
  if (draft === null) return refused(problems)
  const record = defineProvider(draft)
  const meaning = checkMeaning(record)
  return meaning.length > 0 ? refused(meaning) : { record, problems: null }
}

function refused(problems: readonly Problem[]): ReadProvider {
  return { record: null, problems }
}

type Document = { readonly written: Plain } | { readonly written: null; readonly problem: Problem }

function readDocument(text: string, fileName: string): Document {
  if (text.length > LARGEST) return unreadable(`must not have more than ${LARGEST} characters`)
  const broken = fileName.endsWith('.json') ? jsonFault(text) : null
  if (broken !== null) return unreadable(`is not JSON: ${broken}`)
  const document = parseDocument(text, { uniqueKeys: true, strict: true })
  const fault = document.errors[0] ?? document.warnings[0]
  if (fault !== undefined) return unreadable(fault.message.split('\n')[0]?.replace(/:$/, '') ?? 'cannot be read')
  try {
    const written: unknown = document.toJS({ maxAliasCount: 20 })
    return isPlain(written) ? { written } : unreadable('must be a list of fields, beginning with id and name')
  } catch (cause) {
    return unreadable(cause instanceof Error ? cause.message : 'cannot be read')
  }
}

function unreadable(text: string): Document {
  return { written: null, problem: { path: '', text } }
}

function jsonFault(text: string): string | null {
  try {
    JSON.parse(text)
    return null
  } catch (cause) {
    return cause instanceof Error ? cause.message : 'unreadable'
  }
}

function merge(base: Plain, over: Plain): Plain {
  const merged: Record<string, unknown> = { ...base }
  for (const [name, value] of Object.entries(over)) {
    const below = merged[name]
    merged[name] = isPlain(below) && isPlain(value) ? merge(below, value) : value
  }
  return merged
}

function isPlain(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function refusal(fileName: string, problems: readonly Problem[]): Fault {
  const detail = problems.map((problem) => sayProblem(fileName, problem)).join('\n')
  return new Fault('invalid_request', { detail, ...(problems[0] ? { field: problems[0].path } : {}) })
}

async function providerFiles(folder: string): Promise<string[]> {
  try {
    const names = await readdir(folder)
    return names.filter((name) => /^[^.].*\.(ya?ml|json)$/i.test(name)).sort()
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unreadable'
    const detail = `EVERGRANT_PROVIDERS_DIR is ${folder}, which cannot be read as a folder (${code}): correct it, make the folder, or remove the key`
    throw new Fault('invalid_request', { detail, field: 'EVERGRANT_PROVIDERS_DIR', cause })
  }
}
