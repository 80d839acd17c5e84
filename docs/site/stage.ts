// Copies the pages into one tree as VitePress wants it. Nothing of a page changes but its links, and what its reader would take for HTML.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'

/** A page of the repository and where it stands in the site, both with forward slashes. */
export interface StagedPage {
  readonly from: string
  readonly to: string
  readonly text: string
}

/** Pages of the repository's root, and their names in the site. */
const ROOT_PAGES: Readonly<Record<string, string>> = {
  'README.md': 'readme.md',
  'CONTRIBUTING.md': 'contributing.md',
  'STYLE.md': 'style.md',
  'SECURITY.md': 'security-policy.md',
  'CHANGELOG.md': 'changelog.md',
  'docs/README.md': 'contents.md',
  'docs/site/home.md': 'index.md',
}

/** Where a file of the repository stands in the site. Files that are no pages become pages that show them. */
function placeOf(path: string): string {
  const named = ROOT_PAGES[path]
  if (named !== undefined) return named
  const inside = path.startsWith('docs/') && path.endsWith('.md') ? path.slice('docs/'.length) : `source/${path}`
  if (inside.endsWith('README.md')) return `${inside.slice(0, -'README.md'.length)}index.md`
  return inside.endsWith('.md') ? inside : `${inside.replace(/\/$/, '')}.md`
}

/** Every page of docs, and whatever they link to, however far. */
export function stagedPages(root: string): StagedPage[] {
  const waiting = [...Object.keys(ROOT_PAGES), ...pagesBelow(root, 'docs')].filter((path) => existsSync(join(root, path)))
  const staged = new Map<string, StagedPage>()
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (staged.has(path)) continue
    if (!path.endsWith('.md')) {
      staged.set(path, { from: path, to: placeOf(path), text: fileAsPage(root, path) })
      continue
    }
    const source = path
    const text = mapProse(readFileSync(join(root, path), 'utf8').replace(/<!--[\s\S]*?-->\n?/g, ''), (prose) =>
      harmless(prose).replace(/\]\(([^)\s]+)\)/g, (link, target: string) => {
        const resolved = resolve(root, source, target)
        if (resolved === null) return link
        waiting.push(resolved.path)
        return `](${relative(placeOf(source), placeOf(resolved.path))}${resolved.anchor})`
      }),
    )
    staged.set(path, { from: path, to: placeOf(path), text })
  }
  return [...staged.values()].toSorted((a, b) => (a.to < b.to ? -1 : 1))
}

/** Writes the staged tree anew. */
export function stage(root: string, into: string): StagedPage[] {
  const pages = stagedPages(root)
  rmSync(into, { recursive: true, force: true })
  for (const { to, text } of pages) {
    mkdirSync(dirname(join(into, to)), { recursive: true })
    writeFileSync(join(into, to), text)
  }
  return pages
}

function pagesBelow(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory()) return path === 'docs/site' ? [] : pagesBelow(root, path)
    return entry.name.endsWith('.md') ? [path] : []
  })
}

/** What a relative link leads to: a file of the repository, the README of a folder, or the folder itself. */
function resolve(root: string, from: string, target: string): { readonly path: string; readonly anchor: string } | null {
  if (/^[a-z]+:|^#/.test(target)) return null
  const [file = '', anchor = ''] = target.split('#')
  const path = posix.normalize(posix.join(posix.dirname(from), file)).replace(/\/$/, '')
  if (!existsSync(join(root, path))) return null
  const readme = statSync(join(root, path)).isDirectory() && existsSync(join(root, path, 'README.md'))
  return { path: readme ? `${path}/README.md` : path, anchor: anchor === '' ? '' : `#${anchor}` }
}

function relative(from: string, to: string): string {
  const path = posix.relative(posix.dirname(from), to)
  return path.startsWith('.') ? path : `./${path}`
}

/** A page that shows a file, or what a folder holds. It is there for those who follow a link: not found by the search, and without colours, which would be most of a build. */
function fileAsPage(root: string, path: string): string {
  const head = `---\nsearch: false\nsidebar: false\naside: false\n---\n\n# ${path.split('/').at(-1)}\n\n\`${path}\`\n\n`
  if (statSync(join(root, path)).isDirectory())
    return `${head}${readdirSync(join(root, path))
      .map((name) => `- \`${name}\``)
      .join('\n')}\n`
  return `${head}\`\`\`\`\`text\n${readFileSync(join(root, path), 'utf8').trimEnd()}\n\`\`\`\`\`\n`
}

/** Applies `change` to what is neither in a fenced block nor in inline code. */
function mapProse(text: string, change: (prose: string) => string): string {
  return text
    .split(/(^[ \t]*```[\s\S]*?^[ \t]*```[ \t]*$|`+[^`\n]+`+)/m)
    .map((part, index) => (index % 2 === 0 ? change(part) : part))
    .join('')
}

/** A page is compiled as a template: `<node>` would be a component and two braces a script. */
function harmless(prose: string): string {
  return prose.replace(/<(?!\/?(?:br|details|summary|a|sub|sup|kbd)\b)/g, '&lt;').replaceAll('{{', '&#123;&#123;')
}
