import type { ConnectionId, OrganizationId } from '../../core/ids.ts'
import type { DatabaseHome, Lineage, NodeComparison, ReportedBehind, StoredGeneration, Trusted } from '../../core/refresh/lineage.ts'
import type { Row } from './program.ts'
import { integer, integerOrNull, text, textOrNull } from './rows.ts'

export const LINEAGE_COLUMNS = 'instance, home_id, home_name, home_timeline, era, era_at, trusted, since, reason'

export function toLineage(found: Row): Lineage {
  return {
    instance: text(found, 'instance'),
    home: homeOf(found),
    era: integer(found, 'era'),
    eraAt: integer(found, 'era_at'),
    trusted: text(found, 'trusted') as Trusted,
    since: integerOrNull(found, 'since'),
    reason: textOrNull(found, 'reason'),
  }
}

function homeOf(found: Row): DatabaseHome | null {
  const id = textOrNull(found, 'home_id')
  return id === null ? null : { id, name: text(found, 'home_name'), timeline: integerOrNull(found, 'home_timeline') }
}

export function toStoredGeneration(found: Row): StoredGeneration {
  return { connection: text(found, 'connection_id') as ConnectionId, generation: integer(found, 'generation'), fingerprint: textOrNull(found, 'fingerprint') }
}

export function toReported(found: Row): ReportedBehind {
  return {
    connection: text(found, 'connection_id') as ConnectionId,
    marked: integer(found, 'marked'),
    stored: integerOrNull(found, 'stored'),
    organization: textOrNull(found, 'organization_id') as OrganizationId | null,
    owner: textOrNull(found, 'owner'),
    integration: textOrNull(found, 'slug'),
    mended: integer(found, 'mended') === 1,
  }
}

export function toComparison(found: Row): NodeComparison {
  return { node: text(found, 'node_id'), tick: integer(found, 'tick'), at: integer(found, 'at'), comparedEra: integerOrNull(found, 'compared_era') }
}
