import { embeddedHome } from '../../compose-trust.ts'
import type { Config } from '../../config.ts'
import { SYSTEM_ACTOR } from '../../core/audit/event.ts'
import { RestoreService } from '../../core/refresh/restore-service.ts'
import { databaseFile } from '../../database-file.ts'
import { openPostgresStore, openSqliteStore, type Store } from '../../store/index.ts'
import { systemClock, systemEntropy, systemTimers } from '../../system.ts'

/**
 * Says of a database that was just restored that it is a copy whose original lives: every grant in it ends, in it alone. Done on the
 * store, without a node: a journal and marks that lie in this data folder may belong to the original.
 */
export async function endClone(config: Config): Promise<number> {
  const store = await openStore(config)
  try {
    const organization = await store.organizations.bySlug('default')
    if (organization === undefined) return 0
    const { lineages, nodes } = store
    const home = () => (config.databaseUrl === null ? Promise.resolve(embeddedHome(config)) : lineages.whereabouts())
    const trust = { refreshed: () => Promise.resolve() }
    const service = new RestoreService({ clock: systemClock, entropy: systemEntropy, lineages, nodes, trust, home, organization: organization.id })
    const { ended } = await service.confirm(organization.id, SYSTEM_ACTOR, 'clone')
    return ended
  } finally {
    await store.close()
  }
}

function openStore(config: Config): Promise<Store> {
  const options = { clock: systemClock, timers: systemTimers, migrate: true }
  return config.databaseUrl === null ? openSqliteStore(databaseFile(config), options) : openPostgresStore(config.databaseUrl.reveal(), options)
}
