import { EVENT_TYPES } from '../audit/event.ts'

/** Types that no webhook is told of, and why. */
const NEVER_SENT: ReadonlyMap<string, string> = new Map([['connection.refreshed', 'Refreshes that go well are not sent']])
const OWN = 'Deliveries tell of nothing that deliveries cause; `POST webhooks/{id}/test` sends `webhook.tested` whatever the types are'

/** Why an endpoint that asks for this would never hear of it; null where it would. A misspelt type is no error later: it is silence. */
export function wantedTypeProblem(wanted: string): string | null {
  if (wanted === '*') return null
  const [kind = ''] = wanted.split('.')
  if (kind === 'webhook') return `${OWN}. Leave \`${wanted}\` out.`
  const reason = NEVER_SENT.get(wanted)
  if (reason !== undefined) return `${reason}. Leave \`${wanted}\` out.`
  const ofKind = EVENT_TYPES.filter((type) => type.startsWith(`${kind}.`))
  if (ofKind.length === 0) return `No event begins with \`${kind}.\`. Events begin with: ${kinds().join(', ')}.`
  if (wanted === `${kind}.*` || ofKind.some((type) => type === wanted)) return null
  const offered = ofKind.filter((type) => !NEVER_SENT.has(type))
  return `There is no event \`${wanted}\`. There are: ${[...offered, `${kind}.*`].join(', ')}.`
}

function kinds(): readonly string[] {
  return [...new Set(EVENT_TYPES.map((type) => type.split('.')[0] ?? ''))].filter((kind) => kind !== 'webhook').toSorted()
}
