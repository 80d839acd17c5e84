import { expect, test } from 'vitest'
import type { PageRequest } from './connections.ts'
import { everyItem } from './every-item.ts'

function counted() {
  const asked: (string | null)[] = []
  const pages = [['a', 'b'], [], ['c']]
  const list = async ({ cursor }: PageRequest) => {
    asked.push(cursor)
    const at = Number(cursor ?? 0)
    return { items: pages[at] ?? [], cursor: at + 1 < pages.length ? String(at + 1) : null }
  }
  return { asked, list }
}

test('every item of every page comes once, also behind a page that is empty', async () => {
  const { asked, list } = counted()
  const seen: string[] = []
  for await (const item of everyItem(list)) seen.push(item)
  expect([seen, asked]).toEqual([
    ['a', 'b', 'c'],
    [null, '1', '2'],
  ])
})

test('who has seen enough asks for no further page', async () => {
  const { asked, list } = counted()
  for await (const item of everyItem(list)) if (item === 'b') break
  expect(asked).toEqual([null])
})
