import type { SourceFile } from '../tidy/source-tree.ts'

/** A fenced code block of a page. `line` is the line of its first line of code, counted from 1. */
export interface FencedBlock {
  readonly path: string
  readonly line: number
  /** The info string behind the opening fence: `sh`, `ts`, `text`, or nothing. */
  readonly info: string
  readonly text: string
  /** The file of the repository that the block is, when the line before it names one alone: `packages/.../acme.ts`. */
  readonly file?: string
}

/** Pages whose blocks are held to the truth: what a reader is told, not the prose of decisions or the history. */
export function isDocumentation(path: string): boolean {
  return /^(README|CONTRIBUTING|SECURITY)\.md$|^docs\/(?!site\/)|^(packages|examples|bench|deploy)\/.*\.md$/.test(path) && path.endsWith('.md')
}

/** Every fenced block of a page, in order. Indented fences (in lists) lose the indentation of their fence. */
export function fencedBlocks({ path, text }: SourceFile): FencedBlock[] {
  const blocks: FencedBlock[] = []
  let open: { fence: string; indent: string; info: string; line: number; lines: string[] } | null = null
  let file: string | undefined
  for (const [index, line] of text.split('\n').entries()) {
    const fence = /^(\s*)(`{3,}|~{3,})\s*(.*)$/.exec(line)
    if (open === null) {
      if (fence === null && line.trim() !== '') file = /^`([\w./-]+\.tsx?)`(?:[:,]| )/.exec(line)?.[1]
      if (fence !== null) open = { fence: fence[2] ?? '', indent: fence[1] ?? '', info: (fence[3] ?? '').trim(), line: index + 2, lines: [] }
    } else if (fence?.[2]?.startsWith(open.fence) === true && fence[3] === '') {
      blocks.push({ path, line: open.line, info: open.info, text: open.lines.join('\n'), ...(file === undefined ? {} : { file }) })
      open = null
      file = undefined
    } else {
      open.lines.push(line.startsWith(open.indent) ? line.slice(open.indent.length) : line)
    }
  }
  if (open !== null) blocks.push({ path, line: open.line, info: 'unclosed', text: open.lines.join('\n') })
  return blocks
}

/** What a block is checked as. `text` is output, or deliberately partial. */
const KINDS: readonly string[] = ['sh', 'ts', 'tsx', 'js', 'json', 'yaml', 'yml', 'sql', 'python', 'mermaid', 'nginx', 'caddy', 'toml', 'ini', 'diff', 'text']

/** A block says what it is, with a word that the checks know. */
export function saysItsKind({ path, line, info }: FencedBlock): string[] {
  if (info === 'unclosed') return [`${path}:${line}: the block never ends`]
  return KINDS.includes(info) ? [] : [`${path}:${line}: the block is '${info}'; say ${KINDS.slice(0, 5).join(', ')} ..., or text for output`]
}
