import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { KEY_CUSTODIES, type KeyCustody, type MachineHints } from '../../core/agent/installation.ts'
import { ATTEMPT_PATTERN } from '../../core/agent/sdk-refresh-token.ts'
import { isPending, POLL_SECONDS, type SdkProof, type SdkRequest } from '../../core/agent/sdk-service.ts'
import { Fault } from '../../core/fault/fault.ts'
import { proofsOf } from '../authentication.ts'
import { iso } from '../connection-view.ts'
import { addressBucket, RateLimiter } from '../rate-limit.ts'
import { type App, closed, PROBLEMS, Time } from '../schema.ts'
import type { Services } from '../services.ts'
import { SdkAnswer, sdkAnswer } from './sdk-answer.ts'
import { callerFacts } from './session-routes.ts'

interface SdkRouteOptions {
  readonly publicUrl: string
}

/** A thousand machines behind one address may heal at once; a flood of signatures may not keep a node busy. */
const PER_ADDRESS = { perSecond: 100, capacity: 4_000 }
/** Of one token, from one address: whoever only copied it cannot use up its owner's turns. */
const PER_TOKEN = { perSecond: 1, capacity: 30 }
const TAGS = ['installations']

const HintText = Type.String({ minLength: 1, maxLength: 128, pattern: '^[^\\u0000-\\u001f\\u007f\\ud800-\\udfff]+$' })

/** What a machine says about itself: for people, and never a reason to let it in. */
export const Hints = closed({
  host: Type.Optional(HintText),
  machine: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9_-]{43}$', description: 'SHA-256 of the machine id with a salt of yours, base64url.' })),
  platform: Type.Optional(HintText),
  sdk: Type.Optional(HintText),
})

export const AttemptId = Type.String({
  pattern: ATTEMPT_PATTERN,
  description: '16 random bytes, base64url, made before the request is sent. The same attempt gets the same bytes, however often it is sent.',
})

export const Custody = Type.Unsafe<KeyCustody>({ type: 'string', enum: [...KEY_CUSTODIES], description: 'Where the private key lives.' })

const Token = Type.String({ minLength: 1, maxLength: 512, description: 'The refresh token, `egs_1...`.' })
const common = {
  attempt_id: AttemptId,
  next_key_proof: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 4_096,
      description: 'A proof like the header, by a new key: from the answer on it is the key of the installation.',
    }),
  ),
  custody: Type.Optional(Custody),
  hints: Type.Optional(Hints),
}

const Waiting = Type.Object(
  {
    approval: Type.Object({ id: Type.String(), status: Type.String(), why: Type.String({ description: '`mode`, `offline` or `breaker`.' }), expires_at: Time }),
    retry_after: Type.Integer({ description: 'Seconds. Send the same attempt again then.' }),
  },
  { description: 'A person decides.' },
)

/** Credentials of installations: refresh, recovery, end. docs/reference/sdk-protocol.md. */
export function sdkRoutes(app: App, services: Services, options: SdkRouteOptions): void {
  const admit = admission(services)
  // Every answer brings a nonce that is good for minutes: the next request needs no second round.
  app.addHook('onRequest', (_request, reply, done) => {
    reply.header('dpop-nonce', services.proofs.nonces.current())
    done()
  })
  refreshRoute(app, services, options, admit)
  recoverRoute(app, services, options, admit)
  revokeRoute(app, services, options, admit)
}

/** Before anything is looked at. @throws Fault `rate_limited` */
type Admit = (request: FastifyRequest, credential: string) => void

function admission({ clock }: Services): Admit {
  const perAddress = new RateLimiter(PER_ADDRESS, () => clock.mono())
  const perToken = new RateLimiter(PER_TOKEN, () => clock.mono())
  return (request, credential) => {
    const address = addressBucket(request.ip)
    const waitMs = perAddress.take(address) || perToken.take(`${address} ${credential}`)
    if (waitMs === 0) return
    throw new Fault('rate_limited', { detail: 'Too many requests with credentials of installations. Wait for Retry-After.', retryAt: clock.wall() + waitMs })
  }
}

function refreshRoute(app: App, services: Services, options: SdkRouteOptions, admit: Admit): void {
  app.post(
    '/api/v1/auth/sdk/refresh',
    {
      config: { access: 'public' },
      schema: {
        summary: 'Refresh the credentials of an installation',
        description: 'Needs a `DPoP` proof with `nonce` and `rth`. The same attempt gets the same bytes, so it may be sent again.',
        tags: TAGS,
        body: closed({ refresh_token: Token, ...common, bound: Type.Optional(Type.Boolean({ description: 'False: a bearer access token.' })) }),
        response: { 200: SdkAnswer, ...PROBLEMS },
      },
    },
    async (request) => {
      const { refresh_token: token, bound = true } = request.body
      admit(request, token)
      return sdkAnswer(await services.sdk.refresh(sdkRequest(request, token, request.body, { bound, ...options })))
    },
  )
}

function recoverRoute(app: App, services: Services, options: SdkRouteOptions, admit: Admit): void {
  app.post(
    '/api/v1/auth/sdk/recover',
    {
      config: { access: 'public' },
      schema: {
        summary: 'Recover the credentials of an installation',
        description:
          'For a token that is over by time, or was rotated by an operator. A token alone recovers nothing: the proof must be by the key of the installation.',
        tags: TAGS,
        body: closed({ old_refresh_token: Token, ...common }),
        response: { 200: SdkAnswer, 202: Waiting, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { old_refresh_token: token } = request.body
      admit(request, token)
      const answer = await services.sdk.recover(sdkRequest(request, token, request.body, { bound: true, ...options }))
      if (!isPending(answer)) return sdkAnswer(answer)
      reply.code(202).header('retry-after', String(POLL_SECONDS))
      const { approval, why } = answer
      return { approval: { id: approval.id, status: 'pending', why, expires_at: iso(approval.expiresAt) }, retry_after: POLL_SECONDS }
    },
  )
}

function revokeRoute(app: App, services: Services, options: SdkRouteOptions, admit: Admit): void {
  app.post(
    '/api/v1/auth/sdk/revoke',
    {
      config: { access: 'public' },
      schema: {
        summary: 'End an installation',
        description: 'Signs the machine out on the server. 200 also when it was over already.',
        tags: TAGS,
        body: closed({ refresh_token: Token }),
        response: { 200: Type.Object({ revoked: Type.Literal(true) }), ...PROBLEMS },
      },
    },
    async (request) => {
      const { refresh_token: token } = request.body
      admit(request, token)
      await services.sdk.revoke({ proof: sdkProof(request, options), token, ...callerFacts(request), requestId: request.id })
      return { revoked: true as const }
    },
  )
}

interface SdkBody {
  readonly attempt_id: string
  readonly next_key_proof?: string
  readonly custody?: KeyCustody
  readonly hints?: Readonly<Partial<Record<keyof MachineHints, string>>>
}

function sdkRequest(request: FastifyRequest, token: string, body: SdkBody, { bound, publicUrl }: SdkRouteOptions & { readonly bound: boolean }): SdkRequest {
  return {
    proof: sdkProof(request, { publicUrl }),
    token,
    attempt: body.attempt_id,
    nextKeyProof: body.next_key_proof ?? null,
    custody: body.custody ?? null,
    bound,
    hints: body.hints === undefined ? null : hintsOf(body.hints),
    ...callerFacts(request),
    requestId: request.id,
  }
}

/** The proof that a request without an access token carries. */
export function sdkProof(request: FastifyRequest, { publicUrl }: SdkRouteOptions): SdkProof {
  return { headers: proofsOf(request), method: request.method, url: publicUrl + request.url }
}

export function hintsOf({ host, machine, platform, sdk }: NonNullable<SdkBody['hints']>): MachineHints {
  return { host: host ?? null, machine: machine ?? null, platform: platform ?? null, sdk: sdk ?? null }
}
