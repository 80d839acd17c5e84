import { ReauthorizationRequiredError } from './client-errors.ts'
import type { Renewals } from './keeper.ts'
import type { Rotation } from './rotation.ts'
import type { Snapshot } from './snapshot.ts'

/** Somebody stopped it. Its platform would vouch for it all the same, so that enrolling again by itself would undo the stop. */
const STOPPED = new Set(['recovery_forbidden', 'installation_retired', 'agent_revoked'])
/** A renewal so soon before the absolute end enrols again: the installation before answers until then, and no request of a busy program meets its end. */
const AHEAD_MS = 300_000

interface Workload {
  readonly make: () => Rotation
  readonly enrol: () => Promise<unknown>
  /** The server's time: its ends are told in it. */
  readonly now: () => number
}

/**
 * For a workload recovery is to show its identity again: a new key, a new installation. Renewing is what a stored credential does, too. A process that was cut
 * off stays cut off.
 */
export function workloadRenewals({ make, enrol, now }: Workload): Renewals & { readonly current: () => Rotation } {
  let rotation = make()
  let endsAt = Number.POSITIVE_INFINITY
  const held = (snapshot: Snapshot): Snapshot => {
    const { expires_at: end } = snapshot.identity.installation
    endsAt = end === null ? Number.POSITIVE_INFINITY : Date.parse(end)
    return snapshot
  }
  const anew = async (): Promise<Snapshot> => {
    await enrol()
    // The old one is pinned to the installation before.
    rotation = make()
    return held(await rotation.load())
  }
  return {
    current: () => rotation,
    load: async () => held(await rotation.load()),
    async renew(request) {
      // When that fails, what is there is renewed as long as it goes on.
      const early = endsAt - now() < AHEAD_MS ? await anew().catch(() => null) : null
      if (early !== null) return early
      try {
        return held(await rotation.renew(request))
      } catch (error) {
        if (!(error instanceof ReauthorizationRequiredError) || STOPPED.has(error.code)) throw error
        return anew()
      }
    },
  }
}
