import { Type } from 'typebox'
import type { Enrolment } from '../../core/agent/enrolments.ts'
import type { WorkloadIssuer } from '../../core/agent/workload-issuers.ts'
import { type EnrolmentId, idPattern, type WorkloadIssuerId } from '../../core/ids.ts'
import { MINUTE, SECOND } from '../../core/time.ts'
import { agentCallerOf } from '../agent-caller.ts'
import { callerOf } from '../authentication.ts'
import { iso } from '../connection-view.ts'
import { requireRecent } from '../governing.ts'
import { AgentIdSchema, type App, closed, LINE, nullable, PROBLEMS, Time } from '../schema.ts'
import type { Services } from '../services.ts'

const TAGS = ['agents']
const Params = closed({ id: AgentIdSchema })
const READ = { access: 'agents:read' as const, own: true as const }
const WRITE = { access: 'agents:write' as const, own: true as const }
const Name = Type.String({ minLength: 1, maxLength: 100, pattern: '^[^\\u0000-\\u001f\\u007f\\ud800-\\udfff]+$' })

const CodeView = Type.Object({
  id: Type.String(),
  name: nullable(Type.String({ description: 'Of the installation to be.' })),
  created_at: Time,
  expires_at: Time,
  created_by: Type.Object({ kind: Type.String(), id: nullable(Type.String()) }),
})
const CodeParams = closed({ id: AgentIdSchema, code: Type.Unsafe<EnrolmentId>({ type: 'string', pattern: idPattern('enr') }) })

/** How machines become installations of an agent: one-time codes, and identities that their platform gives them. */
export function agentEnrolmentRoutes(app: App, services: Services): void {
  codeRoutes(app, services)
  workloadRoutes(app, services)
}

function codeView({ id, name, createdAt, expiresAt, createdBy }: Enrolment) {
  return { id, name, created_at: iso(createdAt), expires_at: iso(expiresAt), created_by: createdBy }
}

function codeRoutes(app: App, { enrolment, clock }: Services): void {
  app.post(
    '/api/v1/agents/:id/enrolment-codes',
    {
      config: WRITE,
      schema: {
        summary: 'Make an enrolment code',
        description: 'Enrols one machine, once. The code is shown in this answer alone: npx @evergrant/sdk enroll <code>.',
        tags: TAGS,
        params: Params,
        body: Type.Optional(
          closed({
            name: Type.Optional(Name),
            expires_in: Type.Optional(Type.Integer({ minimum: 600, maximum: 3_600, default: 3_600, description: 'Seconds; ten minutes to an hour.' })),
          }),
        ),
        response: { 201: Type.Object({ ...CodeView.properties, code: Type.String({ description: 'Shown once.' }) }), ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request)
      requireRecent(caller, clock)
      const { name = null, expires_in: seconds = 3_600 } = request.body ?? {}
      const { enrolment: made, code } = await enrolment.createCode(agentCallerOf(caller), request.params.id, { name, lifeMs: seconds * SECOND })
      return reply.code(201).send({ ...codeView(made), code })
    },
  )
  app.get(
    '/api/v1/agents/:id/enrolment-codes',
    {
      config: READ,
      schema: {
        summary: 'List enrolment codes that may still be used',
        tags: TAGS,
        params: Params,
        response: { 200: Type.Object({ items: Type.Array(CodeView), cursor: Type.Null() }), ...PROBLEMS },
      },
    },
    async (request) => ({ items: (await enrolment.codes(agentCallerOf(callerOf(request)), request.params.id)).map(codeView), cursor: null }),
  )
  app.delete(
    '/api/v1/agents/:id/enrolment-codes/:code',
    { config: WRITE, schema: { summary: 'Withdraw an enrolment code', tags: TAGS, params: CodeParams, response: { 204: Type.Null(), ...PROBLEMS } } },
    async (request, reply) => {
      await enrolment.withdraw(agentCallerOf(callerOf(request)), request.params.id, request.params.code)
      return reply.code(204).send()
    },
  )
}

/** An address on one line, see {@link LINE}. */
const ISSUER = '^https?://[^\\s?#\\u0000-\\u001f\\u007f\\ud800-\\udfff]+$'
const Conditions = Type.Array(
  closed({
    claim: Type.String({ minLength: 1, maxLength: 100, pattern: '^[\\u0021-\\u007e]+$' }),
    value: Type.String({ minLength: 2, maxLength: 500, pattern: LINE, description: 'The text itself, or what it begins with: `repo:acme/*`.' }),
  }),
  { minItems: 1, maxItems: 20, description: 'All of them have to hold. Without any, everybody at that platform would be let in.' },
)
const WorkloadView = Type.Object({
  id: Type.String(),
  name: Type.String(),
  issuer: Type.String(),
  audience: Type.String({ description: 'What the program asks its platform for as `aud`.' }),
  conditions: Conditions,
  installation_seconds: Type.Integer(),
  created_at: Time,
})
const WorkloadParams = closed({ id: AgentIdSchema, workload: Type.Unsafe<WorkloadIssuerId>({ type: 'string', pattern: idPattern('wli') }) })

function workloadView({ id, name, issuer, audience, conditions, installationLifeMs, createdAt }: WorkloadIssuer) {
  return { id, name, issuer, audience, conditions, installation_seconds: Math.round(installationLifeMs / SECOND), created_at: iso(createdAt) }
}

function workloadRoutes(app: App, { workloads, clock }: Services): void {
  app.post(
    '/api/v1/agents/:id/workloads',
    {
      config: WRITE,
      schema: {
        summary: 'Trust a workload identity',
        description:
          'Programs of a platform (GitHub Actions, Kubernetes, a cloud) enrol with its identity token, without any secret. Such an installation ends by itself.',
        tags: TAGS,
        params: Params,
        body: closed({
          name: Name,
          issuer: Type.String({ minLength: 8, maxLength: 500, pattern: ISSUER, description: '`iss` of its tokens, whole.' }),
          audience: Type.Optional(
            Type.String({ minLength: 1, maxLength: 500, pattern: LINE, description: 'By default one of your own: this server and the organization.' }),
          ),
          conditions: Conditions,
          installation_seconds: Type.Optional(
            Type.Integer({ minimum: 300, maximum: 604_800, default: 3_600, description: 'Until the absolute end of an installation.' }),
          ),
        }),
        response: { 201: WorkloadView, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request)
      requireRecent(caller, clock)
      const { name, issuer, audience = null, conditions, installation_seconds: seconds = (60 * MINUTE) / SECOND } = request.body
      const wanted = { name, issuer, audience, conditions, installationLifeMs: seconds * SECOND }
      return reply.code(201).send(workloadView(await workloads.create(agentCallerOf(caller), request.params.id, wanted)))
    },
  )
  app.get(
    '/api/v1/agents/:id/workloads',
    {
      config: READ,
      schema: {
        summary: 'List the workload identities that an agent trusts',
        tags: TAGS,
        params: Params,
        response: { 200: Type.Object({ items: Type.Array(WorkloadView), cursor: Type.Null() }), ...PROBLEMS },
      },
    },
    async (request) => ({ items: (await workloads.list(agentCallerOf(callerOf(request)), request.params.id)).map(workloadView), cursor: null }),
  )
  app.delete(
    '/api/v1/agents/:id/workloads/:workload',
    {
      config: WRITE,
      schema: {
        summary: 'Stop trusting a workload identity',
        description: 'What came by it goes on until its own end.',
        tags: TAGS,
        params: WorkloadParams,
        response: { 204: Type.Null(), ...PROBLEMS },
      },
    },
    async (request, reply) => {
      await workloads.remove(agentCallerOf(callerOf(request)), request.params.id, request.params.workload)
      return reply.code(204).send()
    },
  )
}
