import { expect, test } from 'vitest'
import { catalogue } from '../../providers/index.ts'
import type { PageRequest } from '../connection/connections.ts'
import { DEFAULT_SETTINGS, type Integration } from '../connection/integration.ts'
import { AcceptedIssuers } from './accepted-issuers.ts'

const ORGANIZATION = 'org_1'
const SIGN_IN = { createUsers: false, role: 'member' } as const

/** An organization with so many integrations at GitHub, of which only the newest lets people in. */
function organizationWith(count: number) {
  const made = Array.from({ length: count }, (_, index) => {
    const settings = { ...DEFAULT_SETTINGS, signIn: index === count - 1 ? SIGN_IN : null }
    return { id: `int_${index}`, provider: 'github', variables: {}, settings } as unknown as Integration
  })
  const list = async (_organization: string, { limit, cursor }: PageRequest) => {
    const from = Number(cursor ?? 0)
    return { items: made.slice(from, from + limit), cursor: from + limit < made.length ? String(from + limit) : null }
  }
  const resolve = () => Promise.reject(new Error('nothing is discovered here'))
  return new AcceptedIssuers({ integrations: { list }, providers: { get: (id) => catalogue.find((record) => record.id === id), resolve } })
}

test.each([1, 200, 201, 450])('of %i integrations the newest one counts, too', async (count) => {
  const issuers = organizationWith(count)
  expect(await issuers.accepts(ORGANIZATION, 'provider:github')).toBe(true)
  expect(await issuers.accepts(ORGANIZATION, 'provider:gitlab')).toBe(false)
})
