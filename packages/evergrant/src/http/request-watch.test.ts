import { expect, test } from 'vitest'
import { requestWatch } from '../compose-watched-node.ts'
import { createMeters } from '../observability/meters.ts'
import { Scopes } from '../observability/scopes.ts'
import { createApiLab } from '../testing/api-lab.ts'

test('whatever runs for a request knows its id, also after its body was read and after a wait, and two at once are told apart', async () => {
  const scopes = new Scopes()
  const meters = createMeters()
  const seen: (string | undefined)[] = []
  const lab = await createApiLab({
    app: {
      watch: requestWatch(meters, scopes, null),
      routes: [
        (app) =>
          void app.post('/canary/:id', { config: { access: 'public' } }, async () => {
            seen.push(scopes.facts().request)
            await new Promise((resolve) => setImmediate(resolve))
            return { request: scopes.facts().request ?? null }
          }),
      ],
    },
  })
  const ask = (id: string) => lab.call('POST', '/canary/1', { body: { large: 'x'.repeat(10_000) }, headers: { 'request-id': id } })
  const answers = await Promise.all([ask('first'), ask('second')])
  expect(answers.map(({ json }) => json.request)).toEqual(['first', 'second'])
  expect(seen.toSorted()).toEqual(['first', 'second'])
  expect(scopes.facts()).toEqual({})
  await lab.call('GET', '/no/such/path/con_secret', { key: null })
  const text = await meters.text()
  expect(text).toContain('evergrant_http_request_seconds_count{area="canary",status="2xx"} 2')
  expect(text).toContain('evergrant_http_request_seconds_count{area="other",status="4xx"} 1')
  expect(text).not.toContain('con_secret')
}, 60_000)
