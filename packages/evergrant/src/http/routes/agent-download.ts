import { Type } from 'typebox'
import { agentCallerOf } from '../agent-caller.ts'
import { callerOf } from '../authentication.ts'
import { iso } from '../connection-view.ts'
import { requireRecent } from '../governing.ts'
import { AgentIdSchema, type App, closed, PROBLEMS } from '../schema.ts'
import type { Services } from '../services.ts'

/** A ready project for one machine. */
export function agentDownloadRoutes(app: App, { downloads, clock }: Services): void {
  app.post(
    '/api/v1/agents/:id/download',
    {
      // An archive is no text that could be kept for an Idempotency-Key: whoever asks again gets another code.
      config: { access: 'agents:write', own: true, ownIdempotency: true },
      schema: {
        summary: 'Download a ready project',
        description:
          'A zip file (`application/zip`) with a program, the address of this server and a one-time code. Its first run enrols the machine. It holds no credential: after one use, or an hour, it is worth nothing.',
        tags: ['agents'],
        params: closed({ id: AgentIdSchema }),
        body: Type.Optional(
          closed({
            name: Type.Optional(
              Type.String({
                minLength: 1,
                maxLength: 100,
                pattern: '^[^\\u0000-\\u001f\\u007f\\ud800-\\udfff]+$',
                description: 'Of the installation to be; the name of its host by default.',
              }),
            ),
          }),
        ),
        response: { 200: { description: 'The zip file.', content: { 'application/zip': { schema: Type.String({ format: 'binary' }) } } }, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request)
      requireRecent(caller, clock)
      const { fileName, archive, expiresAt } = await downloads.create(agentCallerOf(caller), request.params.id, request.body?.name ?? null)
      return reply
        .type('application/zip')
        .header('content-disposition', `attachment; filename="${fileName}"`)
        .header('evergrant-code-expires-at', iso(expiresAt))
        .send(Buffer.from(archive))
    },
  )
}
