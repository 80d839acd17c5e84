import { base64Url } from '../connect/random-token.ts'
import type { ConnectionDetails, ConnectionService, WantedConnections } from '../connection/connection-service.ts'
import type { Page, PageRequest } from '../connection/connections.ts'
import { Fault } from '../fault/fault.ts'
import type { ConnectionId } from '../ids.ts'
import type { ConnectionSelector } from './agent.ts'
import { reachOf, selects } from './agent-policy.ts'
import type { AgentStanding } from './agents.ts'

type Lists = Pick<ConnectionService, 'list' | 'get'>

interface Listing {
  readonly connections: Lists
  readonly standing: AgentStanding
  readonly wanted: WantedConnections
}

/**
 * The connections that an agent sees, newest first. Each selector of its policy is a list of its own; they are merged, so that a page is whole and costs what
 * is on it, not what the organization has.
 */
export async function agentConnections(
  connections: Lists,
  standing: AgentStanding,
  wanted: WantedConnections,
  page: PageRequest,
): Promise<Page<ConnectionDetails>> {
  const selectors = reachOf(standing)
  const listing = { connections, standing, wanted }
  const found = await Promise.all(selectors.map((selector) => first(listing, selector, page)))
  const byId = new Map<ConnectionId, ConnectionDetails>()
  for (const details of found.flat()) byId.set(details.row.connection.id, details)
  const merged = [...byId.values()].sort((left, right) => (left.row.connection.id < right.row.connection.id ? 1 : -1))
  const items = merged.slice(0, page.limit)
  const last = items.at(-1)
  return { items, cursor: merged.length > page.limit && last !== undefined ? cursorOf(last.row.connection.id) : null }
}

/**
 * The one connection of an owner at an integration, among those that the agent sees. Whether others are there is not told.
 * @throws Fault `not_found`, `conflict` naming the ids
 */
export async function agentConnectionOf(connections: Lists, standing: AgentStanding, integration: string, owner: string): Promise<ConnectionId> {
  const missing = () => new Fault('not_found', { field: 'owner', detail: `The policy of this agent selects no connection of this owner at ${integration}.` })
  const found: ConnectionId[] = []
  let cursor: string | null = null
  do {
    const page: Page<ConnectionDetails> = await agentConnections(connections, standing, { integration, owner }, { limit: 50, cursor }).catch(
      (error: unknown) => {
        throw error instanceof Fault && error.code === 'not_found' ? missing() : error
      },
    )
    found.push(...page.items.filter(({ row }) => row.connection.state !== 'disconnected').map(({ row }) => row.connection.id))
    cursor = page.cursor
  } while (cursor !== null && found.length < 2)
  const [id, ...others] = found
  if (id === undefined) throw missing()
  if (others.length === 0) return id
  throw new Fault('conflict', {
    field: 'owner',
    detail: `This owner has more than one connection at ${integration}: ${found.join(', ')}. Read the token by connection id.`,
  })
}

/** As the lists of the store write it: their next page begins after it. */
function cursorOf(id: ConnectionId): string {
  return base64Url(Uint8Array.from(id, (letter) => letter.charCodeAt(0)))
}

/** One more than a page of what one selector says, if there is so much. */
async function first(listing: Listing, selector: ConnectionSelector, page: PageRequest): Promise<readonly ConnectionDetails[]> {
  if (selector.connection !== undefined) return one(listing, selector.connection, page)
  const { connections, standing, wanted } = listing
  const { integration, owner, tag } = selector
  if (owner !== undefined && wanted.owner !== undefined && owner !== wanted.owner) return []
  const filter = {
    ...wanted,
    ...(integration === undefined ? {} : { integration }),
    ...(owner === undefined ? {} : { owner }),
    ...(tag === undefined ? {} : { tag }),
  }
  const found: ConnectionDetails[] = []
  let cursor = page.cursor
  do {
    const next = await connections.list(standing.agent.organization, filter, { limit: Math.min(200, page.limit + 1), cursor })
    // Where both name an integration or a tag, the list was cut to one of the two.
    found.push(...next.items.filter((details) => isWanted(details, wanted) && selects([selector], selectable(details))))
    cursor = next.cursor
  } while (cursor !== null && found.length <= page.limit)
  return found.slice(0, page.limit + 1)
}

async function one({ connections, standing, wanted }: Listing, id: ConnectionId, page: PageRequest): Promise<readonly ConnectionDetails[]> {
  if (page.cursor !== null && cursorOf(id) === page.cursor) return []
  try {
    const details = await connections.get(standing.agent.organization, id)
    const within = page.cursor === null || isAfter(page.cursor, id)
    return within && isWanted(details, wanted) && selects(reachOf(standing), selectable(details)) ? [details] : []
  } catch (error) {
    if (error instanceof Fault && error.code === 'not_found') return []
    throw error
  }
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** Both are ids of one length, so that the first letter that differs decides, encoded or not. */
function isAfter(cursor: string, id: ConnectionId): boolean {
  const text = cursorOf(id)
  for (let index = 0; index < text.length; index++) {
    const difference = ALPHABET.indexOf(text[index] ?? '') - ALPHABET.indexOf(cursor[index] ?? '')
    if (difference !== 0) return difference < 0
  }
  return false
}

function isWanted({ row: { connection }, integration, status }: ConnectionDetails, wanted: WantedConnections): boolean {
  if (wanted.integration !== undefined && wanted.integration !== integration.id && wanted.integration !== integration.slug) return false
  if (wanted.owner !== undefined && wanted.owner !== connection.owner) return false
  if (wanted.tag !== undefined && !connection.tags.includes(wanted.tag)) return false
  return wanted.status === undefined || wanted.status === status
}

function selectable({ row: { connection } }: ConnectionDetails) {
  return { id: connection.id, owner: connection.owner, integration: connection.integration, tags: connection.tags }
}
