import { posix } from 'node:path'
import type { FencedBlock } from './fenced-blocks.ts'

/** A TypeScript file made of the blocks of one page. */
interface PageProgram {
  /** A file name: the page's path with `-` for `/`. */
  readonly name: string
  readonly text: string
  /** For each line of `text`, counted from 0: the line of the page that it comes from, or null. */
  readonly lines: readonly (number | null)[]
  readonly path: string
}

const TYPED = new Set(['ts', 'tsx'])

/**
 * The blocks of a page as programs. A later block sees what an earlier one made and may make it anew, as a reader would: each block is a function
 * inside the one before it. Imports stand at the top, each name once; a block that takes a name from another package than an earlier one
 * (Fastify instead of Express) begins a program without that one.
 */
export function pagePrograms(path: string, blocks: readonly FencedBlock[]): PageProgram[] {
  const together: FencedBlock[][] = []
  let current: FencedBlock[] = []
  for (const block of blocks.filter(({ info, file }) => TYPED.has(info) && file === undefined)) {
    const kept = current.filter((earlier) => !disagree(importsOf(earlier.text), importsOf(block.text)))
    if (kept.length < current.length) together.push(current)
    current = [...kept, block]
  }
  if (current.length > 0) together.push(current)
  return together.map((part, index) => program(path, part, index))
}

function program(path: string, typed: readonly FencedBlock[], number: number): PageProgram {
  const body: string[] = []
  const origin: (number | null)[] = []
  for (const [index, block] of typed.entries()) {
    body.push(`async function block${index}() {`)
    origin.push(null)
    for (const [offset, line] of block.text
      .replace(IMPORT, (whole) => whole.replace(/[^\n]/g, ''))
      .split('\n')
      .entries()) {
      body.push(line.replace(/^export (?=const|function|async|class|interface|type)/, ''))
      origin.push(block.line + offset)
    }
  }
  const imports = new Map<string, Set<string>>()
  for (const { text } of typed) for (const [from, names] of importsOf(text)) imports.set(from, new Set([...(imports.get(from) ?? []), ...names]))
  const head = [...imports].map(([from, names]) => importLine(from, names))
  return {
    path,
    name: `${path.replace(/\.md$/, '').replaceAll('/', '-')}-${number}.${typed.some(({ info }) => info === 'tsx') ? 'tsx' : 'ts'}`,
    text: [...head, ...body, closing(typed.length), 'export {}', ''].join('\n'),
    lines: [...head.map(() => null), ...origin],
  }
}

function disagree(a: ReadonlyMap<string, ReadonlySet<string>>, b: ReadonlyMap<string, ReadonlySet<string>>): boolean {
  return [...a].some(([from, names]) => [...b].some(([other, others]) => other !== from && [...names].some((name) => others.has(name))))
}

/** Ends the nested functions, and uses each, so that nothing counts as forgotten. */
function closing(count: number): string {
  return Array.from({ length: count }, (_, index) => `}\nvoid block${count - 1 - index}`).join('\n')
}

const IMPORT = /^import (?:(type )?([^'"]*?) from )?['"]([^'"]+)['"].*$/gm

function importsOf(text: string): Map<string, Set<string>> {
  const imports = new Map<string, Set<string>>()
  for (const [, type, clause = '', from = ''] of text.matchAll(IMPORT)) {
    const names = imports.get(from) ?? new Set<string>()
    imports.set(from, names)
    const listed = /\{([\s\S]*)\}/.exec(clause)?.[1] ?? ''
    for (const name of listed.split(',').map((part) => part.trim())) if (name !== '') names.add(type === undefined ? name : `type ${name}`)
    const entire = clause
      .replace(/\{[\s\S]*\}/, '')
      .replace(',', '')
      .trim()
    if (entire !== '') names.add(`= ${entire}`)
  }
  return imports
}

function importLine(from: string, names: ReadonlySet<string>): string {
  const whole = [...names].filter((name) => name.startsWith('= ')).map((name) => name.slice(2))
  const listed = [...names].filter((name) => !name.startsWith('= '))
  if (names.size === 0) return `import '${from}'`
  const parts = [...whole, ...(listed.length === 0 ? [] : [`{ ${listed.join(', ')} }`])]
  return `import ${parts.join(', ')} from '${from}'`
}

/** Blocks that are files of the repository, with their imports as seen from `root`. Those of one page may import each other. */
export function filePrograms(root: string, blocks: readonly FencedBlock[]): PageProgram[] {
  const files = blocks.flatMap(({ file, ...block }) => (file === undefined || !TYPED.has(block.info) ? [] : [{ ...block, file }]))
  const here = new Set(files.map(({ file }) => file))
  return files.map(({ path, line, text, file }) => ({
    path,
    name: posix.basename(file),
    text: text.replace(/from '(\.[^']+)'/g, (_, target: string) => {
      const meant = posix.join(posix.dirname(file), target)
      return `from '${here.has(meant) ? `./${posix.basename(meant)}` : posix.join(root, meant)}'`
    }),
    lines: text.split('\n').map((_, index) => line + index),
  }))
}

/** Errors of tsc as places in pages. `written` are the programs that it read. */
export function placedErrors(output: string, written: readonly PageProgram[]): string[] {
  const byName = new Map(written.map((program) => [program.name, program]))
  const errors = [...output.matchAll(/^(\S+?)[(:](\d+)[,:](\d+)\)?(?:: | - )(error .*)$/gm)].map(([, file = '', line = '', , message = '']) => {
    const program = byName.get(file.split('/').at(-1) ?? '')
    const place = program === undefined ? `${file}:${line}` : `${program.path}:${program.lines[Number(line) - 1] ?? '?'}`
    return `${place}: ${message}`
  })
  return [...new Set(errors)]
}
