import { fileURLToPath } from 'node:url'
import { startNode } from './child-process.ts'
import { JsonClient } from './http.ts'

const MAIN = fileURLToPath(new URL('oidc-server.ts', import.meta.url))

export const OIDC_CLIENT = { clientId: 'evergrant-e2e', clientSecret: 'evergrant-e2e-secret' } as const

interface OidcGrant {
  readonly id: string
  readonly account: string
  readonly exchanges: number
  readonly refreshes: number
  /** `control`: this lab did it. `server`: the server did, because of a reuse or a revocation request. */
  readonly revokedBy: 'control' | 'server' | null
}

interface OidcState {
  readonly tokenRequests: number
  readonly granted: number
  readonly refused: number
  readonly grants: readonly OidcGrant[]
}

/** npm `oidc-provider` in a process of its own: PKCE demanded, refresh tokens always rotated, a reuse revokes the grant. */
export interface OidcProcess {
  readonly issuer: string
  readonly state: () => Promise<OidcState>
  /** Takes a grant back at the server. False when there is none of that id. */
  readonly revoke: (grantId: string) => Promise<boolean>
  readonly output: () => string
  readonly stop: () => Promise<void>
}

export async function startOidcProcess(options: {
  readonly redirectUris: readonly string[]
  readonly accessSeconds?: number
  readonly port?: number
}): Promise<OidcProcess> {
  const running = startNode({ args: [MAIN, JSON.stringify(options)] })
  const { issuer } = await running.firstJsonLine()
  if (typeof issuer !== 'string') throw new Error(`the OIDC server did not say where it is:\n${running.output()}`)
  const control = new JsonClient(`${issuer}/control`)
  return {
    issuer,
    state: async () => (await control.get('/state')).body as OidcState,
    revoke: async (grantId) => (await control.post(`/revoke/${encodeURIComponent(grantId)}`)).status === 200,
    output: running.output,
    stop: async () => void (await running.stop()),
  }
}
