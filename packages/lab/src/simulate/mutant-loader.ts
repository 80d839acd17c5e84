import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { Edit, Mutant } from './mutant.ts'

const SOURCES = new URL('../../../evergrant/src/', import.meta.url)

/** @throws Error when `find` does not stand in the text exactly once */
export function edited(text: string, edit: Edit): string {
  const parts = text.split(edit.find)
  const [before, after] = parts
  if (parts.length !== 2 || before === undefined || after === undefined) {
    throw new Error(`${edit.file}: the text to replace stands there ${parts.length - 1} times, not once:\n${edit.find}`)
  }
  return `${before}${edit.replace}${after}`
}

export function sourceOf(file: string): string {
  return readFileSync(fileURLToPath(new URL(file, SOURCES)), 'utf8')
}

/** The files of the mutant, as they will be loaded. */
export function mutatedSources(mutant: Mutant): Map<string, string> {
  const sources = new Map<string, string>()
  for (const edit of mutant.edits) sources.set(edit.file, edited(sources.get(edit.file) ?? sourceOf(edit.file), edit))
  return sources
}

/** From here on this process loads the mutant's files. Nothing of them may have been loaded before. */
export function loadMutant(mutant: Mutant): void {
  const sources = new Map([...mutatedSources(mutant)].map(([file, text]) => [new URL(file, SOURCES).href, text]))
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context)
      const source = sources.get(url)
      return source === undefined ? loaded : { ...loaded, source }
    },
  })
}
