// The pages of docs/reference that are written from the sources, and the site's sidebar, are what they should be.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { linksOf, sidebarOf } from '../docs/site/sidebar.ts'
import { type StagedPage, stagedPages } from '../docs/site/stage.ts'
import { eventsMarkdown, httpMarkdown, referencePages } from '../scripts/reference-pages.ts'
import { pageLinks } from './docs/page-links.ts'
import { pinsExactVersions, recordsNoAddresses } from './tidy/package-guards.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

test('routes, command line, events and doors of the SDK are what the sources say; mend with npm run generate:reference', { timeout: 120_000 }, async () => {
  for (const [name, text] of Object.entries(await referencePages())) {
    const path = join(root, 'docs/reference', name)
    expect([name, existsSync(path) ? readFileSync(path, 'utf8') : null]).toEqual([name, text])
  }
})

test('an event of a kind that nobody described, and a route without a tag, do not pass unseen', () => {
  expect(() => eventsMarkdown(['moon.risen'])).toThrow(/'moon' is about/)
  expect(httpMarkdown({ paths: { '/api/v1/moon': { get: { summary: 'Rise' } } } })).toContain('## Other\n\n### Rise')
})

describe('the site', () => {
  const pages = stagedPages(root)
  const places = new Set(pages.map(({ to }) => to))

  test('every page of docs is in the sidebar, once', () => {
    const links = linksOf(sidebarOf(pages))
    const names = links.map((link) => (link.endsWith('/') ? `${link.slice(1)}index.md` : `${link.slice(1)}.md`))
    const own = [...places].filter((place) => !place.startsWith('source/') && place !== 'index.md')
    expect(names.toSorted()).toEqual(own.toSorted())
  })

  test('every link of a page leads to a page of the site', () => {
    const lost = pages.flatMap(({ to, text }) =>
      pageLinks({ path: to, text })
        .filter(({ path }) => !places.has(path))
        .map(({ path }) => `${to}: ${path}`),
    )
    expect(lost).toEqual([])
  })

  test('its generator is pinned, and its lockfile names no address', () => {
    expect(pinsExactVersions('docs/site/package.json', readFileSync(join(root, 'docs/site/package.json'), 'utf8'))).toEqual([])
    expect(recordsNoAddresses(readFileSync(join(root, 'docs/site/package-lock.json'), 'utf8'))).toEqual([])
  })

  test('a page that is not in the order is found', () => {
    const page = (to: string): StagedPage => ({ from: to, to, text: '# T' })
    expect(linksOf(sidebarOf([page('readme.md'), page('nowhere/else.md')]))).toEqual(['/readme'])
  })
})
