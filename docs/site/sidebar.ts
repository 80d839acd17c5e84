// The order of the pages. Names are paths of the site without `.md`; a folder with a star takes all of its pages that are not named elsewhere.
import type { StagedPage } from './stage.ts'

interface SidebarItem {
  readonly text: string
  readonly link?: string
  readonly collapsed?: boolean
  readonly items?: readonly SidebarItem[]
}

type Part = string | readonly [text: string, collapsed: boolean, parts: readonly Part[]]

const ORDER: readonly (readonly [text: string, collapsed: boolean, parts: readonly Part[]])[] = [
  ['Begin', false, ['readme', 'guides/start', 'guides/compare', 'faq', 'contents']],
  [
    'Connections',
    false,
    [
      'guides/connect',
      'guides/connect-without-a-browser',
      'guides/proxy',
      'guides/provider-families',
      'guides/provider-events',
      'guides/webhooks',
      'guides/when-a-provider-fails',
      'guides/migrate',
      'guides/add-a-provider',
      'guides/practice-provider',
    ],
  ],
  [
    'People',
    true,
    [
      'guides/sign-in',
      'guides/sign-in-through-a-provider',
      'guides/people',
      'guides/protect-an-api',
      'guides/browser',
      'guides/react',
      'guides/axios',
      'guides/fetch-clients',
    ],
  ],
  ['Programs and agents', true, ['guides/agents', 'guides/sdk-node', 'guides/operate-agents', 'guides/weather-agent-transcript']],
  [
    'Operate',
    true,
    [
      'guides/staged-rollout',
      'guides/operate',
      'guides/run-on-postgres',
      'guides/observe',
      'guides/alerts',
      'troubleshooting',
      'guides/backup-and-restore',
      'guides/rotate-keys',
      'guides/upgrade',
      ['Deploy', true, ['guides/deploy/*']],
      ['Runbooks', true, ['runbooks/index', 'runbooks/*']],
      'guides/*',
    ],
  ],
  ['Concepts', true, ['concepts/why-refresh-is-hard', 'concepts/flows', 'concepts/sessions', 'concepts/agents', 'concepts/trust-score', 'concepts/*']],
  [
    'Reference',
    true,
    [
      'reference/http',
      'errors',
      'reference/configuration',
      'reference/cli',
      'reference/sdk',
      'reference/events',
      'reference/metrics',
      'reference/storage-schema',
      'reference/session-protocol',
      'reference/sdk-protocol',
      'reference/providers',
      'reference/*',
      ['Providers', true, ['providers/index', 'providers/*']],
    ],
  ],
  ['Security', true, ['security-policy', 'security/*']],
  ['Internals', true, ['ARCHITECTURE', 'contributing', 'style', 'site/index', 'changelog', ['Decisions', true, ['decisions/*']]]],
]

/** Where the title of a page says too little beside the others. */
const NAMES: Readonly<Record<string, string>> = {
  readme: 'What it is',
  contents: 'All pages',
  'providers/index': 'All of them',
  'runbooks/index': 'All of them',
}

/** The sidebar of the pages that there are. Names without a page are left out: pages come and go. */
export function sidebarOf(pages: readonly StagedPage[]): SidebarItem[] {
  const titles = new Map(pages.map(({ to, text }) => [to.replace(/\.md$/, ''), titleOf(text)]))
  const named = new Set(flat(ORDER).filter((name) => !name.endsWith('*')))
  const expand = (part: Part): SidebarItem[] => {
    if (typeof part !== 'string') return [{ text: part[0], collapsed: part[1], items: part[2].flatMap(expand) }].filter(({ items }) => items.length > 0)
    if (!part.endsWith('*')) return titles.has(part) ? [{ text: NAMES[part] ?? titles.get(part) ?? part, link: `/${part.replace(/index$/, '')}` }] : []
    const folder = part.slice(0, -1)
    const own = [...titles].filter(([name]) => name.startsWith(folder) && !name.slice(folder.length).includes('/') && !named.has(name))
    return own.map(([name, text]) => ({ text, link: `/${name.replace(/index$/, '')}` }))
  }
  return ORDER.flatMap(expand)
}

/** Every link of a sidebar. */
export function linksOf(items: readonly SidebarItem[]): string[] {
  return items.flatMap(({ link, items: below }) => [...(link === undefined ? [] : [link]), ...linksOf(below ?? [])])
}

function flat(parts: readonly Part[]): string[] {
  return parts.flatMap((part) => (typeof part === 'string' ? [part] : flat(part[2])))
}

function titleOf(text: string): string {
  return (/^# +(.+)$/m.exec(text)?.[1] ?? 'Untitled').replace(/[`*]/g, '').replace(/&lt;/g, '<')
}
