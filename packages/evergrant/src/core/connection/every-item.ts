import type { Page, PageRequest } from './connections.ts'

/** As many as a store gives at once. */
const PAGE = 200

/** All that a list holds, page by page; who has seen enough asks for no further page. @throws what the list throws */
export async function* everyItem<Item>(list: (page: PageRequest) => Promise<Page<Item>>): AsyncGenerator<Item, void> {
  for (let cursor: string | null = null; ; ) {
    const page: Page<Item> = await list({ limit: PAGE, cursor })
    yield* page.items
    if (page.cursor === null) return
    cursor = page.cursor
  }
}
