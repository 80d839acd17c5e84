import { Type } from 'typebox'
import { Fault } from '../../core/fault/fault.ts'
import { nearSunsets } from '../../core/provider/lifetimes.ts'
import type { ProviderRecord } from '../../core/provider/record.ts'
import { reuseOf } from '../../core/provider/reuse-of.ts'
import type { Instant } from '../../core/time.ts'
import { callerOf } from '../authentication.ts'
import { iso } from '../connection-view.ts'
import { type App, closed, nullable, PROBLEMS, Time } from '../schema.ts'
import type { Services } from '../services.ts'

const VariableView = Type.Object({
  name: Type.String(),
  label: Type.String(),
  pattern: Type.String(),
  example: Type.String(),
  default: nullable(Type.String()),
  asked_of: Type.String({ description: '`integration`, `connection`, or `provider`: then nobody is asked.' }),
  choices: nullable(
    Type.Array(Type.Object({ value: Type.String(), label: Type.String() }), {
      description: 'The only values there are; null where any that fits the pattern will do.',
    }),
  ),
})
const ProviderSummary = Type.Object({
  id: Type.String(),
  name: Type.String(),
  docs: nullable(Type.String()),
  grant: Type.String({ description: 'How a grant comes to be; all but authorization_code need no end user in a browser.' }),
  reuse: Type.String(),
  has_api: Type.Boolean(),
  sunsets: Type.Array(Type.Object({ what: Type.String(), on: Type.String(), instead: Type.String(), days_left: Type.Integer() }), {
    description: 'What the provider has announced to end within 180 days, soonest first.',
  }),
})
const ProviderView = Type.Object({
  ...ProviderSummary.properties,
  variables: Type.Array(VariableView),
  default_scopes: Type.Array(Type.String()),
  required_scopes: Type.Array(Type.String()),
  pkce: Type.String(),
  rotation: Type.String(),
  reuse_evidence: Type.String(),
  lifetimes: Type.Object({}, { additionalProperties: true }),
  can_revoke: Type.Boolean(),
  can_check: Type.Boolean({ description: 'A call is known that proves a token: POST connections/{id}/test makes it.' }),
  check_every_seconds: nullable(Type.Number({ description: 'The provider demands a check this often.' })),
  pushes: Type.Array(Type.String(), { description: 'What it pushes to /hooks: `revoked`, `changed`, `code`.' }),
  drift: Type.Array(
    Type.Object({
      at: Time,
      step: Type.String(),
      missing: Type.Array(Type.String()),
      changed: Type.Array(Type.Object({ path: Type.String(), expected: Type.Array(Type.String()), found: Type.Array(Type.String()) })),
      added: Type.Array(Type.String()),
    }),
    { description: 'Where live answers differed from the documented ones, newest first: keys and types, never values.' },
  ),
  tokens: Type.Array(Type.String(), { description: 'Tokens of one answer that an integration may hold; empty when there is one.' }),
  notes: Type.Array(Type.String()),
  unverified: Type.Array(Type.String()),
  sources: Type.Array(Type.String()),
})

/** The catalogue. It is the same for every organization. */
export function providerRoutes(app: App, { providers, clock, events }: Services): void {
  app.get(
    '/api/v1/providers',
    {
      config: { access: 'any', own: true },
      schema: {
        summary: 'List providers',
        tags: ['providers'],
        response: { 200: Type.Object({ items: Type.Array(ProviderSummary), cursor: Type.Null() }), ...PROBLEMS },
      },
    },
    () => ({ items: providers.list().map((record) => summary(record, clock.wall())), cursor: null }),
  )
  app.get(
    '/api/v1/providers/:id',
    {
      config: { access: 'any', own: true },
      schema: {
        summary: 'Read a provider',
        tags: ['providers'],
        params: closed({ id: Type.String({ minLength: 1, maxLength: 64 }) }),
        response: { 200: ProviderView, ...PROBLEMS },
      },
    },
    async (request) => {
      const record = providers.get(request.params.id)
      if (record === undefined) throw new Fault('not_found', { field: 'id', detail: 'The catalogue has no such provider. GET providers lists them.' })
      const drift = await events.drift(callerOf(request).organization, record.id, 10)
      return { ...providerView(record, clock.wall()), drift: drift.map(({ at, data }) => ({ at: iso(at), ...data })) }
    },
  )
}

function summary(record: ProviderRecord, now: Instant) {
  return {
    id: record.id,
    name: record.name,
    docs: record.docs,
    grant: record.grant,
    reuse: reuseOf({ reuse: record.reuse, unverified: record.unverified }, { reuse: null }).class,
    has_api: record.api !== null,
    sunsets: nearSunsets(record, now).map(({ what, on, instead, daysLeft }) => ({ what, on, instead, days_left: daysLeft })),
  }
}

function providerView(record: ProviderRecord, now: Instant) {
  const { lifetimes } = record
  return {
    ...summary(record, now),
    variables: Object.entries(record.variables).map(([name, { label, pattern, example, default: preset, askedOf, choices }]) => ({
      name,
      label,
      pattern,
      example,
      default: preset,
      asked_of: askedOf,
      choices: choices === null ? null : Object.entries(choices).map(([value, choice]) => ({ value, label: choice.label })),
    })),
    default_scopes: record.authorize.defaultScopes,
    required_scopes: record.authorize.requiredScopes,
    pkce: record.authorize.pkce,
    rotation: record.rotation,
    reuse_evidence: record.reuse.evidence,
    lifetimes: {
      access_seconds: lifetimes.accessSeconds,
      same_token_above_seconds: lifetimes.noopAboveSeconds,
      refresh_idle_seconds: lifetimes.refreshIdleSeconds,
      refresh_absolute_seconds: lifetimes.refreshAbsoluteSeconds,
    },
    can_revoke: record.revoke !== null,
    can_check: record.check !== null,
    check_every_seconds: record.check?.everySeconds ?? null,
    pushes: [...new Set((record.push?.rules ?? []).map((rule) => rule.means))],
    tokens: record.answer.tokens === null ? [] : Object.keys(record.answer.tokens),
    notes: record.notes,
    unverified: record.unverified,
    sources: record.sources,
  }
}
