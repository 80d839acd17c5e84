import { posix } from 'node:path'
import { slugOf } from '../../docs/site/anchors.ts'
import type { SourceFile } from '../tidy/source-tree.ts'

/** A link of a page to something of this repository. */
interface PageLink {
  /** From the root of the repository. */
  readonly path: string
  readonly anchor: string
}

/** Relative links of a page, those inside itself included; not those that stand in code. */
export function pageLinks({ path, text }: SourceFile): PageLink[] {
  const plain = text.replace(/^\s*```[\s\S]*?^\s*```/gm, '').replace(/`[^`\n]*`/g, '')
  const targets = [...plain.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? '').filter((target) => !/^[a-z]+:/.test(target))
  return targets.map((target) => {
    const [file = '', anchor = ''] = target.split('#')
    return { path: file === '' ? path : posix.normalize(posix.join(posix.dirname(path), file)).replace(/\/$/, ''), anchor }
  })
}

/** The anchors of a page's headings, as forges and the site make them. */
export function anchorsOf(text: string): Set<string> {
  const plain = text.replace(/^\s*```[\s\S]*?^\s*```/gm, '')
  const seen = new Map<string, number>()
  const anchors = [...plain.matchAll(/^#{1,6} +(.+?) *#*$/gm)].map((match) => {
    const slug = slugOf(match[1] ?? '')
    const times = seen.get(slug) ?? 0
    seen.set(slug, times + 1)
    return times === 0 ? slug : `${slug}-${times}`
  })
  return new Set([...anchors, ...[...plain.matchAll(/<a (?:id|name)="([^"]+)"/g)].map((match) => match[1] ?? '')])
}

/** Links into pages whose heading is not there. */
export function anchorsResolve(page: SourceFile, pages: ReadonlyMap<string, SourceFile>): string[] {
  return pageLinks(page).flatMap(({ path, anchor }) => {
    const target = pages.get(path)
    if (anchor === '' || target === undefined) return []
    return anchorsOf(target.text).has(anchor) ? [] : [`${page.path}: there is no heading for #${anchor} in ${path}`]
  })
}

/** Every page that can be reached from `start` by following links. A link to a folder is a link to its README. */
export function reachable(start: string, pages: ReadonlyMap<string, SourceFile>): Set<string> {
  const found = new Set<string>()
  const waiting = [start]
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const page = pages.get(path) ?? pages.get(`${path}/README.md`)
    if (page === undefined || found.has(page.path)) continue
    found.add(page.path)
    waiting.push(...pageLinks(page).map((link) => link.path))
  }
  return found
}
