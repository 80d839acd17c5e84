// Made once for the server, on the first request: the authenticator keeps the public keys of Evergrant.
import { createClient, type EvergrantClient } from '@evergrant/sdk'
import { type Authenticator, createAuthenticator } from '@evergrant/sdk/node'

interface Evergrant {
  readonly authenticator: Authenticator
  readonly client: EvergrantClient
  readonly integration: string
  readonly apiBase: string
}

let made: Evergrant | undefined

export function evergrant(): Evergrant {
  if (made === undefined) {
    const { EVERGRANT_URL = 'http://localhost:4400', EVERGRANT_API_KEY = '', INTEGRATION = 'practice', PROVIDER_API = 'http://localhost:4401/p4' } = process.env
    made = {
      authenticator: createAuthenticator({ issuer: EVERGRANT_URL }),
      client: createClient({ url: EVERGRANT_URL, apiKey: EVERGRANT_API_KEY }),
      integration: INTEGRATION,
      apiBase: PROVIDER_API,
    }
  }
  return made
}
