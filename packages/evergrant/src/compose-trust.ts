import { join } from 'node:path'
import { storedId } from './compose-stored-id.ts'
import type { Config } from './config.ts'
import type { OrganizationId } from './core/ids.ts'
import type { Log } from './core/log.ts'
import type { NodeIdentity } from './core/refresh/credentials.ts'
import { DatabaseTrust } from './core/refresh/database-trust.ts'
import type { HighWater } from './core/refresh/high-water.ts'
import type { Journal } from './core/refresh/journal.ts'
import type { DatabaseHome } from './core/refresh/lineage.ts'
import { MemoryHighWater } from './core/refresh/memory-high-water.ts'
import { RestoreService } from './core/refresh/restore-service.ts'
import type { Clock } from './core/time.ts'
import { openHighWaterFile } from './journal/high-water-file.ts'
import type { Store } from './store/index.ts'
import { systemEntropy, systemTimers } from './system.ts'

interface TrustParts {
  readonly store: Pick<Store, 'lineages'>
  readonly marks: HighWater
  readonly journal: Journal
  readonly identity: NodeIdentity
  readonly clock: Clock
}

/** One folder a node, beside its journal; without a journal the marks live as long as the process. */
export function openMarks(config: Pick<Config, 'dataDir' | 'journal'>, identity: NodeIdentity, log: Log): Promise<HighWater> {
  if (!config.journal) return Promise.resolve(new MemoryHighWater())
  return openHighWaterFile(join(config.dataDir, 'marks', identity.id), systemTimers, log)
}

/** The watch over the database's age, for the events of `organization`. */
export function composeTrust(config: Config, node: TrustParts, organization: OrganizationId, log: Log): DatabaseTrust {
  return new DatabaseTrust({
    clock: node.clock,
    entropy: systemEntropy,
    log,
    lineages: node.store.lineages,
    marks: node.marks,
    journal: node.journal,
    node: node.identity.id,
    home: homeOf(config, node),
    organization,
  })
}

/** The operator's door to it. */
export function composeRestore(
  config: Config,
  node: Pick<TrustParts, 'clock'> & { readonly store: Pick<Store, 'lineages' | 'nodes'> },
  trust: DatabaseTrust,
  organization: OrganizationId,
): RestoreService {
  const { lineages, nodes } = node.store
  return new RestoreService({ clock: node.clock, entropy: systemEntropy, lineages, nodes, trust, home: homeOf(config, node), organization })
}

/** An embedded database belongs to its data folder; PostgreSQL says where it is. */
function homeOf(config: Pick<Config, 'databaseUrl' | 'dataDir'>, node: Pick<TrustParts, 'store'>): () => Promise<DatabaseHome | null> {
  if (config.databaseUrl !== null) return () => node.store.lineages.whereabouts()
  return () => Promise.resolve(embeddedHome(config))
}

/** Where the embedded database of this configuration is. */
export function embeddedHome({ dataDir }: Pick<Config, 'dataDir'>): DatabaseHome {
  return { id: storedId(dataDir, 'folder-id'), name: 'evergrant.db', timeline: null }
}
