import type { AuditEvent } from '../audit/event.ts'
import type { StoredFault } from '../connection/connection.ts'
import type { ConnectionDetails } from '../connection/connection-service.ts'
import { FAULTS } from '../fault/table.ts'
import { fillWords } from '../fault/words.ts'
import { DAY, HOUR, type Instant, MINUTE, SECOND } from '../time.ts'

/** Why a connection is as it is. */
export interface Why {
  readonly sentence: string
  /** Oldest first: how it came to this. */
  readonly steps: readonly { readonly at: Instant; readonly what: string; readonly detail: string | null }[]
  /** How the provider's answer was understood; null when nothing is wrong. */
  readonly rule: {
    readonly code: string
    readonly class: string
    readonly blame: string
    readonly effect: string
    readonly retry: string
    readonly operatorText: string
  } | null
  readonly fault: StoredFault | null
  readonly next: { readonly what: string; readonly at: Instant | null }
  /** Attempts that are to come, and the failures that they are counted from. */
  readonly retries: { readonly failures: number; readonly since: Instant | null; readonly nextAttemptAt: Instant | null }
}

const STEPS_SHOWN = 20

/** What happened, in the words of the audit record. Types that say nothing about a state are left out. */
const SAID: Readonly<Record<string, string>> = {
  'connection.created': 'The owner connected it',
  'connection.imported': 'It was imported',
  'connection.reconnected': 'The owner granted again',
  'connection.credentials_replaced': 'Its credentials were replaced',
  'connection.paused': 'It was paused',
  'connection.resumed': 'It was resumed',
  'connection.disconnected': 'It was disconnected',
  'connection.refreshed': 'It was renewed',
  'connection.refresh_failed': 'A renewal failed',
  'connection.suspect': 'A renewal was sent and its outcome is not known',
  'connection.needs_reauth': 'The grant ended',
  'connection.recovered': 'A later success proved that the grant lives',
  'connection.scope_reduced': 'It was renewed, with fewer scopes than before',
  'connection.expires_soon': 'Its owner was warned of its end',
  'connection.superseded': 'A newer grant of the same account took its place',
  'push.revoked': 'The provider told that the grant was taken back',
}

/** `events` of the connection, newest first. Pure. */
export function whyOf(details: ConnectionDetails, events: readonly AuditEvent[], now: Instant): Why {
  const { row, integration, status } = details
  const fault = status === 'blocked' ? integration.blocked : row.connection.fault
  const words = { provider: details.providerName, account: row.connection.accountLabel ?? row.connection.account }
  const known = fault === null ? undefined : FAULTS[fault.code]
  const { failures, firstFailedAt, nextAttemptAt } = row.health
  return {
    sentence: sentenceOf(details, fault, now),
    steps: stepsOf(events),
    rule:
      fault === null || known === undefined
        ? null
        : {
            code: fault.code,
            class: known.class,
            blame: known.blame,
            effect: known.effect,
            retry: known.retry,
            operatorText: fillWords(known.operator, words),
          },
    fault,
    next: nextOf(details, now),
    retries: { failures, since: firstFailedAt, nextAttemptAt },
  }
}

/** Renewals that went well say the same each time: the last one is enough. */
function stepsOf(events: readonly AuditEvent[]): Why['steps'] {
  const told = events.filter(({ type }, index) => {
    if (SAID[type] === undefined) return false
    return type !== 'connection.refreshed' || !events.slice(0, index).some((newer) => newer.type === 'connection.refreshed')
  })
  return told
    .slice(0, STEPS_SHOWN)
    .map(({ type, at, data, actor }) => ({ at, what: SAID[type] ?? type, detail: detailOf(data, actor.kind) }))
    .reverse()
}

function detailOf(data: AuditEvent['data'], actor: string): string | null {
  const text = (name: string): string | null => (typeof data[name] === 'string' ? data[name] : null)
  const status = typeof data.http_status === 'number' ? `HTTP ${data.http_status}` : null
  const parts = [text('code'), status, text('provider_code'), text('provider_text')].filter((part) => part !== null)
  if (parts.length > 0) return parts.join(', ')
  return actor === 'user' || actor === 'api_key' || actor === 'cli'
    ? `by ${actor === 'user' ? 'a person' : actor === 'cli' ? 'the command line' : 'a backend'}`
    : null
}

/** Within a sentence: a name stays as it is written. */
function titleOf(fault: StoredFault, provider: string, connection: ConnectionDetails['row']['connection']): string {
  const { title } = FAULTS[fault.code]
  const words = fillWords(title, { provider, account: connection.accountLabel ?? connection.account })
  return title.startsWith('{') ? words : lowered(words)
}

function sentenceOf({ row, status, providerName }: ConnectionDetails, fault: StoredFault | null, now: Instant): string {
  const { connection, credential, health } = row
  const reason = fault === null ? '' : `: ${titleOf(fault, providerName, connection)} (${ago(now - fault.at)} ago)`
  switch (status) {
    case 'active':
      if (health.failures > 0)
        return `It works; the last ${health.failures === 1 ? 'renewal' : `${health.failures} renewals`} failed, which nobody notices while its token lives.`
      if (health.endsAt !== null) return `It works, until ${providerName} ends the grant in ${ago(health.endsAt - now)}.`
      return connection.lastRefreshedAt === null ? 'It works.' : `It works: it was renewed ${ago(now - connection.lastRefreshedAt)} ago.`
    case 'degraded':
      return credential.suspicion === null
        ? `${providerName} does not renew it${reason}. The grant lives as far as anybody knows.`
        : `A renewal was sent and ${providerName} did not say what became of it. The grant may live; it is looked at again by itself.`
    case 'needs_reauth':
      return `Its owner must grant again${reason}.`
    case 'blocked':
      return `It is blocked${reason || `: ${providerName} refuses the integration`}. No grant is lost; mend the integration.`
    case 'paused':
      return 'Somebody paused it. It is neither renewed nor read until it is resumed.'
    case 'disconnected':
      return connection.disconnectedAt === null ? 'It is disconnected.' : `It was disconnected ${ago(now - connection.disconnectedAt)} ago.`
  }
}

function nextOf({ row, status, providerName }: ConnectionDetails, now: Instant): Why['next'] {
  const { credential, health } = row
  switch (status) {
    case 'needs_reauth':
      return { what: 'The owner reconnects; nothing else can.', at: null }
    case 'blocked':
      return { what: 'An operator mends the client credentials of the integration.', at: health.nextAttemptAt }
    case 'paused':
      return { what: 'Somebody resumes it.', at: null }
    case 'disconnected':
      return { what: 'Nothing: a new connection is made by connecting again.', at: null }
    case 'degraded':
      return { what: `${providerName} is asked again.`, at: later(health.nextAttemptAt, health.dueAt) }
    case 'active':
  }
  if (credential.lease !== null && credential.lease.until > now) return { what: 'It is being renewed.', at: null }
  if (credential.refreshToken === null)
    return { what: health.endsAt === null ? 'Nothing: it has no end.' : 'It ends; its owner or you give it a new credential before.', at: health.endsAt }
  return { what: health.failures > 0 ? 'The renewal is tried again.' : 'It is renewed.', at: later(health.nextAttemptAt, health.dueAt) }
}

function later(one: Instant | null, other: Instant | null): Instant | null {
  return one === null || other === null ? (one ?? other) : Math.max(one, other)
}

const lowered = (text: string): string => (/^[A-Z][a-z]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text)

function ago(ms: number): string {
  const units = [
    [DAY, 'day'],
    [HOUR, 'hour'],
    [MINUTE, 'minute'],
    [SECOND, 'second'],
  ] as const
  for (const [unit, name] of units) {
    const value = Math.floor(ms / unit)
    if (value >= 1) return `${value} ${name}${value === 1 ? '' : 's'}`
  }
  return 'a moment'
}
