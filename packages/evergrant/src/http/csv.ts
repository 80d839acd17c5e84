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

/** Pages of a list, one after the other, as they are read: the next is not asked for before the last one was taken. */
export function streamed<Item>(
  head: string,
  next: (cursor: string | null) => Promise<{ readonly items: readonly Item[]; readonly cursor: string | null }>,
  lineOf: (item: Item) => string,
): Readable {
  async function* lines(): AsyncGenerator<string> {
    if (head !== '') yield head
    let cursor: string | null = null
    do {
      const page: Awaited<ReturnType<typeof next>> = await next(cursor)
      if (page.items.length > 0) yield page.items.map(lineOf).join('')
      cursor = page.cursor
    } while (cursor !== null)
  }
  return Readable.from(lines(), { objectMode: false, encoding: 'utf8' })
}
