import { expect, test } from 'vitest'
import { createEngineLab } from '../../testing/engine-lab.ts'
import type { TokenEndpoint } from '../provider/wire.ts'

/** What the refresh of a lab sends. */
async function sentWith(redirectUri: boolean): Promise<URLSearchParams> {
  const bodies: (string | null)[] = []
  const seen = (endpoint: TokenEndpoint): TokenEndpoint => ({
    open: async (url, options) => {
      const line = await endpoint.open(url, options)
      return {
        send: (request, deadlineMs) => {
          bodies.push(request.body)
          return line.send(request, deadlineMs)
        },
        close: () => line.close(),
      }
    },
  })
  const lab = await createEngineLab({
    record: { token: { url: 'https://provider.example/token', refresh: { redirectUri } } },
    ports: ({ endpoint }) => ({ endpoint: seen(endpoint), redirectUriOf: ({ slug }) => `https://evergrant.example/connect/callback/${slug}` }),
  })
  await lab.engine.refresh(lab.organization, lab.connection)
  return new URLSearchParams(bodies[0] ?? '')
}

test("a refresh repeats its integration's redirect URI where the record says so, and nowhere else", async () => {
  expect((await sentWith(true)).get('redirect_uri')).toBe('https://evergrant.example/connect/callback/scripted')
  expect((await sentWith(false)).has('redirect_uri')).toBe(false)
})
