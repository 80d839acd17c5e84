import { afterAll, beforeAll, expect, test } from 'vitest'
import { defineProvider } from '../../providers/define.ts'
import { createApiLab } from '../../testing/api-lab.ts'
import { type ConnectBench, startConnectBench } from '../../testing/connect-bench.ts'
import { api, Visitor } from '../../testing/connect-visitor.ts'

const RETURN_URL = 'https://app.example.com/connected'
const LOOPBACK = 'http://127\\.0\\.0\\.1:[0-9]+'
const realm = (path: string) => ({ realm: path })

/** Each region is a realm of the practice provider; the operator gives the server, the end user the region. */
const REGIONS = defineProvider({
  id: 'regions',
  name: 'Regions',
  variables: {
    server: { label: 'Server', pattern: LOOPBACK, example: 'http://127.0.0.1:1' },
    plan: { label: 'Plan', pattern: '[a-z]+', example: 'free', default: 'free', choices: { free: { label: 'Free' }, paid: { label: 'Paid' } } },
    region: {
      label: 'Your region',
      pattern: '[a-z]{2}',
      example: 'eu',
      askedOf: 'connection',
      choices: { eu: { label: 'Europe <b>', sets: realm('p4') }, us: { label: 'United States', sets: realm('p3') } },
    },
    realm: { label: 'Realm', pattern: 'p[0-9]', example: 'p4', askedOf: 'connection' },
  },
  authorize: { url: '{server}/{realm}/authorize', defaultScopes: ['notes:read'], parameters: { plan: '{plan}' } },
  token: { url: '{server}/{realm}/token', clientAuth: 'basic' },
})

let bench: ConnectBench
let key: string

beforeAll(async () => {
  bench = await startConnectBench({ records: [REGIONS] })
  const organization = await bench.organization('Acme Reports')
  key = organization.key
  await bench.integration(organization.id, 'regions', { provider: 'regions', scopes: ['notes:read'], variables: { server: bench.practice.url } })
})
afterAll(() => bench.close())

async function link(more: Record<string, unknown> = {}) {
  const answer = await api(bench, key, 'connect/sessions', { integration: 'regions', owner: 'o', return_url: RETURN_URL, ...more })
  return { answer, url: String(answer.body['url']) }
}

test('the connect page offers the choices, and the chosen one picks the hosts of the flow', async () => {
  const { url } = await link()
  const visitor = new Visitor(bench)
  const page = (await visitor.get(new URL(url).pathname)).body
  expect(page).toContain('<select id="variable-region" name="region" required>')
  expect(page).toContain('<option value="eu">Europe &lt;b&gt;</option>')
  expect(page).not.toContain('name="realm"')
  const started = new URL(await visitor.start(url, { region: 'us' }))
  expect([started.pathname, started.searchParams.get('plan')]).toEqual(['/p3/authorize', 'free'])
  expect((await visitor.get(new URL(url).pathname)).body).toContain('<option value="us" selected>')
})

test('what is no choice is refused with the choices, on the page and in the API', async () => {
  const { url } = await link()
  const wrong = await new Visitor(bench).post(new URL(url).pathname, { region: 'mars' })
  expect(wrong.status).toBe(400)
  expect(wrong.body).toContain('Your region must be one of: eu (Europe &lt;b&gt;), us (United States)')
  const { answer } = await link({ variables: { region: 'mars' } })
  expect(answer).toMatchObject({ status: 400, body: { field: '/variables/region' } })
  expect(String(answer.body['detail'])).toContain('us (United States)')
})

test('an integration takes no value that is no choice, and needs none of the names that a choice sets', async () => {
  const choices = { eu: { label: 'Europe', sets: { host: 'eu.example' } }, us: { label: 'us', sets: { host: 'us.example' } } }
  const text = { label: 'Text', pattern: '[a-z.]+', example: 'a' }
  const lab = await createApiLab({ record: { variables: { region: { ...text, choices }, host: text } } })
  const create = (variables: Record<string, string>) =>
    lab.call('POST', '/api/v1/integrations', { body: { provider: 'scripted', slug: 'mine', client_id: 'c', variables } })
  const wrong = await create({ region: 'mars' })
  expect(wrong.json).toMatchObject({ status: 400, field: '/variables/region', detail: '`region` must be one of: eu (Europe), us.' })
  expect((await create({})).json.detail).toBe('Scripted needs `region` (Text). Choose one of: eu, us.')
  expect((await create({ region: 'us' })).status).toBe(201)
})
