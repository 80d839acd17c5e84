import { Type } from 'typebox'
import type { Factor } from '../../core/identity/factor.ts'
import { type FactorId, idPattern } from '../../core/ids.ts'
import { personOf } from '../authentication.ts'
import { iso, isoOrNull } from '../connection-view.ts'
import { JsonObjectSchema } from '../input.ts'
import { type App, closed, nullable, PROBLEMS, Time } from '../schema.ts'
import type { Services } from '../services.ts'
import { FORM_LIMIT } from './identity-answer.ts'

const TAGS = ['factors']
const FactorView = Type.Object({
  id: Type.String(),
  kind: Type.String({ description: '`totp` (an authenticator app) or `passkey`.' }),
  name: Type.String(),
  created_at: Time,
  last_used_at: nullable(Time),
})
const Codes = Type.Array(Type.String(), { description: 'Each works once. Shown now and never again.' })
const Added = Type.Object({ ...FactorView.properties, recovery_codes: nullable(Codes) })
const Name = Type.Optional(
  Type.String({ minLength: 1, maxLength: 60, pattern: '^[^\\u0000-\\u001f\\u007f\\ud800-\\udfff]+$', description: 'Your own word for it.' }),
)
const Params = closed({ id: Type.Unsafe<FactorId>({ type: 'string', pattern: idPattern('fct'), description: 'Id of a factor.' }) })
/** Answers here have secrets that nobody keeps for a second request. */
const CONFIG = { access: 'person', ownIdempotency: true } as const
const ADDING = { ...CONFIG, enrolling: true } as const

/** A person's own second factors. Every change needs a proof of identity that is at most ten minutes old. */
export function factorRoutes(app: App, services: Services): void {
  listRoutes(app, services)
  totpRoutes(app, services)
  passkeyRoutes(app, services)
}

function listRoutes(app: App, { identity: { factors } }: Services): void {
  app.get(
    '/api/v1/users/me/factors',
    {
      config: { access: 'person', enrolling: true },
      schema: {
        summary: 'List your second factors',
        tags: TAGS,
        response: { 200: Type.Object({ items: Type.Array(FactorView), cursor: Type.Null(), recovery_codes_left: Type.Integer() }), ...PROBLEMS },
      },
    },
    async (request) => {
      const { factors: items, codesLeft } = await factors.list(personOf(request))
      return { items: items.map(factorView), cursor: null, recovery_codes_left: codesLeft }
    },
  )
  app.delete(
    '/api/v1/users/me/factors/:id',
    { config: { access: 'person' }, schema: { summary: 'Remove a second factor', tags: TAGS, params: Params, response: { 204: Type.Null(), ...PROBLEMS } } },
    async (request, reply) => {
      await factors.remove(personOf(request), request.params.id)
      return reply.code(204).send()
    },
  )
  app.post(
    '/api/v1/users/me/factors/recovery-codes',
    {
      config: CONFIG,
      schema: {
        summary: 'Get new recovery codes',
        description: 'The old ones end.',
        tags: TAGS,
        response: { 200: Type.Object({ recovery_codes: Codes }), ...PROBLEMS },
      },
    },
    async (request) => ({ recovery_codes: await factors.newCodes(personOf(request)) }),
  )
}

function totpRoutes(app: App, { identity: { factors } }: Services): void {
  app.post(
    '/api/v1/users/me/factors/totp',
    {
      config: ADDING,
      bodyLimit: FORM_LIMIT,
      schema: {
        summary: 'Add an authenticator app',
        description: 'Gives a secret and the text of its QR code. It counts once a code of it was confirmed.',
        tags: TAGS,
        body: Type.Optional(closed({ name: Name })),
        response: { 201: Type.Object({ ...FactorView.properties, secret: Type.String(), uri: Type.String() }), ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { factor, secret, uri } = await factors.startTotp(personOf(request), request.body?.name ?? null)
      return reply.code(201).send({ ...factorView(factor), secret, uri })
    },
  )
  app.post(
    '/api/v1/users/me/factors/:id/confirm',
    {
      config: ADDING,
      bodyLimit: FORM_LIMIT,
      schema: {
        summary: 'Confirm an authenticator app',
        tags: TAGS,
        params: Params,
        body: closed({ code: Type.String({ minLength: 1, maxLength: 20 }) }),
        response: { 200: Added, ...PROBLEMS },
      },
    },
    async (request) => {
      const { factor, recoveryCodes } = await factors.confirmTotp(personOf(request), request.params.id, request.body.code)
      return { ...factorView(factor), recovery_codes: recoveryCodes }
    },
  )
}

function passkeyRoutes(app: App, { identity: { factors } }: Services): void {
  app.post(
    '/api/v1/users/me/factors/passkey/options',
    {
      config: ADDING,
      schema: {
        summary: 'Begin to add a passkey',
        tags: TAGS,
        response: {
          200: Type.Object({ ticket: Type.String(), options: Type.Any({ description: 'For `navigator.credentials.create` (parseCreationOptionsFromJSON).' }) }),
          ...PROBLEMS,
        },
      },
    },
    (request) => factors.startPasskey(personOf(request)),
  )
  app.post(
    '/api/v1/users/me/factors/passkey',
    {
      config: ADDING,
      bodyLimit: FORM_LIMIT,
      schema: {
        summary: 'Add a passkey',
        tags: TAGS,
        body: closed({ ticket: Type.String({ minLength: 1, maxLength: 100 }), passkey: JsonObjectSchema, name: Name }),
        response: { 201: Added, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { ticket, passkey, name = null } = request.body
      const { factor, recoveryCodes } = await factors.addPasskey(personOf(request), { ticket, response: passkey, name })
      return reply.code(201).send({ ...factorView(factor), recovery_codes: recoveryCodes })
    },
  )
}

function factorView(factor: Factor) {
  return { id: factor.id, kind: factor.kind, name: factor.name, created_at: iso(factor.createdAt), last_used_at: isoOrNull(factor.lastUsedAt) }
}
