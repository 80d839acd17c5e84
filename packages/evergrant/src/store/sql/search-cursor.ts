import { Fault } from '../../core/fault/fault.ts'
import type { ConnectionSort } from '../../core/observe/connection-search.ts'

/** Where a page of a search ended. */
export interface Place {
  /** Which stretch of the list. */
  readonly stretch: number
  readonly key: string | number | null
  readonly id: string
}

const ID = /^con_[0-9a-z-]+$/

/** Of the usual order it is the id alone, as in every list; else it names its order, so that it is not taken for a place in another. */
export function toCursor({ by, down }: ConnectionSort, { stretch, key, id }: Place): string {
  return encoded(by === 'created' ? id : JSON.stringify([`${down ? '-' : ''}${by}`, stretch, key, id]))
}

/** @throws Fault `invalid_request` */
export function placeOf({ by, down }: ConnectionSort, cursor: string | null): Place | null {
  if (cursor === null) return null
  const text = Buffer.from(cursor, 'base64url').toString('utf8')
  if (by === 'created') {
    if (ID.test(text)) return { stretch: 0, key: null, id: text }
    throw unknown()
  }
  const parts = parsed(text)
  if (!Array.isArray(parts)) throw unknown()
  const [order, stretch, key, id]: readonly unknown[] = parts
  if (order !== `${down ? '-' : ''}${by}` || typeof stretch !== 'number' || typeof id !== 'string' || !ID.test(id)) throw unknown()
  if (!Number.isSafeInteger(stretch) || stretch < 0 || !isKeyOf(by, stretch, key)) throw unknown()
  return { stretch, key, id }
}

const UNKEEPABLE = /\0|\p{Surrogate}/u

/** What this order gives as the key of this stretch: PostgreSQL takes no text or fraction for an instant, and no zero character in a text. */
function isKeyOf(by: ConnectionSort['by'], stretch: number, key: unknown): key is Place['key'] {
  if (by === 'account') return typeof key === 'string' && !UNKEEPABLE.test(key)
  // The first stretch holds what has the instant, the second what has none.
  const byInstant = by !== 'created' && by !== 'status' && stretch === 0
  return byInstant ? Number.isSafeInteger(key) : key === null
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

const encoded = (text: string): string => Buffer.from(text, 'utf8').toString('base64url')

function unknown(): Fault {
  return new Fault('invalid_request', { detail: 'cursor is not one that this list in this order returned; leave it out to start over', field: 'cursor' })
}
