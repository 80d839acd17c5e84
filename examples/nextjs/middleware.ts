// Before any route below /api: whoever is not signed in is answered here, and no handler runs. Nothing is returned for the others, which is how Next goes on.
// (Next 16 calls this file `proxy.ts` and the function `proxy`.)
import { AuthenticationError } from '@evergrant/sdk/node'
import { evergrant } from './lib/evergrant.ts'

export const config = { matcher: '/api/:path*' }

export async function middleware(request: Request): Promise<Response | undefined> {
  try {
    await evergrant().authenticator.authenticate(request)
    return undefined
  } catch (error) {
    if (error instanceof AuthenticationError) return error.toResponse()
    throw error
  }
}
