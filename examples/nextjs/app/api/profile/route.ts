// GET /api/profile: what the provider says of the person who is signed in. A route handler takes a Request and gives a Response.
import { EvergrantError } from '@evergrant/sdk'
import { withSession } from '@evergrant/sdk/next'
import { evergrant } from '../../../lib/evergrant.ts'

export function GET(request: Request, context: unknown): Promise<Response> {
  const { authenticator, client, integration, apiBase } = evergrant()
  const handler = withSession(authenticator, async (_request, session) => {
    try {
      const token = await client.tokens.byOwner(integration, session.owner)
      const answer = await fetch(`${apiBase}/me`, { headers: { authorization: `Bearer ${token.access_token}` } })
      return Response.json({ profile: await answer.json() }, { status: answer.ok ? 200 : 502 })
    } catch (error) {
      if (!(error instanceof EvergrantError)) throw error
      const { code, action, message, reconnectUrl } = error
      return Response.json({ code, action, message, reconnect_url: reconnectUrl }, { status: statusOf(error) })
    }
  })
  return handler(request, context)
}

/** Somebody who has connected nothing yet is no trouble: 404, and the page offers to connect. 409 comes with the link that repairs; everything else passes. */
function statusOf({ needsReauth, code }: EvergrantError): number {
  if (needsReauth) return 409
  return code === 'not_found' ? 404 : 503
}
