import type { Actor } from '../audit/event.ts'
import type { ConnectionDetails, ConnectionService } from '../connection/connection-service.ts'
import { Fault } from '../fault/fault.ts'
import { type BulkId, type ConnectionId, newId, type OrganizationId } from '../ids.ts'
import type { RefreshEngine } from '../refresh/refresh-engine.ts'
import { type Clock, type Entropy, type Instant, MINUTE } from '../time.ts'
import { type ConnectionSearch, NEWEST_FIRST } from './connection-search.ts'
import type { Observed } from './observed.ts'

export const BULK_ACTIONS = ['refresh', 'pause', 'resume', 'tag', 'untag', 'reconnect_links', 'disconnect'] as const
export type BulkVerb = (typeof BULK_ACTIONS)[number]

/** Of one request. More are done in several: each says what it did. */
export const BULK_MOST = 1_000
const SAMPLE = 10
const AT_ONCE = 20
const PAGE = 200
const UNDO_MS = 10 * MINUTE
const TAGS_MOST = 50

const BACK: Readonly<Partial<Record<BulkVerb, BulkVerb>>> = { pause: 'resume', resume: 'pause', tag: 'untag', untag: 'tag' }

interface BulkPorts {
  readonly observed: Pick<Observed, 'connections' | 'keepBulk' | 'bulk' | 'markUndone'>
  readonly connections: Pick<ConnectionService, 'get' | 'detailed' | 'pause' | 'resume' | 'patch' | 'disconnect'>
  readonly engine: Pick<RefreshEngine, 'refresh'>
  readonly repairLink: (details: ConnectionDetails) => string | null
  readonly clock: Pick<Clock, 'wall'>
  readonly entropy: Entropy
}

interface BulkRequest {
  readonly organization: OrganizationId
  readonly actor: Actor
  readonly action: BulkVerb
  /** These, or all that match. */
  readonly target: { readonly ids: readonly ConnectionId[] } | { readonly search: ConnectionSearch }
  readonly tag: string | null
  /** The number of connections, written out: asked of whoever disconnects. */
  readonly confirm: string | null
  /** Says what would be done, and does nothing. */
  readonly dryRun: boolean
}

export interface BulkResult {
  readonly connection: ConnectionId
  /** `same`: it was so already. `refused`: `detail` says why. */
  readonly outcome: 'done' | 'same' | 'refused'
  readonly detail: string | null
  readonly url: string | null
}

interface BulkReport {
  /** Null for what cannot be undone, and of a dry run. */
  readonly id: BulkId | null
  readonly count: number
  readonly sample: readonly ConnectionDetails[]
  readonly undoUntil: Instant | null
  readonly results: readonly BulkResult[]
}

type Done = Omit<BulkResult, 'connection'>

const DONE: Done = { outcome: 'done', detail: null, url: null }
const SAME: Done = { outcome: 'same', detail: null, url: null }

/** One change to many connections, each as if it had been asked for alone: with its own check and its own event. */
export class BulkService {
  readonly #ports: BulkPorts

  constructor(ports: BulkPorts) {
    this.#ports = ports
  }

  /** @throws Fault `invalid_request` when there are too many, or when what must be confirmed is not */
  async run(request: BulkRequest): Promise<BulkReport> {
    const { action, tag, dryRun, confirm } = request
    if ((action === 'tag' || action === 'untag') && tag === null)
      throw new Fault('invalid_request', { field: '/tag', detail: `Say which tag: \`${action}\` needs \`tag\`.` })
    const targets = await this.#targets(request)
    const report = { count: targets.length, sample: targets.slice(0, SAMPLE) }
    if (dryRun) return { ...report, id: null, undoUntil: null, results: [] }
    if (action === 'disconnect' && confirm !== String(targets.length))
      throw new Fault('invalid_request', {
        field: '/confirm',
        detail: `This ends ${targets.length} connections and cannot be undone. Send \`confirm: "${targets.length}"\` to go on. Nothing was changed.`,
      })
    const undoable = BACK[action] !== undefined
    const id = undoable ? newId('blk', this.#ports.entropy) : null
    const at = this.#ports.clock.wall()
    const results: BulkResult[] = []
    for (let first = 0; first < targets.length; first += AT_ONCE) {
      const some = await Promise.all(targets.slice(first, first + AT_ONCE).map((details) => this.#one(request, details)))
      results.push(...some)
      // After every step: what a crash leaves half done can still be taken back by whoever saw the id.
      if (id !== null) await this.#keep(id, request, results, at)
    }
    return { ...report, id, undoUntil: id === null ? null : at + UNDO_MS, results }
  }

  /** Takes back what was really changed, and leaves alone what somebody changed since. @throws Fault `not_found`, `conflict` */
  async undo(organization: OrganizationId, id: BulkId, actor: Actor): Promise<readonly BulkResult[]> {
    const { observed, clock } = this.#ports
    const done = await observed.bulk(organization, id)
    if (done === undefined) throw new Fault('not_found', { detail: `There is no bulk action ${id} in this organization that can be undone.` })
    const now = clock.wall()
    if (now > done.undoUntil) throw new Fault('conflict', { detail: 'The ten minutes in which it could be undone are over. Do the opposite instead.' })
    const action = BACK[done.action as BulkVerb]
    if (action === undefined) throw new Fault('conflict', { detail: `\`${done.action}\` cannot be undone.` })
    if (!(await observed.markUndone(organization, id, now))) throw new Fault('conflict', { detail: 'It was undone already.' })
    const request: BulkRequest = { organization, actor, action, target: { ids: done.connections }, tag: done.tag, confirm: null, dryRun: false }
    const results: BulkResult[] = []
    for (let first = 0; first < done.connections.length; first += AT_ONCE) {
      results.push(...(await Promise.all(done.connections.slice(first, first + AT_ONCE).map((connection) => this.#again(request, connection)))))
    }
    return results
  }

  async #again(request: BulkRequest, connection: ConnectionId): Promise<BulkResult> {
    try {
      return await this.#one(request, await this.#ports.connections.get(request.organization, connection))
    } catch (error) {
      return { connection, ...refusal(error) }
    }
  }

  async #targets({ organization, target }: BulkRequest): Promise<readonly ConnectionDetails[]> {
    if ('ids' in target) {
      const ids = [...new Set(target.ids)]
      if (ids.length > BULK_MOST) throw tooMany(ids.length)
      return Promise.all(ids.map((id) => this.#ports.connections.get(organization, id)))
    }
    const rows: Awaited<ReturnType<Observed['connections']>>['items'][number][] = []
    let cursor: string | null = null
    do {
      const page: Awaited<ReturnType<Observed['connections']>> = await this.#ports.observed.connections(organization, target.search, NEWEST_FIRST, {
        limit: PAGE,
        cursor,
      })
      rows.push(...page.items)
      cursor = page.cursor
      if (rows.length > BULK_MOST) throw tooMany(rows.length)
    } while (cursor !== null)
    return this.#ports.connections.detailed(rows)
  }

  async #keep(id: BulkId, { organization, action, tag }: BulkRequest, results: readonly BulkResult[], at: Instant): Promise<void> {
    const connections = results.filter(({ outcome }) => outcome === 'done').map(({ connection }) => connection)
    await this.#ports.observed.keepBulk({ id, organization, action, tag, connections, at, undoUntil: at + UNDO_MS, undoneAt: null })
  }

  async #one(request: BulkRequest, details: ConnectionDetails): Promise<BulkResult> {
    const connection = details.row.connection.id
    try {
      return { connection, ...(await this.#done(request, details)) }
    } catch (error) {
      return { connection, ...refusal(error) }
    }
  }

  async #done({ organization, actor, action, tag }: BulkRequest, details: ConnectionDetails): Promise<Done> {
    const { connections, engine, repairLink } = this.#ports
    const { id, state, tags } = details.row.connection
    switch (action) {
      case 'refresh':
        return (await engine.refresh(organization, id)).changed ? DONE : SAME
      case 'pause':
        if (state === 'paused') return SAME
        await connections.pause(organization, id, actor)
        return DONE
      case 'resume':
        if (state === 'active') return SAME
        await connections.resume(organization, id, actor)
        return DONE
      case 'tag':
        if (tag === null || tags.includes(tag)) return SAME
        if (tags.length >= TAGS_MOST) return { outcome: 'refused', detail: `It has ${TAGS_MOST} tags already.`, url: null }
        await connections.patch(organization, id, { tags: [...tags, tag] }, details.row.connection.version, actor)
        return DONE
      case 'untag':
        if (tag === null || !tags.includes(tag)) return SAME
        await connections.patch(organization, id, { tags: tags.filter((one) => one !== tag) }, details.row.connection.version, actor)
        return DONE
      case 'reconnect_links': {
        const url = repairLink(details)
        if (url !== null) return { ...DONE, url }
        const detail = state === 'needs_reauth' ? noLink(details) : 'It needs no reconnect.'
        return { outcome: 'refused', detail, url: null }
      }
      case 'disconnect':
        return (await connections.disconnect(organization, id, actor)).revocation === 'already' ? SAME : DONE
    }
  }
}

function tooMany(count: number): Fault {
  return new Fault('invalid_request', {
    detail: `This concerns ${count} connections or more, and one request changes at most ${BULK_MOST}. Narrow the filter. Nothing was changed.`,
  })
}

/** Why a link of the connection's own repairs nothing, and what does. */
function noLink({ linkRepairs }: ConnectionDetails): string {
  const why = linkRepairs ? 'Its account is not known' : "Its provider names the account in the browser's address alone"
  return `${why}, so no link repairs it. Its owner reconnects from the application: POST connections/{id}/reconnect with mode \`verified\` and \`return_url\`.`
}

function refusal(error: unknown): Done {
  if (error instanceof Fault) return { outcome: 'refused', detail: error.message, url: null }
  throw error
}
