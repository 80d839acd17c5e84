import { ReauthorizationRequiredError } from './client-errors.ts'
import type { Renewals } from './keeper.ts'
import type { Rotation } from './rotation.ts'

/** Somebody stopped it. Its platform would vouch for it all the same, so that enrolling again by itself would undo the stop. */
const STOPPED = new Set(['recovery_forbidden', 'installation_retired', 'agent_revoked'])

/**
 * For a workload recovery is to show its identity again: a new key, a new installation. Renewing is what a stored credential does, too. A process that was cut
 * off stays cut off.
 */
export function workloadRenewals(make: () => Rotation, enrol: () => Promise<unknown>): Renewals & { readonly current: () => Rotation } {
  let rotation = make()
  return {
    current: () => rotation,
    load: () => rotation.load(),
    async renew(request) {
      try {
        return await rotation.renew(request)
      } catch (error) {
        if (!(error instanceof ReauthorizationRequiredError) || STOPPED.has(error.code)) throw error
        await enrol()
        // The old one is pinned to the installation that is over.
        rotation = make()
        return rotation.load()
      }
    },
  }
}
