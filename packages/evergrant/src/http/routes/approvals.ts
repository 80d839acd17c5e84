import { Type } from 'typebox'
import type { Approval } from '../../core/agent/approvals.ts'
import { type ApprovalId, idPattern } from '../../core/ids.ts'
import { agentCallerOf } from '../agent-caller.ts'
import { callerOf } from '../authentication.ts'
import { iso, isoOrNull } from '../connection-view.ts'
import { requireRecent } from '../governing.ts'
import { idPage, pageAnswer } from '../id-page.ts'
import { JsonObjectSchema } from '../input.ts'
import { type App, closed, nullable, PageQuery, PROBLEMS, pageOf, Time } from '../schema.ts'
import type { Services } from '../services.ts'

const TAGS = ['approvals']
const Params = closed({ id: Type.Unsafe<ApprovalId>({ type: 'string', pattern: idPattern('apr') }) })
const Status = Type.Unsafe<Approval['status']>({ type: 'string', enum: ['pending', 'approved', 'denied', 'used'] })
const ApprovalView = Type.Object({
  id: Type.String(),
  kind: Type.String({ description: '`recovery`: a machine wants a new token. `use`: a program wants a sensitive connection.' }),
  status: Type.String(),
  agent: Type.String(),
  installation: Type.String(),
  connection: nullable(Type.String()),
  shown: JsonObjectSchema,
  asked_at: Time,
  decided_at: nullable(Time),
  decided_by: nullable(Type.Object({ kind: Type.String(), id: nullable(Type.String()) })),
  expires_at: Type.String({ description: 'A pending one is over then; an approved one holds until then.' }),
})

function approvalView(approval: Approval) {
  return {
    id: approval.id,
    kind: approval.kind,
    status: approval.status,
    agent: approval.agent,
    installation: approval.installation,
    connection: approval.connection,
    shown: approval.shown,
    asked_at: iso(approval.askedAt),
    decided_at: isoOrNull(approval.decidedAt),
    decided_by: approval.decidedBy,
    expires_at: iso(approval.expiresAt),
  }
}

/** What waits for a person. */
export function approvalRoutes(app: App, { approvals, clock }: Services): void {
  app.get(
    '/api/v1/approvals',
    {
      config: { access: 'agents:read', own: true },
      schema: {
        summary: 'List approvals',
        description: 'Newest first. Recoveries and uses of sensitive connections that wait for a person, and those that did.',
        tags: TAGS,
        querystring: closed({ ...PageQuery, status: Type.Optional(Status) }),
        response: { 200: pageOf(ApprovalView), ...PROBLEMS },
      },
    },
    async (request) => {
      const page = idPage<ApprovalId>(request.query, idPattern('apr'))
      const { status } = request.query
      const filter = { ...page, ...(status === undefined ? {} : { status }) }
      return pageAnswer(await approvals.list(agentCallerOf(callerOf(request)), filter), page, approvalView)
    },
  )
  app.get(
    '/api/v1/approvals/:id',
    {
      config: { access: 'agents:read', own: true },
      schema: { summary: 'Read an approval', tags: TAGS, params: Params, response: { 200: ApprovalView, ...PROBLEMS } },
    },
    async (request) => approvalView(await approvals.get(agentCallerOf(callerOf(request)), request.params.id)),
  )
  app.post(
    '/api/v1/approvals/:id/approve',
    {
      config: { access: 'agents:write', own: true },
      schema: {
        summary: 'Approve',
        description: 'The machine goes on when it asks again. A use is approved for as long as the policy of the agent says.',
        tags: TAGS,
        params: Params,
        response: { 200: ApprovalView, ...PROBLEMS },
      },
    },
    async (request) => {
      const caller = callerOf(request)
      requireRecent(caller, clock)
      return approvalView(await approvals.decide(agentCallerOf(caller), request.params.id, 'approved'))
    },
  )
  app.post(
    '/api/v1/approvals/:id/deny',
    { config: { access: 'agents:write', own: true }, schema: { summary: 'Deny', tags: TAGS, params: Params, response: { 200: ApprovalView, ...PROBLEMS } } },
    async (request) => approvalView(await approvals.decide(agentCallerOf(callerOf(request)), request.params.id, 'denied')),
  )
}
