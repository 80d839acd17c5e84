import type { FastifyReply, FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'
import { type EnrolmentCredential, secretOfCode } from '../../core/agent/enrolment-service.ts'
import { Fault } from '../../core/fault/fault.ts'
import type { ExaminedProof } from '../../core/proof/dpop-proofs.ts'
import { SECOND } from '../../core/time.ts'
import { addressBucket, RateLimiter } from '../rate-limit.ts'
import { type App, closed, PROBLEMS } from '../schema.ts'
import type { Services } from '../services.ts'
import { SdkAnswer, sdkAnswer } from './sdk-answer.ts'
import { AttemptId, Custody, Hints, hintsOf, sdkProof } from './sdk-routes.ts'
import { callerFacts } from './session-routes.ts'

/** Codes have 256 bits: the limit is for the work that a made-up one costs. A thousand workloads behind one address may start at once. */
const ENROL_LIMIT = { perSecond: 20, capacity: 1_000 }
/** Each one is a row, and a code that somebody could be led to type. */
const DEVICE_LIMIT = { perSecond: 0.1, capacity: 20 }

const Name = Type.String({ minLength: 1, maxLength: 100, pattern: '^[^\\u0000-\\u001f\\u007f\\ud800-\\udfff]+$' })
const EnrolBody = closed({
  code: Type.Optional(Type.String({ minLength: 1, maxLength: 1_024, description: 'A one-time code.' })),
  device_code: Type.Optional(Type.String({ minLength: 1, maxLength: 128, description: 'Of `auth/sdk/device`.' })),
  workload_token: Type.Optional(Type.String({ minLength: 1, maxLength: 16_384, description: 'An identity token of the platform.' })),
  attempt_id: AttemptId,
  name: Type.Optional(Name),
  custody: Type.Optional(Custody),
  hints: Type.Optional(Hints),
})

interface EnrolRouteOptions {
  readonly publicUrl: string
}

/** How a machine comes in. docs/reference/sdk-protocol.md, "Enrolment". */
export function enrolRoutes(app: App, services: Services, options: EnrolRouteOptions): void {
  enrolRoute(app, services, options)
  deviceRoute(app, services, options)
}

function enrolRoute(app: App, services: Services, { publicUrl }: EnrolRouteOptions): void {
  const limit = new RateLimiter(ENROL_LIMIT, () => services.clock.mono())
  app.post(
    '/api/v1/agents/enroll',
    {
      config: { access: 'public' },
      schema: {
        summary: 'Enrol this machine',
        description: 'With one of `code`, `device_code` and `workload_token`, and a proof of the key that it made (RFC 9449) with `nonce` and `rth`.',
        tags: ['agents'],
        body: EnrolBody,
        response: { 200: SdkAnswer, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      admit(limit, request, services)
      reply.header('dpop-nonce', services.proofs.nonces.current())
      const credential = credentialOf(request.body)
      const proof = await services.proofs.examine({
        ...sdkProof(request, { publicUrl }),
        accessToken: null,
        boundTo: null,
        nonceRequired: true,
        credential: credential.door === 'workload' ? credential.token : credential.secret,
      })
      await spend(services, proof)
      const { attempt_id: attempt, name = null, custody = credential.door === 'workload' ? 'workload' : 'file', hints } = request.body
      const key = { thumbprint: proof.thumbprint, jwk: proof.jwk }
      return sdkAnswer(await services.enrolment.enrol(credential, { key, attempt, name, custody, hints: hintsOf(hints ?? {}), ...callerFacts(request) }))
    },
  )
}

/** @throws Fault `dpop_proof_invalid` */
async function spend({ proofs }: Pick<Services, 'proofs'>, proof: ExaminedProof): Promise<void> {
  if (await proofs.spend(proof)) return
  throw new Fault('dpop_proof_invalid', { field: 'DPoP', detail: 'The proof of possession was used before. Make a new one for each request.' })
}

function deviceRoute(app: App, services: Services, { publicUrl }: EnrolRouteOptions): void {
  const limit = new RateLimiter(DEVICE_LIMIT, () => services.clock.mono())
  app.post(
    '/api/v1/auth/sdk/device',
    {
      config: { access: 'public' },
      schema: {
        summary: 'Ask a person to enrol this machine',
        description: 'RFC 8628 section 3.2. Show `user_code` and `verification_uri`, and repeat `agents/enroll` with `device_code` every `interval` seconds.',
        tags: ['agents'],
        body: Type.Optional(closed({ name: Type.Optional(Name), hints: Type.Optional(Hints) })),
        response: {
          200: Type.Object({
            device_code: Type.String(),
            user_code: Type.String(),
            verification_uri: Type.String(),
            verification_uri_complete: Type.String(),
            expires_in: Type.Integer(),
            interval: Type.Integer(),
          }),
          ...PROBLEMS,
        },
      },
    },
    async (request, reply) => {
      admit(limit, request, services)
      noStore(reply)
      const { name = null, hints } = request.body ?? {}
      const asked = await services.devices.ask({ name, hints: hintsOf(hints ?? {}), address: request.ip })
      return {
        device_code: asked.deviceCode,
        user_code: asked.userCode,
        verification_uri: `${publicUrl}/device`,
        verification_uri_complete: `${publicUrl}/device?user_code=${asked.userCode}`,
        expires_in: asked.expiresInMs / SECOND,
        interval: asked.intervalMs / SECOND,
      }
    },
  )
}

function admit(limit: RateLimiter, request: FastifyRequest, { clock }: Pick<Services, 'clock'>): void {
  const waitMs = limit.take(addressBucket(request.ip))
  if (waitMs > 0)
    throw new Fault('rate_limited', { detail: 'Too many requests to enrol from this address. Wait for Retry-After.', retryAt: clock.wall() + waitMs })
}

function noStore(reply: FastifyReply): void {
  reply.header('cache-control', 'no-store')
}

/** @throws Fault `invalid_request` unless exactly one is sent; `enrolment_code_invalid` for a code that cannot be ours */
function credentialOf({ code, device_code: device, workload_token: token }: Static<typeof EnrolBody>): EnrolmentCredential {
  const sent = [code, device, token].filter((one) => one !== undefined)
  if (sent.length !== 1) throw new Fault('invalid_request', { field: '/code', detail: 'Send exactly one of `code`, `device_code` and `workload_token`.' })
  if (token !== undefined) return { door: 'workload', token }
  if (device !== undefined) return { door: 'device', secret: device }
  // A text that is none is looked for like one that is: the answers do not differ.
  return { door: 'code', secret: secretOfCode(code ?? '') ?? code ?? '' }
}
