import { type EventType, type NewEvent, SYSTEM_ACTOR } from '../audit/event.ts'
import { Fault } from '../fault/fault.ts'
import { newId } from '../ids.ts'
import type { JsonObject } from '../json.ts'
import type { GrantRow } from '../refresh/credentials.ts'
import { DAY, HOUR, MINUTE, SECOND } from '../time.ts'
import type { PushOutcome, PushPorts } from './push-ports.ts'
import type { PushNotice } from './pushes.ts'

const BATCH = 20
const VISIBILITY_MS = 2 * MINUTE
/** Providers push first and act later: a grant that still works is looked at once more. */
const SECOND_LOOK_MS = 10 * MINUTE
/** A proof that is this much older than the push still counts at the first look. */
const YOUNG_MS = 10 * SECOND
const FIRST_RETRY_MS = 30 * SECOND
const LONGEST_RETRY_MS = 6 * HOUR
/** About two days of trying. */
const MAX_ATTEMPTS = 16
/** The provider's clock and ours. */
const SKEW_MS = 5 * MINUTE
/** How late a push without a time may be: longer than providers are known to repeat one. */
const LATE_MS = 3 * DAY

/** One grant that a push is about. `later`: nobody can tell now. */
type GrantOutcome = 'ended' | 'alive' | 'superseded' | 'later'

/** Does what accepted pushes ask for. Returns how many were looked at. */
export async function workPushes(ports: PushPorts): Promise<number> {
  const notices = await ports.pushes.take(BATCH, VISIBILITY_MS)
  await Promise.all(
    notices.map((notice) =>
      workOne(notice, ports).catch((error: unknown) => {
        ports.log.warn(
          { notice: notice.id, attempts: notice.attempts, error: error instanceof Error ? error.message : 'unknown' },
          'a push could not be dealt with',
        )
        // Until then it comes up again by itself.
        return notice.attempts < MAX_ATTEMPTS ? undefined : ports.pushes.finish(notice.id, [])
      }),
    ),
  )
  return notices.length
}

function workOne(notice: PushNotice, ports: PushPorts): Promise<void> {
  switch (notice.means) {
    case 'revoked':
      return revoked(notice, ports)
    case 'changed':
      return changed(notice, ports)
    case 'code':
      return handOn(notice, ports)
  }
}

async function rowsOf({ organization, integration, account }: PushNotice, { connections }: PushPorts): Promise<readonly GrantRow[]> {
  return account === null ? [] : connections.byAccount(organization, integration, account)
}

async function revoked(notice: PushNotice, ports: PushPorts): Promise<void> {
  const rows = (await rowsOf(notice, ports)).filter((row) => row.connection.state === 'active')
  if (rows.length === 0) return finish(notice, ports, 'unknown_account', [])
  const outcomes: GrantOutcome[] = []
  for (const row of rows) outcomes.push(await endOrAsk(notice, row, ports))
  if (outcomes.includes('later') && notice.attempts < MAX_ATTEMPTS) return ports.pushes.retry(notice.id, ports.clock.wall() + retryMs(notice, ports))
  if (outcomes.includes('alive') && notice.attempts === 1) return ports.pushes.retry(notice.id, ports.clock.wall() + SECOND_LOOK_MS)
  const count = (wanted: GrantOutcome) => outcomes.filter((outcome) => outcome === wanted).length
  const data = { proven: notice.proven, ended: count('ended'), alive: count('alive'), superseded: count('superseded'), unresolved: count('later') }
  const outcome = (['ended', 'alive', 'superseded'] as const).find((one) => count(one) > 0) ?? 'unresolved'
  return finish(notice, ports, outcome, [await eventOf('push.revoked', notice, rows.length === 1 ? rows : [], ports, data)])
}

function retryMs({ attempts }: PushNotice, { entropy }: PushPorts): number {
  return Math.round(Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempts - 1, 16)) * (0.5 + entropy.uniform() / 2))
}

/** A proven word ends the grant that it is about. Every other word is only a reason to ask the provider. */
async function endOrAsk(notice: PushNotice, row: GrantRow, ports: PushPorts): Promise<GrantOutcome> {
  const told = wordOn(notice, row)
  if (told === 'superseded') return 'superseded'
  if (told === 'ends') {
    const outcome = await ports.engine.toldEnd(row, {
      at: ports.clock.wall(),
      text: 'the provider pushed that access was taken back',
      hash: notice.digest,
    })
    if (outcome !== 'moved') return 'ended'
  }
  return (await provenSince(notice, row, ports)) ? 'alive' : ask(row, ports)
}

/**
 * What a word can mean for this grant: a consent or a renewal that is newer than what happened disproves it, and where nobody
 * says when it happened, a young consent may be the newer one.
 */
function wordOn({ proven, happenedAt, receivedAt }: PushNotice, { connection, credential }: GrantRow): 'ends' | 'superseded' | 'unsure' {
  const consentedAt = connection.consentedAt ?? connection.createdAt
  if (happenedAt !== null && consentedAt > happenedAt + SKEW_MS) return 'superseded'
  if (!proven) return 'unsure'
  const happened = happenedAt ?? receivedAt - LATE_MS
  return consentedAt < happened - SKEW_MS && credential.obtainedAt <= (happenedAt ?? receivedAt) ? 'ends' : 'unsure'
}

/**
 * A flood of pushes is no flood of questions: a proof that is as young as the push answers it. The second look wants a later one,
 * so nothing is missed by this.
 */
async function provenSince({ receivedAt, attempts }: PushNotice, { connection, credential }: GrantRow, { stored }: PushPorts): Promise<boolean> {
  const [check] = await stored.of([connection.id])
  const provenAt = Math.max(check?.workedAt ?? 0, credential.obtainedAt)
  return provenAt >= (attempts === 1 ? receivedAt - YOUNG_MS : receivedAt + SECOND_LOOK_MS / 2)
}

/** The cheapest call tells; where the record knows none, a refresh does. Neither changes anything that the engine would not change. */
async function ask(row: GrantRow, { checks, engine }: PushPorts): Promise<GrantOutcome> {
  const { id, organization } = row.connection
  const { result, ended } = await checks.test(organization, id, null)
  if (ended) return 'ended'
  switch (result) {
    case 'works':
    case 'scope_missing':
      return 'alive'
    case 'rejected':
    case 'throttled':
    case 'unreachable':
      return 'later'
    case 'not_known':
      return engine.refresh(organization, id).then(
        () => 'alive' as const,
        (error: unknown) => {
          if (error instanceof Fault && error.definition.class === 'grant' && error.code !== 'refresh_not_supported') return 'ended' as const
          return 'later' as const
        },
      )
  }
}

/** An event for the application, one for each connection of the account. */
async function changed(notice: PushNotice, ports: PushPorts): Promise<void> {
  const rows = (await rowsOf(notice, ports)).filter((row) => row.connection.state !== 'disconnected')
  if (notice.account !== null && rows.length === 0) return finish(notice, ports, 'unknown_account', [])
  const about = rows.length === 0 ? [[]] : rows.map((row) => [row])
  const events = await Promise.all(about.map((few) => eventOf('push.changed', notice, few, ports, { proven: notice.proven, ...notice.facts })))
  return finish(notice, ports, 'changed', events)
}

async function handOn(notice: PushNotice, ports: PushPorts): Promise<void> {
  const { id, organization, integration, account, facts, receivedAt } = notice
  if (notice.code === null || ports.codes === null) return finish(notice, ports, 'unresolved', [])
  const code = ports.seal.openText(notice.code, { organization, table: 'push_notice', row: id, column: 'code' })
  const outcome = await ports.codes.deliver({ organization, integration, code, account, facts, receivedAt }).catch((error: unknown) => {
    if (error instanceof Fault && notice.attempts < MAX_ATTEMPTS) return 'later' as const
    throw error
  })
  if (outcome === 'later') return ports.pushes.retry(id, ports.clock.wall() + retryMs(notice, ports))
  return finish(notice, ports, 'code', [await eventOf('push.code', notice, [], ports, { taken: outcome === 'taken' })])
}

async function finish(notice: PushNotice, ports: PushPorts, outcome: PushOutcome, events: readonly NewEvent[]): Promise<void> {
  await ports.pushes.finish(notice.id, events)
  // An integration that is gone meanwhile is no reason to begin again.
  const provider = await ports.contexts.of(notice.integration).then(
    ({ record }) => record.id,
    () => 'unknown',
  )
  ports.count(provider, outcome)
}

async function eventOf(type: EventType, notice: PushNotice, [row]: readonly GrantRow[], ports: PushPorts, data: JsonObject): Promise<NewEvent> {
  return {
    id: newId('evt', ports.entropy),
    organization: notice.organization,
    type,
    at: ports.clock.wall(),
    actor: SYSTEM_ACTOR,
    connection: row?.connection.id ?? null,
    subject: notice.integration,
    data,
  }
}
