import type { Page, PageRequest } from '../../core/connection/connections.ts'
import { Fault } from '../../core/fault/fault.ts'

/** The id after which a page starts, out of its opaque cursor. @throws Fault `invalid_request` */
export function afterOf(page: PageRequest): string | null {
  if (page.cursor === null) return null
  const after = Buffer.from(page.cursor, 'base64url').toString('utf8')
  if (/^[a-z]+_[0-9a-z-]+$/.test(after)) return after
  throw new Fault('invalid_request', { detail: 'cursor is not one that a list returned; leave it out to start over', field: 'cursor' })
}

export function limitOf(page: PageRequest): number {
  return Math.min(200, Math.max(1, Math.floor(page.limit)))
}

/** `found` holds one item more than asked when there is another page. */
export function toPage<Item>(found: readonly Item[], limit: number, idOf: (item: Item) => string): Page<Item> {
  const items = found.slice(0, limit)
  const last = items.at(-1)
  const more = found.length > limit && last !== undefined
  return { items, cursor: more ? Buffer.from(idOf(last), 'utf8').toString('base64url') : null }
}
