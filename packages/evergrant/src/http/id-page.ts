import { Fault } from '../core/fault/fault.ts'

/** Pages of lists that begin after an id: `cursor` is that id, opaque. */
interface IdPage<Id> {
  readonly limit: number
  readonly after: Id | null
}

/** One item more than asked, so that it is known whether there is another page. @throws Fault `invalid_request` */
export function idPage<Id extends string>(query: { readonly limit?: number; readonly cursor?: string }, pattern: string): IdPage<Id> {
  const limit = (query.limit ?? 50) + 1
  if (query.cursor === undefined) return { limit, after: null }
  const after = Buffer.from(query.cursor, 'base64url').toString('utf8')
  if (!isId<Id>(after, pattern))
    throw new Fault('invalid_request', { detail: 'cursor is not one that a list returned; leave it out to start over', field: 'cursor' })
  return { limit, after }
}

function isId<Id extends string>(text: string, pattern: string): text is Id {
  return new RegExp(pattern).test(text)
}

export function pageAnswer<Item extends { readonly id: string }, View>(found: readonly Item[], { limit }: IdPage<string>, view: (item: Item) => View) {
  const items = found.slice(0, limit - 1)
  const last = items.at(-1)
  const more = found.length >= limit && last !== undefined
  return { items: items.map(view), cursor: more ? Buffer.from(last.id, 'utf8').toString('base64url') : null }
}
