import { expect, test } from 'vitest'
import { catalogue } from '../../providers/index.ts'
import type { PageRequest } from '../connection/connections.ts'
import { DEFAULT_SETTINGS, type Integration } from '../connection/integration.ts'
import { isMachineGrant } from '../provider/grant-kind.ts'
import { choicesFor } from './choices.ts'
import type { ConnectPorts } from './connect-ports.ts'

const REQUEST = { organization: 'org_1', returnUrl: null, scopes: null, variables: {} } as const
const machine = catalogue.find(({ grant }) => isMachineGrant(grant))?.id ?? ''

const integrationOf = (provider: string, index: number): Integration =>
  ({ id: `int_${index}`, slug: `i-${index}`, name: `${index}`.padStart(4, '0'), provider, settings: DEFAULT_SETTINGS }) as Integration

function portsWith(made: readonly Integration[]): ConnectPorts {
  const list = async (_organization: string, { limit, cursor }: PageRequest) => {
    const from = Number(cursor ?? 0)
    return { items: made.slice(from, from + limit), cursor: from + limit < made.length ? String(from + limit) : null }
  }
  return { integrations: { list }, providers: { get: (id: string) => catalogue.find((record) => record.id === id) } } as unknown as ConnectPorts
}

test('what a person can connect is offered, however many integrations before it ask nobody', async () => {
  const machines = Array.from({ length: 250 }, (_, index) => integrationOf(machine, index))
  const offered = await choicesFor(REQUEST, portsWith([...machines, integrationOf('github', 250)]))
  expect(offered.map(({ slug }) => slug)).toEqual(['i-250'])
  await expect(choicesFor(REQUEST, portsWith(machines))).rejects.toMatchObject({ code: 'invalid_request' })
})

test('a page offers a hundred at most', async () => {
  const many = Array.from({ length: 250 }, (_, index) => integrationOf('github', index))
  expect(await choicesFor(REQUEST, portsWith(many))).toHaveLength(100)
})
