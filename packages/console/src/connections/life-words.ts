import type { TimelineEntry } from '../api/console-operations.ts'
import type { Tone } from '../design/state.tsx'
import { countWords } from '../time/words.ts'

interface Said {
  readonly title: string
  readonly tone: Tone
}

/** The life of a connection in the words of a person. What is not here is said as the audit record writes it. */
const SAID: Readonly<Record<string, Said>> = {
  'connection.created': { title: 'Its owner connected it', tone: 'good' },
  'connection.imported': { title: 'It was imported', tone: 'info' },
  'connection.reconnected': { title: 'Its owner granted again', tone: 'good' },
  'connection.credentials_replaced': { title: 'Its credentials were replaced', tone: 'info' },
  'connection.updated': { title: 'Label, tags or metadata were changed', tone: 'quiet' },
  'connection.paused': { title: 'It was paused', tone: 'quiet' },
  'connection.resumed': { title: 'It was resumed', tone: 'info' },
  'connection.disconnected': { title: 'It was disconnected', tone: 'quiet' },
  'connection.refreshed': { title: 'It was renewed', tone: 'good' },
  'connection.refresh_failed': { title: 'A renewal failed', tone: 'warn' },
  'connection.suspect': { title: 'A renewal was sent, and its outcome is not known', tone: 'warn' },
  'connection.needs_reauth': { title: 'The grant ended', tone: 'bad' },
  'connection.recovered': { title: 'A later success proved that the grant lives', tone: 'good' },
  'connection.scope_reduced': { title: 'It was renewed, with fewer scopes than before', tone: 'warn' },
  'connection.expires_soon': { title: 'Its owner was warned of its end', tone: 'warn' },
  'connection.superseded': { title: 'A newer grant of the same account took its place', tone: 'quiet' },
  'connection.checked': { title: 'It was tested', tone: 'info' },
  'push.revoked': { title: 'The provider told that the grant was taken back', tone: 'bad' },
}
/** Members of an event that say something to an operator, in this order. */
const TELLING = ['code', 'reason', 'result', 'provider_code', 'http_status', 'generation', 'account'] as const
const KINDS: Readonly<Record<string, string>> = {
  user: 'a person',
  cli: 'the command line',
  api_key: 'an API key',
  system: 'Evergrant',
  agent: 'an agent',
  installation: 'an installation',
}

export const actorWords = (kind: string): string => KINDS[kind] ?? kind.replaceAll('_', ' ')

/** One entry: what it was, who did it, and what is known of it. */
export function lifeWords({ event, use }: TimelineEntry): Said & { readonly detail: string } {
  if (use !== undefined)
    return {
      title: `${countWords(use.count, use.access === 'proxy' ? 'call through the proxy' : 'read of the token', use.access === 'proxy' ? 'calls through the proxy' : 'reads of the token')}`,
      tone: 'quiet',
      detail: `by ${[actorWords(use.actor.kind), use.actor.kind === use.actor.id ? null : use.actor.id].filter(Boolean).join(' ')}, in the hour that began then`,
    }
  const type = event?.type ?? ''
  const said = SAID[type] ?? { title: titleOf(type), tone: 'quiet' as const }
  const facts = TELLING.flatMap((key) => {
    const value = event?.data[key]
    return value === undefined || value === null || typeof value === 'object' ? [] : [`${key.replaceAll('_', ' ')} ${String(value)}`]
  })
  return { ...said, detail: [`by ${actorWords(event?.actor.kind ?? 'system')}`, ...facts].join(' · ') }
}

function titleOf(type: string): string {
  const words = type.replaceAll(/[._]/g, ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}
