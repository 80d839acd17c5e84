import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ConnectionId, IntegrationId } from '../ids.ts'
import type { Role } from '../user/user.ts'
import { type AgentPolicy, type ConnectionSelector, NEW_POLICY, NEW_POLICY_RECORD } from './agent.ts'
import { accessOf, reachOf, rulePolicy, type SelectableConnection, selects } from './agent-policy.ts'
import type { AgentStanding } from './agents.ts'

const CONNECTION: SelectableConnection = { id: 'con_1', owner: 'ana', integration: 'int_1', tags: ['weather', 'daily'] }

function standing(policy: Partial<AgentPolicy>, ownerRole: Role | null = 'admin', ownerName = 'ana'): AgentStanding {
  const agent = { policy: { ...NEW_POLICY, access: ['token', 'proxy'], ...policy }, policyRecord: NEW_POLICY_RECORD, owner: 'usr_1' }
  return { agent: agent as unknown as AgentStanding['agent'], ownerActive: ownerRole !== null, ownerRole, ownerName }
}

test.each<[Role | null, string | null, boolean]>([
  ['admin', 'usr_1', true],
  ['operator', 'usr_1', false],
  ['member', 'usr_1', false],
  [null, 'usr_1', false],
  ['member', 'usr_2', true],
  ['member', null, true],
])('an agent of somebody who is %s now, whose tokens %s gave, reads them: %s', (role, giver, expected) => {
  const { agent, ...rest } = standing({}, role)
  const tokenBy = giver === null ? null : { kind: 'user' as const, id: giver }
  expect(accessOf({ ...rest, agent: { ...agent, policyRecord: { tokenBy, approval: [] } } }).includes('token')).toBe(expected)
})

test('a new agent is given nothing', () => {
  expect(rulePolicy(standing({ connections: NEW_POLICY.connections }), CONNECTION, { access: 'look' })).toEqual({ kind: 'hidden' })
  expect(NEW_POLICY.access).not.toContain('token')
})

test.each<[ConnectionSelector, boolean]>([
  [{}, true],
  [{ connection: 'con_1' }, true],
  [{ connection: 'con_2' }, false],
  [{ owner: 'ana', tag: 'daily' }, true],
  [{ owner: 'ana', tag: 'sports' }, false],
  [{ owner: 'bo' }, false],
  [{ integration: 'int_1', tag: 'weather' }, true],
  [{ integration: 'int_2' }, false],
])('%j selects it: %s', (selector, expected) => {
  expect(selects([selector], CONNECTION)).toBe(expected)
})

test('a selector that says more never selects more', () => {
  const id = fc.constantFrom<ConnectionId>('con_1', 'con_2')
  const part = fc.record(
    {
      connection: id,
      owner: fc.constantFrom('ana', 'bo'),
      integration: fc.constantFrom<IntegrationId>('int_1', 'int_2'),
      tag: fc.constantFrom('weather', 'sports'),
    },
    { requiredKeys: [] },
  )
  const connection = fc.record({
    id,
    owner: fc.constantFrom('ana', 'bo'),
    integration: fc.constantFrom<IntegrationId>('int_1', 'int_2'),
    tags: fc.subarray(['weather', 'sports']),
  })
  let selected = 0
  fc.assert(
    fc.property(part, part, connection, (one, others, of) => {
      const saysMore = { ...others, ...one }
      if (!selects([saysMore], of)) return
      selected += 1
      expect(selects([one], of)).toBe(true)
    }),
    { numRuns: 1_000 },
  )
  expect(selected).toBeGreaterThan(10)
})

test('the owner bounds the agent: whatever the policy says, a member shares only their own, and a viewer or nobody nothing', () => {
  const selector = fc.record({ owner: fc.constantFrom('ana', 'bo'), tag: fc.constantFrom('weather', 'daily') }, { requiredKeys: [] })
  fc.assert(
    fc.property(fc.array(selector), fc.constantFrom('ana', 'bo'), (connections, owner) => {
      const of = { ...CONNECTION, owner }
      expect(selects(reachOf(standing({ connections }, 'member')), of)).toBe(owner === 'ana' && selects(connections, of))
      for (const role of ['viewer', null] as const) expect(reachOf(standing({ connections }, role))).toEqual([])
      for (const role of ['owner', 'admin', 'operator'] as const) expect(reachOf(standing({ connections }, role))).toEqual(connections)
    }),
  )
})

test('what is not selected is hidden before anything else is said', () => {
  const policy = { connections: [{ owner: 'bo' }], access: [], methods: [], approval: [{}] } as const
  for (const wanted of [{ access: 'token' }, { access: 'proxy', method: 'GET' }, { access: 'look' }] as const)
    expect(rulePolicy(standing(policy), CONNECTION, wanted)).toEqual({ kind: 'hidden' })
})

test('ways and methods that the policy does not name are refused in words that name both', () => {
  const policy = { connections: [{}], access: ['proxy'], methods: ['GET', 'HEAD'] } as const
  expect(rulePolicy(standing(policy), CONNECTION, { access: 'token' })).toEqual({
    kind: 'refused',
    detail: 'The policy of this agent lets it send requests through the proxy (`proxy`), and not read access tokens (`token`).',
  })
  expect(rulePolicy(standing(policy), CONNECTION, { access: 'proxy', method: 'POST' })).toEqual({
    kind: 'refused',
    detail: 'The policy of this agent lets GET, HEAD through the proxy, and not POST.',
  })
  expect(rulePolicy(standing(policy), CONNECTION, { access: 'proxy', method: 'HEAD' })).toEqual({ kind: 'allowed', approval: false })
})

test('approval is asked for a use, not for a look', () => {
  const policy = { connections: [{}], approval: [{ tag: 'weather' }] }
  expect(rulePolicy(standing(policy), CONNECTION, { access: 'token' })).toEqual({ kind: 'allowed', approval: true })
  expect(rulePolicy(standing(policy), CONNECTION, { access: 'look' })).toEqual({ kind: 'allowed', approval: false })
  expect(rulePolicy(standing(policy), { ...CONNECTION, tags: [] }, { access: 'token' })).toEqual({ kind: 'allowed', approval: false })
})
