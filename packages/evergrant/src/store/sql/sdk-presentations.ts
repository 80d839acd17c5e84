import type { Approval } from '../../core/agent/approvals.ts'
import type { Incident } from '../../core/agent/incident.ts'
import type { InstallationStanding, SdkPresented } from '../../core/agent/installations.ts'
import { BREAKER_FLOOR, pressureSince, type RecoveryPressure } from '../../core/agent/recovery-rules.ts'
import { applySdkPresentation, recoveryApprovalOf, type SdkOutcome, type SdkReading } from '../../core/agent/sdk-outcome.ts'
import type { SdkPresentation } from '../../core/agent/sdk-presentation.ts'
import { isStranger } from '../../core/agent/sdk-rotation.ts'
import type { SdkToken } from '../../core/agent/sdk-token.ts'
import type { OrganizationId } from '../../core/ids.ts'
import type { Instant } from '../../core/time.ts'
import { agentSettings, lockAgentSettings, saveAgentSettings } from './agents-store.ts'
import { insertApproval, joinApproval, recoveryApprovals, spendApproval } from './approvals-store.ts'
import { append } from './event-rows.ts'
import { makeTrustDue } from './incidents-store.ts'
import { insertSdkToken, SDK_TOKEN, STANDING, STANDING_TABLES, toSdkToken, toStanding, writeInstallation, writeSdkToken } from './installation-rows.ts'
import { changed, type Dialect, type Program, row, rows, run } from './program.ts'
import { insertRecoveryAttempt, newestAttemptOf } from './recovery-attempt-rows.ts'
import { integer } from './rows.ts'

/** Judges a presentation and applies what follows, under the installation's lock. What was proven before is not looked at again; whose key it is, is. */
export function* present(dialect: Dialect, presentation: SdkPresentation): Program<SdkPresented> {
  const found = yield* row(`select ${STANDING}, now_ms() as now from ${STANDING_TABLES} where i.id = ? ${dialect.forUpdate('i')}`, presentation.installation)
  if (found === undefined) return { kind: 'stranger', known: null }
  const standing = toStanding(found)
  const { id, organization, agent } = standing.installation
  const at = integer(found, 'now')
  const reading = yield* readingOf(standing, presentation, at)
  if (isStranger(reading, presentation)) return { kind: 'stranger', known: { id, organization, agent } }
  const outcome = applySdkPresentation(reading, presentation, at)
  const approval = yield* write(dialect, reading, presentation, outcome, at)
  const after = { ...standing, installation: outcome.installation ?? standing.installation }
  return { kind: 'known', judgement: outcome.judgement, standing: after, settings: reading.settings, approval }
}

function* readingOf(standing: InstallationStanding, presentation: SdkPresentation, at: Instant): Program<SdkReading> {
  const { installation } = standing
  const { generation, attempt, nextAttempt } = presentation
  const found = yield* rows(
    `select ${SDK_TOKEN} from sdk_token t where t.id = ?
     union all select ${SDK_TOKEN} from sdk_token t where t.installation_id = ? and t.generation = ? and t.attempt = ?
     union all select ${SDK_TOKEN} from sdk_token t where t.installation_id = ? and t.attempt = ?`,
    installation.head,
    installation.id,
    generation,
    attempt,
    installation.id,
    nextAttempt,
  )
  const tokens = found.map(toSdkToken)
  const head = tokens.find(({ id }) => id === installation.head)
  if (head === undefined) throw new Error(`${installation.id} has no newest token`)
  const recovering = presentation.verb === 'recover'
  const settings = yield* agentSettings(installation.organization)
  return {
    ...standing,
    head,
    shown: tokens.find((token) => token.generation === generation && token.attempt === attempt) ?? null,
    made: newestOf(tokens.filter((token) => token.attempt === nextAttempt)),
    settings,
    pressure: recovering ? yield* pressureOf(installation.organization, pressureSince(settings, at)) : { recoveries: 0, installations: 0 },
    approval: recovering ? recoveryApprovalOf(yield* recoveryApprovals(installation.id, nextAttempt), nextAttempt, at) : null,
    newestAttempt: recovering ? yield* newestAttemptOf(installation.id) : null,
  }
}

function newestOf(tokens: readonly SdkToken[]): SdkToken | null {
  return tokens.reduce<SdkToken | null>((newest, token) => (newest === null || token.generation > newest.generation ? token : newest), null)
}

/** Those of a clock that was ahead, and was set back, were not a moment ago. */
export const PRESSING = 'select count(*) as count from recovery_attempt where organization_id = ? and counted = 1 and at > ? and at <= now_ms()'

/** All installations are counted only where so many have recovered that their number matters. */
function* pressureOf(organization: OrganizationId, since: Instant): Program<RecoveryPressure> {
  const recent = yield* row(PRESSING, organization, since)
  const recoveries = recent === undefined ? 0 : integer(recent, 'count')
  if (recoveries < BREAKER_FLOOR) return { recoveries, installations: 0 }
  const all = yield* row('select count(*) as count from installation where organization_id = ?', organization)
  return { recoveries, installations: all === undefined ? 0 : integer(all, 'count') }
}

/** Returns what a person is asked, where one is. */
function* write(dialect: Dialect, reading: SdkReading, { nextAttempt }: SdkPresentation, outcome: SdkOutcome, at: Instant): Program<Approval | null> {
  const { installation, inserted, updated, recoveredAt, attempt, asks, joins, spends, incident, breakerUntil, events } = outcome
  for (const token of inserted) yield* insertSdkToken(token)
  for (const token of updated) yield* writeSdkToken(token)
  if (installation !== null) {
    yield* writeInstallation(installation, recoveredAt)
    yield* changed({ kind: 'installation', installation: installation.id })
  }
  if (attempt !== null) yield* insertRecoveryAttempt(attempt)
  if (asks !== null) yield* insertApproval(asks)
  if (joins !== null) yield* joinApproval(joins, nextAttempt)
  if (spends !== null) yield* spendApproval(spends)
  if (incident !== null) yield* insertIncident(incident)
  if (breakerUntil !== null) yield* tripBreaker(dialect, reading, breakerUntil, at)
  for (const event of events) yield* append(event)
  return outcome.judgement.kind === 'pending' ? (asks ?? reading.approval) : null
}

/** What an operator changes in the settings at the same moment is not undone. */
function* tripBreaker(dialect: Dialect, { installation: { organization } }: SdkReading, until: Instant, at: Instant): Program<void> {
  yield* saveAgentSettings(organization, { ...(yield* lockAgentSettings(dialect, organization)), breakerUntil: until }, at)
}

/** Of one kind, about one installation, within an hour: one incident. */
const SAME_INCIDENT_MS = 3_600_000

export function* insertIncident({ id, organization, agent, installation, kind, at, message, event }: Incident): Program<void> {
  const opened = yield* run(
    `insert into incident (id, organization_id, agent_id, installation_id, kind, at, message, event_id)
     select ?, ?, ?, ?, ?, cast(? as bigint), ?, ?
     where not exists (select 1 from incident n where n.agent_id = ? and n.at > ? and n.installation_id = ? and n.kind = ? and n.closed_at is null)
     on conflict (id) do nothing`,
    id,
    organization,
    agent,
    installation,
    kind,
    at,
    message,
    event,
    agent,
    at - SAME_INCIDENT_MS,
    installation,
    kind,
  )
  if (opened > 0) yield* makeTrustDue(agent)
}
