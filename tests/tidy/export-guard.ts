import { posix } from 'node:path'
import { withoutComments } from './code-guards.ts'
import type { SourceFile } from './source-tree.ts'

/** `tsc` writes these into the declarations of another file, where it has to be able to name them. */
const NAMED_IN_DECLARATIONS = new Set(['AccountLimit', 'ErasedConnection'])
/** Names that a tool looks for. */
const FOUND_BY_VITEST = new Set(['setup', 'teardown'])

/**
 * Exports that no other file asks for: whoever reads such a file has to look for a reader who is not there. `doors` are the
 * files that others install, and every name of theirs is public.
 */
export function unusedExports(files: readonly SourceFile[], doors: ReadonlySet<string>): string[] {
  const code = files.filter(({ path }) => /\.(ts|tsx|mjs)$/.test(path)).map(({ path, text }) => ({ path, text: withoutComments(text) }))
  const asked = askedNames(code)
  const open = new Set([...doors, ...code.filter(({ path }) => doors.has(path)).flatMap(passedOn)])
  return code
    .filter(({ path }) => /^packages\/\w+\/src\//.test(path) && !open.has(path))
    .flatMap(({ path, text }) => exportedNames(text).map((name) => ({ path, name })))
    .filter(({ path, name }) => !asked.get(path)?.has(name) && !NAMED_IN_DECLARATIONS.has(name) && !FOUND_BY_VITEST.has(name))
    .map(({ path, name }) => `${path}: nobody imports ${name}; take the word export away, or what it stands before`)
}

function exportedNames(text: string): string[] {
  const declared = [...text.matchAll(/^export (?:abstract )?(?:async function|function\*?|const|let|interface|type|class) (\w+)/gm)].map(
    (match) => match[1] ?? '',
  )
  const listed = [...text.matchAll(/^export (?:type )?\{([^}]*)\}/gm)].flatMap((match) => namesIn(match[1] ?? '').map(({ as }) => as))
  return [...declared, ...listed]
}

/** Which names of a file the other files ask for. */
function askedNames(files: readonly SourceFile[]): ReadonlyMap<string, ReadonlySet<string>> {
  const asked = new Map(files.map(({ path }) => [path, new Set<string>()]))
  for (const { path, text } of files) {
    for (const [, list = '', from = ''] of text.matchAll(/\{([^{}]*)\} from '([^']+)'/g)) {
      const names = asked.get(posix.join(posix.dirname(path), from))
      for (const { name } of namesIn(list)) names?.add(name)
    }
    for (const target of wholeFiles(text)) {
      const names = asked.get(posix.join(posix.dirname(path), target)) ?? asked.get(target)
      for (const [word] of names === undefined ? [] : text.matchAll(/\w+/g)) names?.add(word)
    }
  }
  return asked
}

/** Files that are named in another way than `{ names } from`: as a whole, or when the program runs. Each word of the text may be a name of theirs. */
function wholeFiles(text: string): string[] {
  return [...text.matchAll(/(\} from )?['"`]([\w./-]+\.(?:ts|tsx|mjs))['"`]/g)].flatMap(([, list, target = '']) => (list === undefined ? [target] : []))
}

/** Files whose every name a door passes on: the generated types of the wire. */
function passedOn({ path, text }: SourceFile): string[] {
  return [...text.matchAll(/^export (?:type )?\* from '([^']+)'/gm)].map(([, from = '']) => posix.join(posix.dirname(path), from))
}

function namesIn(list: string): { readonly name: string; readonly as: string }[] {
  return list
    .split(',')
    .map((part) => part.trim().replace(/^type /, ''))
    .filter((part) => part !== '')
    .map((part) => {
      const [name = '', as = name] = part.split(' as ')
      return { name, as }
    })
}
