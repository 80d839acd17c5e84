import { Fault } from '../fault/fault.ts'
import type { IntegrationId, OrganizationId } from '../ids.ts'
import type { ProviderRecord } from '../provider/record.ts'
import type { PushedCode } from '../push/push-ports.ts'
import type { CheckedFlow } from './callback-checks.ts'
import { fittingFact } from './callback-parameters.ts'
import type { ConnectPorts } from './connect-ports.ts'
import type { ConnectSession } from './connect-sessions.ts'
import { CONNECT_TIMES } from './connect-times.ts'
import type { FlowContext } from './flow-context.ts'

type Facts = Readonly<Record<string, string>>

/** What was kept of a push, opened. */
interface ClaimedCode {
  readonly code: string
  readonly facts: Facts
}

/**
 * Keeps a code that a provider pushed. It belongs to nobody yet: a push names an installation and no person, so the code is spent
 * only when the browser that began a flow comes back and names the same installation (docs/decisions/0030).
 * `unknown`: nothing in the push could be named by a browser, or it does not look as the record says.
 */
export async function keepPushedCode(pushed: PushedCode, ports: ConnectPorts): Promise<'taken' | 'unknown'> {
  const integration = await ports.integrations.load(pushed.integration)
  const record = integration === undefined ? undefined : ports.providers.get(integration.provider)
  const key = record === undefined ? null : keyOf(record, pushed.facts, ports)
  if (record?.authorize.callback.by !== 'push' || key === null) return 'unknown'
  if (!areFitting(record, pushed.facts)) {
    ports.log.warn(
      { integration: pushed.integration, provider: record.id },
      'a pushed code came with facts that do not look as the record says; it was dropped',
    )
    return 'unknown'
  }
  await ports.sessions.keepPushed({
    integration: pushed.integration,
    key,
    code: ports.seal.seal(pushed.code, place(pushed.organization, pushed.integration, key)),
    facts: pushed.facts,
    receivedAt: pushed.receivedAt,
    until: pushed.receivedAt + CONNECT_TIMES.flowMs,
  })
  return 'taken'
}

function areFitting(record: ProviderRecord, facts: Facts): boolean {
  try {
    for (const [fact, value] of Object.entries(facts)) fittingFact(record, fact, value)
    return true
  } catch (error) {
    if (error instanceof Fault) return false
    throw error
  }
}

/**
 * The code of the installation that the browser names, if it was pushed after this flow began: an older one was somebody
 * else's business. Waits a little, because the browser may be faster than the push. Null: it has not come.
 */
export async function claimPushedCode({ session, flow }: CheckedFlow, { context }: FlowContext, ports: ConnectPorts): Promise<ClaimedCode | null> {
  const until = ports.clock.mono() + CONNECT_TIMES.twinWaitMs
  for (;;) {
    const claimed = await pushedCodeOf(session, flow.startedAt, context.record, context.facts, ports)
    if (claimed !== null || ports.clock.mono() >= until) return claimed
    await ports.timers.sleep(CONNECT_TIMES.pushPollMs)
  }
}

/** What is kept for these facts now. Reading removes nothing: the code is spent by its session alone, and is gone when it is old. */
export async function pushedCodeOf(
  session: Pick<ConnectSession, 'organization' | 'integration'>,
  since: number,
  record: ProviderRecord,
  facts: Facts,
  ports: Pick<ConnectPorts, 'sessions' | 'seal'>,
): Promise<ClaimedCode | null> {
  const key = keyOf(record, facts, ports)
  const kept = key === null ? undefined : await ports.sessions.pushed(session.integration, key)
  if (key === null || kept === undefined || kept.receivedAt < since) return null
  return { code: ports.seal.openText(kept.code, place(session.organization, session.integration, key)), facts: kept.facts }
}

/** Of the facts that both the browser and the push name. Null when one of them is missing. */
function keyOf(record: ProviderRecord, facts: Facts, { seal }: Pick<ConnectPorts, 'seal'>): string | null {
  const pushedNames = new Set((record.push?.rules ?? []).flatMap((rule) => (rule.means === 'code' ? Object.keys(rule.facts) : [])))
  const names = Object.keys(record.authorize.callback.facts)
    .filter((name) => pushedNames.has(name))
    .sort()
  const pairs = names.map((name) => [name, facts[name]])
  return pairs.length === 0 || pairs.some(([, value]) => value === undefined || value === '') ? null : seal.digest(JSON.stringify(pairs))
}

function place(organization: OrganizationId, integration: IntegrationId, key: string) {
  return { organization, table: 'pushed_code', row: `${integration}#${key}`, column: 'code' }
}
