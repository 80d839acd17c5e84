import type { Actor } from '../audit/event.ts'
import { Fault } from '../fault/fault.ts'
import type { ConnectionId, OrganizationId } from '../ids.ts'
import type { ConnectionPorts } from './connection-ports.ts'
import type { ImportIdentity, ImportOutcome, NewImport } from './connections.ts'
import { checkGrant, type Import, type ImportedGrant, identityOf, newImported, storeInto } from './imported-grant.ts'
import type { Integration } from './integration.ts'

/** Grants of one call. */
export const IMPORT_BATCH_MAX = 500

/** Connections that are replaced at once, each in a transaction of its own. */
const REPLACED_AT_ONCE = 8

/** One line of a bulk import: a grant and the id or slug of its integration, or why there is none. */
export type ImportLine = { readonly integration: string; readonly grant: ImportedGrant } | { readonly refused: Fault }

/** `already`: this grant was imported before and is not touched. `connection` is null when nothing was written. */
export type ImportResult =
  | { readonly kind: 'imported' | 'replaced' | 'already'; readonly connection: ConnectionId | null }
  | { readonly kind: 'refused'; readonly fault: Fault; readonly connection: ConnectionId | null }

export interface ImportManyOptions {
  readonly actor: Actor
  /** Checks everything and says what would happen; writes nothing. */
  readonly dryRun: boolean
  /** First renewals are drawn over this long. */
  readonly spreadMs: number
}

type FindIntegration = (idOrSlug: string) => Promise<Integration | undefined>

interface Candidate {
  readonly index: number
  readonly job: Import
  readonly identity: ImportIdentity
}

/**
 * Takes over many grants; results in the order of the lines. A line that is refused stops no other. Repeating a call, also one
 * whose answer was lost, changes nothing: a grant that was imported once is never imported again, so a newer token is never
 * overwritten by the older one of the line.
 */
export async function importMany(
  ports: ConnectionPorts,
  organization: OrganizationId,
  find: FindIntegration,
  lines: readonly ImportLine[],
  options: ImportManyOptions,
): Promise<readonly ImportResult[]> {
  const results: ImportResult[] = []
  const candidates: Candidate[] = []
  const integrations = new Map<string, Promise<Integration | undefined>>()
  for (const [index, line] of lines.entries()) {
    try {
      const job = await jobOf(line, ports, organization, integrations, find, options)
      candidates.push({ index, job, identity: identityOf(job, ports) })
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      results[index] = refused(error)
    }
  }
  const foreseen = await ports.connections.foreseeImport(candidates.map(({ identity }) => identity))
  const open = options.dryRun ? [] : candidates.filter((_, at) => mayBeNew(foreseen[at]))
  const stored = await store(open, ports)
  for (const [at, candidate] of candidates.entries()) results[candidate.index] = resultOf(candidate.job, stored.get(candidate.index) ?? foreseen[at])
  if (!options.dryRun) await replaceWanted(candidates, results, ports)
  return results
}

/** What was known before stays known; a line whose double is in the same batch is decided with it. */
function mayBeNew(outcome: ImportOutcome | undefined): boolean {
  return outcome === undefined || outcome.kind === 'inserted' || outcome.connection === null
}

async function jobOf(
  line: ImportLine,
  ports: ConnectionPorts,
  organization: OrganizationId,
  integrations: Map<string, Promise<Integration | undefined>>,
  find: FindIntegration,
  { actor, spreadMs }: ImportManyOptions,
): Promise<Import> {
  if ('refused' in line) throw line.refused
  const found = integrations.get(line.integration) ?? find(line.integration)
  integrations.set(line.integration, found)
  const integration = await found
  // Not said which: where columns were mixed up, it may be a token.
  if (integration === undefined)
    throw new Fault('not_found', { field: '/integration', detail: 'No integration has this id or slug. GET integrations lists them.' })
  const record = ports.providers.get(integration.provider)
  if (record === undefined)
    throw new Fault('conflict', { field: '/integration', detail: `The provider ${integration.provider} is not in the catalogue any more.` })
  const job = { organization, integration, record, grant: line.grant, actor, now: ports.clock.wall(), spreadMs }
  checkGrant(job)
  return job
}

async function store(candidates: readonly Candidate[], ports: ConnectionPorts): Promise<ReadonlyMap<number, StoredOutcome>> {
  if (candidates.length === 0) return new Map()
  const batch: NewImport[] = candidates.map(({ job, identity }) => ({ identity, row: newImported(job, ports, identity.fingerprint) }))
  const outcomes = await ports.connections.importMany(batch)
  return new Map(
    candidates.map(({ index }, at): [number, StoredOutcome] => {
      const outcome = outcomes[at]
      if (outcome === undefined || outcome.kind === 'inserted') return [index, { kind: 'inserted', connection: batch[at]?.row.connection.id ?? null }]
      return [index, outcome]
    }),
  )
}

type StoredOutcome = { readonly kind: ImportOutcome['kind']; readonly connection: ConnectionId | null }

function resultOf({ integration, grant }: Import, outcome: StoredOutcome | ImportOutcome | undefined): ImportResult {
  const connection = outcome !== undefined && 'connection' in outcome ? outcome.connection : null
  switch (outcome?.kind) {
    case undefined:
    case 'inserted':
      return { kind: 'imported', connection }
    case 'already':
      return { kind: 'already', connection }
    case 'exists':
      return grant.replace ? { kind: 'replaced', connection } : refused(taken(integration, connection), connection)
    case 'shared':
      return refused(shared(connection), connection)
  }
}

/** The store said where each goes; what went wrong with one is said of that one. */
async function replaceWanted(candidates: readonly Candidate[], results: ImportResult[], ports: ConnectionPorts): Promise<void> {
  const wanted = candidates.filter(({ index }) => results[index]?.kind === 'replaced')
  for (let first = 0; first < wanted.length; first += REPLACED_AT_ONCE) {
    const replacing = wanted.slice(first, first + REPLACED_AT_ONCE).map(async ({ index, job }) => {
      const connection = results[index]?.connection ?? null
      try {
        if (connection !== null) await storeInto(job, ports, connection)
      } catch (error) {
        if (!(error instanceof Fault) || error.code === 'store_unavailable') throw error
        results[index] = refused(error, connection)
      }
    })
    await Promise.all(replacing)
  }
}

function refused(fault: Fault, connection: ConnectionId | null = null): ImportResult {
  return { kind: 'refused', fault, connection }
}

function taken({ slug }: Integration, connection: ConnectionId | null): Fault {
  const which = connection === null ? 'a line before this one' : connection
  return new Fault('already_exists', {
    field: '/account',
    detail: `This owner has this account at ${slug} already, with another token: ${which}. With \`replace\` the grant is stored into it.`,
  })
}

function shared(connection: ConnectionId | null): Fault {
  const which = connection === null ? 'a line before this one' : connection
  return new Fault('already_exists', {
    field: '/refresh_token',
    detail: `Another owner's connection was imported with this refresh token (${which}), and two that spend one token end its grant. Let this owner connect anew.`,
  })
}
