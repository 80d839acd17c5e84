import { tenancy } from './0001-tenancy.ts'
import { connections } from './0002-connections.ts'
import { connect } from './0003-connect.ts'
import { access } from './0004-access.ts'
import { nodes } from './0005-nodes.ts'
import { deathWatch } from './0006-death-watch.ts'
import { warnings } from './0007-warnings.ts'
import { lineage } from './0008-lineage.ts'
import { attention } from './0009-attention.ts'
import { retention } from './0010-retention.ts'
import { importedGrants } from './0011-imported-grants.ts'
import { providerEvents } from './0012-provider-events.ts'
import { quotas } from './0013-quotas.ts'
import { pushedCodes } from './0014-pushed-codes.ts'
import { people } from './0015-people.ts'
import { signingKeys } from './0016-signing-keys.ts'
import { identity } from './0017-identity.ts'
import { owners } from './0018-owners.ts'
import { agents } from './0019-agents.ts'
import { secondFactors } from './0020-second-factors.ts'
import { observe } from './0021-observe.ts'
import { alerts } from './0022-alerts.ts'
import { pages } from './0023-pages.ts'
import { sweeps } from './0024-sweeps.ts'
import { keys } from './0025-keys.ts'
import { nodeAbout } from './0026-node-about.ts'
import type { Migration } from './migration.ts'

/** In order. A published migration is never edited; the next one amends it. */
export const MIGRATIONS: readonly Migration[] = [
  tenancy,
  connections,
  connect,
  access,
  nodes,
  deathWatch,
  warnings,
  lineage,
  attention,
  retention,
  importedGrants,
  providerEvents,
  quotas,
  pushedCodes,
  people,
  signingKeys,
  identity,
  owners,
  agents,
  secondFactors,
  observe,
  alerts,
  pages,
  sweeps,
  keys,
  nodeAbout,
]
