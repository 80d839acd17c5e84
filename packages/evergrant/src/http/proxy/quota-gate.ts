import { Fault } from '../../core/fault/fault.ts'
import type { QuotaPass } from '../../core/pacing/quota-book.ts'
import { PAUSE } from '../../core/pacing/quotas.ts'
import type { Clock, Entropy, Timers } from '../../core/time.ts'
import type { ProxyJob } from './proxy-job.ts'
import type { Upstream } from './upstream.ts'

/** Those who wait for the same window do not come back in the same instant. */
const SPREAD_MS = 500

interface GatePorts {
  readonly upstream: Pick<Upstream, 'pacing'>
  readonly clock: Clock
  readonly timers: Timers
  readonly entropy: Pick<Entropy, 'uniform'>
}

/**
 * The pass of one request. When the quota is used up the caller is told when it is not, at once, or waits as long as it
 * said, inside its deadline (`deadline` is monotonic). @throws Fault `provider_rate_limited`
 */
export async function enterQuota(job: ProxyJob, ports: GatePorts, deadline: number): Promise<QuotaPass> {
  const { clock, timers, entropy, upstream } = ports
  const { quota } = job.target
  await upstream.pacing.ready(quota.integration)
  const patience = Math.min(deadline, clock.mono() + job.waitMs)
  for (;;) {
    const admission = upstream.pacing.enter(quota, job.method, job.url)
    if (admission.kind === 'go') return admission.pass
    const waitMs = Math.max(1, admission.until - clock.wall()) + entropy.uniform() * SPREAD_MS
    if (job.signal.aborted || clock.mono() + waitMs >= patience) throw usedUp(job, admission.quota, admission.until)
    await timers.sleep(waitMs, job.signal)
  }
}

/** Milliseconds until another request of this kind may go; null when it may go now. */
export function untilOpen(job: ProxyJob, { upstream, clock }: GatePorts): number | null {
  const admission = upstream.pacing.enter(job.target.quota, job.method, job.url)
  if (admission.kind === 'wait') return Math.max(1, admission.until - clock.wall())
  admission.pass.failed(false)
  return null
}

function usedUp({ target }: ProxyJob, quota: string, retryAt: number): Fault {
  const { name } = target.context.record
  const what = quota === PAUSE ? `${name} asked for a pause` : `the quota \`${quota}\` of ${name} is used up`
  return new Fault('provider_rate_limited', {
    status: 429,
    retryAt,
    detail: `Nothing was sent: ${what} until ${new Date(retryAt).toISOString()}. \`Evergrant-Wait: <seconds>\` waits for it here, inside the deadline.`,
  })
}
