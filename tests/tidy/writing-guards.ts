import { posix } from 'node:path'
import type { Guard } from './code-guards.ts'
import type { SourceFile } from './source-tree.ts'

const isMarkdown = (path: string): boolean => path.endsWith('.md')
/** Written so that this file does not complain about itself. */
const MACHINE_PATH = /\/wor[k]\/(main|shared|steering)|\/tm[p]\/bash|\/hom[e]\/[a-z]+\/|\/User[s]\/[a-z]+\//
const REGISTRY_HOST = /registr[y]\.npmjs\.org|registr[y]\.yarnpkg\.com/

export const namesNoMachine: Guard = ({ path, text }) => {
  const hit = MACHINE_PATH.exec(text) ?? REGISTRY_HOST.exec(text)
  return hit === null ? [] : [`${path}: '${hit[0]}' belongs to one machine; take it out`]
}

export const hasOneTitle: Guard = ({ path, text }) => {
  // The home page of the site has its title in its front matter.
  if (!isMarkdown(path) || /^---\nlayout: home\n/.test(text)) return []
  const titles = withoutCode(text).match(/^# .+$/gm) ?? []
  return titles.length === 1 ? [] : [`${path}: ${titles.length} top headings, exactly one is right`]
}

/** Relative links must lead to a file of the repository. `exists` answers for a path from the root. */
export function linksResolve(file: SourceFile, exists: (path: string) => boolean): string[] {
  if (!isMarkdown(file.path)) return []
  const targets = [...withoutCode(file.text).matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? '')
  return targets
    .filter((target) => !/^([a-z]+:|#)/.test(target))
    .map((target) => posix.normalize(posix.join(posix.dirname(file.path), target.replace(/#.*$/, ''))))
    .filter((path) => !exists(path.replace(/\/$/, '')))
    .map((path) => `${file.path}: the link to ${path} leads nowhere`)
}

const DECISION_SECTIONS = ['Date', 'Status', 'Context', 'Decision', 'Consequences']

/** A decision record says when, whether it holds, why, what and at what price. */
export const isCompleteDecision: Guard = ({ path, text }) => {
  if (!/^docs\/decisions\/\d{4}-/.test(path)) return []
  const missing = DECISION_SECTIONS.filter((section) => !new RegExp(`^(## ${section}|${section}: )`, 'm').test(text))
  return missing.length === 0 ? [] : [`${path}: the section ${missing.join(', ')} is missing`]
}

function withoutCode(text: string): string {
  return text.replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`\n]*`/g, '')
}
