import { ReauthorizationRequiredError } from './client-errors.ts'
import type { Renewals } from './keeper.ts'
import type { Rotation } from './rotation.ts'

/** For a workload recovery is to show its identity again: a new key, a new installation. Renewing is what a stored credential does, too. */
export function workloadRenewals(make: () => Rotation, enrol: () => Promise<unknown>): Renewals & { readonly current: () => Rotation } {
  let rotation = make()
  return {
    current: () => rotation,
    load: () => rotation.load(),
    async renew(request) {
      try {
        return await rotation.renew(request)
      } catch (error) {
        if (!(error instanceof ReauthorizationRequiredError)) throw error
        await enrol()
        // The old one is pinned to the installation that is over.
        rotation = make()
        return rotation.load()
      }
    },
  }
}
