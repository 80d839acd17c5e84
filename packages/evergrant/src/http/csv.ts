import { Readable } from 'node:stream'

type Cell = string | number | null

/** One line of CSV (RFC 4180). What a spreadsheet would take for a formula is made text (OWASP CSV injection). */
export function csvLine(cells: readonly Cell[]): string {
  return `${cells.map(cellText).join(',')}\r\n`
}

function cellText(cell: Cell): string {
  if (cell === null) return ''
  if (typeof cell === 'number') return String(cell)
  const harmless = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
}

interface PageOf<Item> {
  readonly items: readonly Item[]
  readonly cursor: string | null
}

/**
 * Pages of a list, one after the other, as they are read: the next is not asked for before the last one was taken. Resolves with the first page in hand: what is
 * wrong with the question is then an answer of its own, and not one that begins well and breaks off. @throws Fault of the first page
 */
export async function streamed<Item>(head: string, next: (cursor: string | null) => Promise<PageOf<Item>>, lineOf: (item: Item) => string): Promise<Readable> {
  const first = await next(null)
  async function* lines(): AsyncGenerator<string> {
    if (head !== '') yield head
    for (let page = first; ; page = await next(page.cursor)) {
      if (page.items.length > 0) yield page.items.map(lineOf).join('')
      if (page.cursor === null) return
    }
  }
  return Readable.from(lines(), { objectMode: false, encoding: 'utf8' })
}
