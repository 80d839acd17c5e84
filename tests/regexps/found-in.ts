import { parseAst } from 'vite'

export interface FoundPattern {
  readonly where: string
  readonly source: string
  readonly flags: string
}

interface Node {
  readonly type: string
  readonly start: number
  readonly [field: string]: unknown
}

/** The patterns of a source file: literals, `pattern:` of schemas and records, `new RegExp('...')`; and where one is put together at run time. */
export function patternsIn(path: string, text: string): { readonly patterns: readonly FoundPattern[]; readonly built: readonly string[] } {
  const patterns: FoundPattern[] = []
  const built: string[] = []
  const where = (node: Node): string => `${path}:${text.slice(0, node.start).split('\n').length}`
  const visit = (node: Node): void => {
    const literal = regexOf(node)
    if (literal !== null) patterns.push({ where: where(node), ...literal })
    if (isProperty(node, 'pattern')) {
      const value = textOf(node['value'])
      // A record's pattern has to fit the whole of its value; a schema's says so itself.
      if (value !== null)
        patterns.push({ where: where(node), source: path.includes('/catalogue/') ? `^(?:${value})$` : value, flags: path.includes('/catalogue/') ? '' : 'u' })
    }
    // Conditions of records: `/words/i` as text.
    const condition = path.includes('/catalogue/') ? /^\/(.+)\/([a-z]*)$/.exec(textOf(node) ?? '') : null
    if (condition !== null) patterns.push({ where: where(node), source: condition[1] ?? '', flags: condition[2] ?? '' })
    if (isMadeRegExp(node)) {
      const [first, second] = node['arguments'] as readonly unknown[]
      const source = textOf(first)
      if (source === null) built.push(where(node))
      else patterns.push({ where: where(node), source, flags: textOf(second) ?? '' })
    }
    for (const value of Object.values(node)) for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) visit(child)
  }
  visit(parseAst(text, { lang: path.endsWith('x') ? 'tsx' : 'ts' }) as unknown as Node)
  return { patterns, built }
}

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'

function regexOf(node: Node): { readonly source: string; readonly flags: string } | null {
  if (node.type !== 'Literal' || !('regex' in node)) return null
  const { pattern, flags } = node['regex'] as { pattern: string; flags: string }
  return { source: pattern, flags }
}

function isProperty(node: Node, name: string): boolean {
  return node.type === 'Property' && isNode(node['key']) && (node['key']['name'] === name || node['key']['value'] === name)
}

function isMadeRegExp(node: Node): boolean {
  return (node.type === 'NewExpression' || node.type === 'CallExpression') && isNode(node['callee']) && node['callee']['name'] === 'RegExp'
}

function textOf(value: unknown): string | null {
  return isNode(value) && value.type === 'Literal' && typeof value['value'] === 'string' ? value['value'] : null
}
