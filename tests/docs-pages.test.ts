// Links between pages: each leads to a heading that is there, and no page is an island.
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { slugOf } from '../docs/site/anchors.ts'
import { anchorsOf, anchorsResolve, pageLinks, reachable } from './docs/page-links.ts'
import { type SourceFile, sourceTree } from './tidy/source-tree.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const pages = new Map(
  sourceTree(root)
    .filter(({ path }) => path.endsWith('.md'))
    .map((page): [string, SourceFile] => [page.path, page]),
)

test('every anchor of a link is a heading of its page', () => {
  expect([...pages.values()].flatMap((page) => pageLinks(page).filter(({ anchor }) => anchor !== '')).length).toBeGreaterThan(20)
  expect([...pages.values()].flatMap((page) => anchorsResolve(page, pages))).toEqual([])
})

test('every page of docs is reached from docs/README.md', () => {
  const found = reachable('docs/README.md', pages)
  expect([...pages.keys()].filter((path) => path.startsWith('docs/') && !path.startsWith('docs/site/') && !found.has(path))).toEqual([])
})

test('every example, and the README of each package, is reached from there, too', () => {
  const found = reachable('docs/README.md', pages)
  const doors = [...pages.keys()].filter((path) => /^(examples\/[^/]+|packages\/(evergrant|sdk))\/README\.md$/.test(path))
  expect(doors.filter((path) => !found.has(path))).toEqual([])
})

describe('canaries', () => {
  const page = (path: string, text: string): [string, SourceFile] => [path, { path, text }]

  test('an anchor that nothing has is found, in the same page and in another', () => {
    const small = new Map([page('a.md', '# A\n[x](b.md#the-b) [y](#a) [z](b.md#nothing) [w](#nowhere)'), page('b.md', '# B\n## The `b`!\n')])
    expect([...small.values()].flatMap((one) => anchorsResolve(one, small))).toHaveLength(2)
  })

  test('an island is found', () => {
    const small = new Map([page('d/README.md', '[x](a.md) [f](f/)'), page('d/a.md', ''), page('d/f/README.md', ''), page('d/island.md', '[x](a.md)')])
    expect([...small.keys()].filter((path) => !reachable('d/README.md', small).has(path))).toEqual(['d/island.md'])
  })

  test('headings become anchors as on a forge', () => {
    expect(slugOf('What a `status` means, and who acts')).toBe('what-a-status-means-and-who-acts')
    expect(slugOf('401 / 403')).toBe('401--403')
    expect(anchorsOf('# A\n## B\n## B\n```sh\n# not one\n```\n')).toEqual(new Set(['a', 'b', 'b-1']))
  })
})
