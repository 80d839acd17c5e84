import { Type } from 'typebox'
import { personOf } from '../authentication.ts'
import { PersonName } from '../routes/users.ts'
import { type App, closed, PROBLEMS } from '../schema.ts'
import type { Services } from '../services.ts'
import { RoleSchema } from '../user-view.ts'
import { giveDevice, visitorOf } from './device-cookie.ts'
import {
  AddressSchema,
  checkSite,
  FORM_LIMIT,
  type IdentityRouteOptions,
  ModeSchema,
  NewAddressSchema,
  PasswordSchema,
  signedInAnswer,
  TokenSchema,
} from './identity-answer.ts'
import { SessionAnswer } from './session-answer.ts'
import { provenKey } from './session-routes.ts'

const TAGS = ['accounts']
const Sent = Type.Object({ sent: Type.Literal(true, { description: 'Said for every address: whoever has it gets a letter.' }) })
const Verified = Type.Partial(Type.Object({ ...SessionAnswer.properties, verified: Type.Literal(true) }))
const Joined = Type.Partial(Type.Object({ ...SessionAnswer.properties, joined: Type.Literal(true) }))
const Chosen = { token: TokenSchema, password: Type.Optional(PasswordSchema), name: Type.Optional(PersonName), mode: Type.Optional(ModeSchema) }

/** Accounts of people: sign-up, links of letters, passwords, invitations, the first owner. */
export function accountRoutes(app: App, services: Services, options: IdentityRouteOptions): void {
  signUpRoutes(app, services, options)
  passwordRoutes(app, services, options)
  invitationRoutes(app, services, options)
  setupRoute(app, services, options)
}

function signUpRoutes(app: App, { identity, proofs, clock, sessions }: Services, options: IdentityRouteOptions): void {
  const { publicUrl } = options
  app.post(
    '/api/v1/auth/sign-up',
    {
      config: { access: 'public' },
      bodyLimit: FORM_LIMIT,
      schema: {
        summary: 'Sign up',
        description:
          'Sends a letter with a link, at which the password is chosen. The answer is the same for an address that has an account; the letter says so.',
        tags: TAGS,
        body: closed({ email: NewAddressSchema, name: Type.Optional(PersonName) }),
        response: { 202: Sent, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { email, name = null } = request.body
      await identity.accounts.signUp({ email, name }, visitorOf(request, 'cookie', publicUrl))
      return reply.code(202).send({ sent: true as const })
    },
  )
  app.post(
    '/api/v1/auth/verify-email',
    {
      config: { access: 'public' },
      bodyLimit: FORM_LIMIT,
      schema: {
        summary: 'Use the link of a letter',
        description:
          'After a sign-up: makes the account with `password` and signs in. For an account that exists: confirms its address, `{ "verified": true }`.',
        tags: TAGS,
        body: closed(Chosen),
        response: { 200: Verified, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { token, password = null, name = null, mode = 'cookie' } = request.body
      checkSite(request, mode, options)
      const key = mode === 'bearer' ? await provenKey(request, proofs, publicUrl) : null
      const signedIn = await identity.accounts.verify(token, { password, name, mode, key }, visitorOf(request, mode, publicUrl))
      return signedIn === null ? { verified: true as const } : signedInAnswer(reply, signedIn, { ...options, clock, sessions })
    },
  )
  app.post(
    '/api/v1/auth/verify-email/send',
    {
      config: { access: 'person', enrolling: true },
      schema: { summary: 'Send a letter to confirm your address', tags: TAGS, response: { 202: Sent, ...PROBLEMS } },
    },
    async (request, reply) => {
      await identity.accounts.sendVerification(personOf(request), visitorOf(request, 'cookie', publicUrl))
      return reply.code(202).send({ sent: true as const })
    },
  )
}

function passwordRoutes(app: App, { identity, clock, sessions }: Services, options: IdentityRouteOptions): void {
  const { publicUrl } = options
  app.post(
    '/api/v1/auth/password/forgot',
    {
      config: { access: 'public' },
      bodyLimit: FORM_LIMIT,
      schema: { summary: 'Ask for a new password', tags: TAGS, body: closed({ email: AddressSchema }), response: { 202: Sent, ...PROBLEMS } },
    },
    async (request, reply) => {
      await identity.accounts.forgot(request.body.email, visitorOf(request, 'cookie', publicUrl))
      return reply.code(202).send({ sent: true as const })
    },
  )
  app.post(
    '/api/v1/auth/password/reset',
    {
      config: { access: 'public' },
      bodyLimit: FORM_LIMIT,
      schema: {
        summary: 'Choose a new password by link',
        description: 'Ends every session of the person, and opens none: they sign in with the new password, and their second factor where they have one.',
        tags: TAGS,
        body: closed({ token: TokenSchema, password: PasswordSchema, mode: Type.Optional(ModeSchema) }),
        response: { 200: Type.Object({ changed: Type.Literal(true) }), ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { token, password, mode = 'cookie' } = request.body
      checkSite(request, mode, options)
      const { device } = await identity.accounts.reset(token, password, visitorOf(request, mode, publicUrl))
      giveDevice(reply, device, mode, publicUrl)
      return { changed: true as const }
    },
  )
  app.post(
    '/api/v1/auth/password',
    {
      config: { access: 'person', ownIdempotency: true },
      bodyLimit: FORM_LIMIT,
      schema: {
        summary: 'Change your password',
        description: 'With the old one as `current_password`, or after auth/reauthenticate. All your other sessions end; this one gets new credentials.',
        tags: TAGS,
        body: closed({ password: PasswordSchema, current_password: Type.Optional(PasswordSchema) }),
        response: { 200: SessionAnswer, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const person = personOf(request)
      const { mode } = person.session
      checkSite(request, mode, options)
      const { password, current_password: current = null } = request.body
      const signedIn = await identity.accounts.changePassword(person, { current, password }, visitorOf(request, mode, publicUrl))
      return signedInAnswer(reply, signedIn, { ...options, clock, sessions })
    },
  )
}

function invitationRoutes(app: App, { identity, proofs, clock, sessions }: Services, options: IdentityRouteOptions): void {
  const { publicUrl } = options
  app.post(
    '/api/v1/auth/invitations/look',
    {
      config: { access: 'public' },
      bodyLimit: FORM_LIMIT,
      schema: {
        summary: 'Read an invitation',
        description: 'Spends nothing. `known`: the address has an account, which joins without a new password.',
        tags: TAGS,
        body: closed({ token: TokenSchema }),
        response: { 200: Type.Object({ email: Type.String(), organization: Type.String(), role: RoleSchema, known: Type.Boolean() }), ...PROBLEMS },
      },
    },
    (request) => identity.joining.look(request.body.token, visitorOf(request, 'cookie', publicUrl)),
  )
  app.post(
    '/api/v1/auth/invitations/accept',
    {
      config: { access: 'public' },
      bodyLimit: FORM_LIMIT,
      schema: {
        summary: 'Accept an invitation',
        description: 'Somebody new chooses a password and is signed in. Somebody who has an account joins, `{ "joined": true }`, and signs in as ever.',
        tags: TAGS,
        body: closed(Chosen),
        response: { 200: Joined, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { token, password = null, name = null, mode = 'cookie' } = request.body
      checkSite(request, mode, options)
      const key = mode === 'bearer' ? await provenKey(request, proofs, publicUrl) : null
      const signedIn = await identity.joining.accept(token, { password, name, mode, key }, visitorOf(request, mode, publicUrl))
      return signedIn === null ? { joined: true as const } : signedInAnswer(reply, signedIn, { ...options, clock, sessions })
    },
  )
}

function setupRoute(app: App, { identity, proofs, clock, sessions }: Services, options: IdentityRouteOptions): void {
  const { publicUrl } = options
  app.post(
    '/api/v1/auth/setup',
    {
      config: { access: 'public' },
      bodyLimit: FORM_LIMIT,
      schema: {
        summary: 'Make the first owner',
        description: 'With the token that the server printed at its start, while there is nobody yet.',
        tags: TAGS,
        body: closed({
          token: TokenSchema,
          email: NewAddressSchema,
          password: PasswordSchema,
          name: Type.Optional(PersonName),
          mode: Type.Optional(ModeSchema),
        }),
        response: { 200: SessionAnswer, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { token, email, password, name = null, mode = 'cookie' } = request.body
      checkSite(request, mode, options)
      const key = mode === 'bearer' ? await provenKey(request, proofs, publicUrl) : null
      const signedIn = await identity.joining.setUp(token, { email, password, name }, { mode, key }, visitorOf(request, mode, publicUrl))
      return signedInAnswer(reply, signedIn, { ...options, clock, sessions })
    },
  )
}
