import { Type } from 'typebox'
import { Fault } from '../../core/fault/fault.ts'
import type { FactorProof } from '../../core/identity/factor-proofs.ts'
import type { JsonObject } from '../../core/json.ts'
import { personOf } from '../authentication.ts'
import { JsonObjectSchema } from '../input.ts'
import { type App, closed, KEEPABLE, PROBLEMS } from '../schema.ts'
import type { Services } from '../services.ts'
import { visitorOf } from './device-cookie.ts'
import { AddressSchema, checkSite, FORM_LIMIT, type IdentityRouteOptions, ModeSchema, PasswordSchema, signedInAnswer } from './identity-answer.ts'
import { SessionAnswer } from './session-answer.ts'
import { provenKey } from './session-routes.ts'

const TAGS = ['sign-in']
const Ticket = Type.String({ minLength: 1, maxLength: 100 })
const OrganizationName = Type.String({
  minLength: 1,
  maxLength: 100,
  pattern: KEEPABLE,
  description: 'Id or slug; without it the first that the person joined.',
})
const Code = Type.String({ minLength: 1, maxLength: 20, description: 'Six digits of an authenticator app.' })
const RecoveryCode = Type.String({ minLength: 1, maxLength: 60 })
const PasskeyOptions = Type.Object({
  ticket: Type.String(),
  options: Type.Any({ description: 'For `navigator.credentials.get` (parseRequestOptionsFromJSON).' }),
})

/** Signing in with a password, a passkey, a second factor; and proving it again. docs/reference/session-protocol.md. */
export function signInRoutes(app: App, services: Services, options: IdentityRouteOptions): void {
  passwordRoutes(app, services, options)
  passkeyRoutes(app, services, options)
  reauthenticationRoutes(app, services, options)
}

function passwordRoutes(app: App, { identity, proofs, clock, sessions }: Services, options: IdentityRouteOptions): void {
  const { publicUrl } = options
  app.post(
    '/api/v1/auth/login',
    {
      config: { access: 'public' },
      bodyLimit: FORM_LIMIT,
      schema: {
        summary: 'Sign in with a password',
        description: '401 `sign_in_refused`, whatever did not match; 401 `second_factor_required` with `ticket` and `methods` when one more step is needed.',
        tags: TAGS,
        body: closed({ email: AddressSchema, password: PasswordSchema, mode: Type.Optional(ModeSchema), organization: Type.Optional(OrganizationName) }),
        response: { 200: SessionAnswer, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { email, password, mode = 'cookie', organization = null } = request.body
      checkSite(request, mode, options)
      const key = mode === 'bearer' ? await provenKey(request, proofs, publicUrl) : null
      const signedIn = await identity.signIn.withPassword({ email, password, mode, organization, key }, visitorOf(request, mode, publicUrl))
      return signedInAnswer(reply, signedIn, { ...options, clock, sessions })
    },
  )
  app.post(
    '/api/v1/auth/login/second-factor',
    {
      config: { access: 'public' },
      bodyLimit: FORM_LIMIT,
      schema: {
        summary: 'Finish signing in',
        description: 'The `ticket` of `second_factor_required`, with one of `code`, `recovery_code` and `passkey`. Five answers at most, within five minutes.',
        tags: TAGS,
        body: closed({ ticket: Ticket, code: Type.Optional(Code), recovery_code: Type.Optional(RecoveryCode), passkey: Type.Optional(JsonObjectSchema) }),
        response: { 200: SessionAnswer, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { ticket } = request.body
      const proof = proofOf(request.body)
      const mode = (await identity.signIn.modeOf(ticket)) ?? 'bearer'
      checkSite(request, mode, options)
      const key = mode === 'bearer' ? await provenKey(request, proofs, publicUrl) : null
      const signedIn = await identity.signIn.withSecondFactor(ticket, proof, key, visitorOf(request, mode, publicUrl))
      return signedInAnswer(reply, signedIn, { ...options, clock, sessions })
    },
  )
}

function passkeyRoutes(app: App, { identity, proofs, clock, sessions }: Services, options: IdentityRouteOptions): void {
  const { publicUrl } = options
  app.post(
    '/api/v1/auth/login/passkey/options',
    {
      config: { access: 'public' },
      bodyLimit: FORM_LIMIT,
      schema: {
        summary: 'Begin with a passkey',
        description: 'With the `ticket` of `second_factor_required`: for that second step. Without one: to sign in without a password.',
        tags: TAGS,
        body: Type.Optional(closed({ ticket: Type.Optional(Ticket) })),
        response: { 200: PasskeyOptions, ...PROBLEMS },
      },
    },
    (request) => identity.signIn.passkeyOptions(request.body?.ticket ?? null, visitorOf(request, 'bearer', publicUrl)),
  )
  app.post(
    '/api/v1/auth/login/passkey',
    {
      config: { access: 'public' },
      bodyLimit: FORM_LIMIT,
      schema: {
        summary: 'Sign in with a passkey',
        description: 'A passkey that checked who is there (PIN, finger, face) is both factors at once.',
        tags: TAGS,
        body: closed({ ticket: Ticket, passkey: JsonObjectSchema, mode: Type.Optional(ModeSchema), organization: Type.Optional(OrganizationName) }),
        response: { 200: SessionAnswer, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { ticket, passkey, mode = 'cookie', organization = null } = request.body
      checkSite(request, mode, options)
      const key = mode === 'bearer' ? await provenKey(request, proofs, publicUrl) : null
      const signedIn = await identity.signIn.withPasskey(ticket, passkey, { mode, organization, key }, visitorOf(request, mode, publicUrl))
      return signedInAnswer(reply, signedIn, { ...options, clock, sessions })
    },
  )
}

function reauthenticationRoutes(app: App, { identity, clock, sessions }: Services, options: IdentityRouteOptions): void {
  app.post(
    '/api/v1/auth/reauthenticate',
    {
      config: { access: 'person', ownIdempotency: true, enrolling: true },
      bodyLimit: FORM_LIMIT,
      schema: {
        summary: 'Prove again who you are',
        description: 'One of `password`, `code`, `recovery_code`, and `passkey` with its `ticket`. The session gets a new `auth_time` and a new generation.',
        tags: TAGS,
        body: closed({
          password: Type.Optional(PasswordSchema),
          code: Type.Optional(Code),
          recovery_code: Type.Optional(RecoveryCode),
          passkey: Type.Optional(JsonObjectSchema),
          ticket: Type.Optional(Ticket),
        }),
        response: { 200: SessionAnswer, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const person = personOf(request)
      const { mode } = person.session
      checkSite(request, mode, options)
      const { password } = request.body
      const proof = password === undefined ? proofOf(request.body) : ({ kind: 'password', password } as const)
      const signedIn = await identity.signIn.again(person, proof, visitorOf(request, mode, options.publicUrl))
      return signedInAnswer(reply, signedIn, { ...options, clock, sessions })
    },
  )
  app.post(
    '/api/v1/auth/reauthenticate/passkey/options',
    {
      config: { access: 'person', ownIdempotency: true, enrolling: true },
      schema: { summary: 'Begin to prove it with a passkey', tags: TAGS, response: { 200: PasskeyOptions, ...PROBLEMS } },
    },
    (request) => identity.signIn.reauthenticationOptions(personOf(request)),
  )
}

interface SentProof {
  readonly code?: string
  readonly recovery_code?: string
  readonly passkey?: JsonObject
  readonly ticket?: string
}

/** @throws Fault `invalid_request` unless it is exactly one */
function proofOf({ code, recovery_code: recoveryCode, passkey, ticket }: SentProof): FactorProof {
  const sent: FactorProof[] = [
    ...(code === undefined ? [] : [{ kind: 'totp', code } as const]),
    ...(recoveryCode === undefined ? [] : [{ kind: 'recovery_code', code: recoveryCode } as const]),
    ...(passkey === undefined ? [] : [{ kind: 'passkey', response: passkey, ticket: ticket ?? null } as const]),
  ]
  const [proof] = sent
  if (proof === undefined || sent.length > 1)
    throw new Fault('invalid_request', { field: '/code', detail: 'Send exactly one proof: `code`, `recovery_code` or `passkey`.' })
  return proof
}
