import { beforeEach, expect, test, vi } from 'vitest'
import { createTokenSigner } from '../../seal/token-signer.ts'
import { openVolatileStore } from '../../store/memory/volatile-store.ts'
import { systemEntropy } from '../../system.ts'
import { createManualTime, type ManualTime } from '../../testing/manual-time.ts'
import { AGENT, installationRow, START, tokenRow } from '../../testing/sdk-games.ts'
import { testSeal } from '../../testing/seal.ts'
import { Fault } from '../fault/fault.ts'
import { SigningKeys } from '../session/signing-keys.ts'
import { HOUR, MINUTE, SECOND } from '../time.ts'
import { AgentTokens } from './agent-tokens.ts'
import { InstallationGuard, type InstallationShown } from './installation-guard.ts'
import type { InstallationStanding } from './installation-standing.ts'
import type { SeenMark } from './installations.ts'

const KEY = tokenRow().keyThumbprint
const SHOWN: InstallationShown = { key: KEY, address: '192.0.2.7' }
const ISSUER = 'https://evergrant.example'

let time: ManualTime
let tokens: AgentTokens
let guard: InstallationGuard
let stored: InstallationStanding | undefined
let asked: number
let down: boolean
let fresh: boolean
let marks: SeenMark[]
let slow: Promise<void> | null

beforeEach(async () => {
  time = createManualTime(START + HOUR)
  const { clock, timers } = time
  const store = openVolatileStore({ clock, timers })
  const organization = AGENT.organization
  await store.organizations.insert(
    { id: organization, name: 'Example', slug: 'example', createdAt: START },
    { id: 'evt_1', organization, type: 'organization.created', at: START, actor: { kind: 'system', id: null }, connection: null, subject: null, data: {} },
  )
  const log = { info: () => {}, warn: () => {}, error: () => {} }
  const signer = createTokenSigner()
  const keys = new SigningKeys({
    clock,
    entropy: systemEntropy,
    seal: testSeal(),
    log,
    store: store.signingKeys,
    signer,
    changesFresh: () => true,
    organization,
  })
  tokens = new AgentTokens({ signer, keys, clock, entropy: systemEntropy, issuer: ISSUER, audience: ISSUER })
  ;[asked, down, fresh, marks, slow] = [0, false, true, [], null]
  stored = { agent: AGENT, ownerActive: true, ownerRole: 'operator', ownerName: AGENT.owner, installation: installationRow() }
  guard = new InstallationGuard({
    tokens,
    clock,
    timers,
    changesFresh: () => fresh,
    withoutStoreMs: MINUTE,
    installations: {
      get: async () => {
        asked += 1
        if (down) throw new Fault('store_unavailable')
        const found = stored
        await slow
        return found
      },
      markSeen: async (seen) => {
        if (down) throw new Fault('store_unavailable')
        marks.push(...seen)
      },
    },
  })
})

const issue = async (bound = true, changes = {}, generation = 1): Promise<string> =>
  (await tokens.issue({ ...installationRow(), ...changes }, tokenRow({ generation, expiresAt: START + 1_000 * HOUR }), bound)).token

function become(changes: Partial<InstallationStanding>): void {
  if (stored !== undefined) stored = { ...stored, ...changes }
  guard.forgetInstallation(installationRow().id)
}

const said = (token: string, shown = SHOWN) =>
  guard.lookUp(token, shown).then(
    ({ installation }) => installation.id,
    (error: unknown) => (error instanceof Fault ? error.code : String(error)),
  )

test('a genuine token with a proof of its key lets the installation in, and memory answers from then on', async () => {
  const token = await issue()
  expect(guard.peek(token, SHOWN)).toBe('unknown')
  expect(await guard.lookUp(token, SHOWN)).toMatchObject({ bound: true, generation: 1, installation: { id: installationRow().id }, agent: { id: AGENT.id } })
  for (let count = 0; count < 100; count++) expect(guard.peek(token, SHOWN)).toMatchObject({ bound: true })
  expect(asked).toBe(1)
})

test('without a proof, or with another key, a bound token is worth nothing', async () => {
  const token = await issue()
  for (const key of [null, 'another key']) expect(await said(token, { ...SHOWN, key })).toBe('dpop_proof_invalid')
})

test('an unbound token counts while the policy gives such, and not a moment longer', async () => {
  const token = await issue(false)
  expect(await said(token)).toBe('access_token_expired')
  become({ agent: { ...AGENT, policy: { ...AGENT.policy, bearer: true } } })
  expect(await guard.lookUp(token, { ...SHOWN, key: null })).toMatchObject({ bound: false })
  become({ agent: AGENT })
  expect(await said(token, { key: null, address: '' })).toBe('access_token_expired')
})

test.each([
  ['installation_locked', { installation: installationRow({ status: 'locked' }) }],
  ['installation_retired', { installation: installationRow({ status: 'retired' }) }],
  ['installation_expired', { installation: installationRow({ expiresAt: START }) }],
  ['agent_suspended', { agent: { ...AGENT, status: 'suspended' } }],
  ['agent_revoked', { agent: { ...AGENT, status: 'revoked' } }],
  ['owner_inactive', { ownerActive: false }],
  ['access_token_expired', { installation: installationRow({ rekeyUntil: START + 2 * HOUR }) }],
  ['access_token_expired', { installation: installationRow({ minGeneration: 2 }) }],
] as const)('%s: a token that was good a moment before is refused', async (code, changes) => {
  const token = await issue()
  expect(await said(token)).toBe(installationRow().id)
  become(changes)
  expect(await said(token)).toBe(code)
})

test('rotated twice within one second: no token from before either Rotate lives, and the one after it does', async () => {
  const first = await issue()
  become({ installation: installationRow({ minGeneration: 2 }) })
  expect(await said(first)).toBe('access_token_expired')
  const healed = await issue(true, {}, 2)
  expect(await said(healed)).toBe(installationRow().id)
  become({ installation: installationRow({ minGeneration: 3 }) })
  expect(await said(healed)).toBe('access_token_expired')
  // Its clock may be behind that of the node that rotated: the generation counts alone.
  expect(await said(await issue(true, {}, 3))).toBe(installationRow().id)
})

test('a token of another installation, agent or organization, or of a person, is not believed', async () => {
  const token = await issue()
  for (const changes of [{ agent: { ...AGENT, id: 'agt_other' as const } }, { installation: installationRow({ organization: 'org_other' }) }]) {
    become(changes)
    expect(await said(token)).toBe('access_token_expired')
  }
  stored = undefined
  guard.forgetAll()
  expect(await said(token)).toBe('installation_retired')
  for (const text of ['', 'eyJ.e.e', token.slice(0, -2)]) expect(await said(text)).toBe('access_token_expired')
})

test('the first sight of a generation is written within a second, and the next signs of life every five minutes', async () => {
  const token = await issue()
  for (let count = 0; count < 10; count++) await said(token)
  await time.advance(SECOND)
  expect(marks).toEqual([{ installation: installationRow().id, generation: 1, at: START + HOUR, address: SHOWN.address }])
  for (let count = 0; count < 10; count++) {
    await said(token)
    await time.advance(50 * SECOND)
  }
  await time.advance(SECOND)
  expect(marks).toHaveLength(2)
})

test('a mark that could not be written is written later', async () => {
  await said(await issue())
  down = true
  await time.advance(3 * SECOND)
  expect(marks).toEqual([])
  down = false
  await time.advance(2 * SECOND)
  expect(marks).toHaveLength(1)
})

test('without the store memory answers for a minute; without the change channel it is asked every second', async () => {
  const token = await issue()
  await said(token)
  ;[down, fresh] = [true, false]
  await time.advance(2 * SECOND)
  expect(await said(token)).toBe(installationRow().id)
  await time.advance(MINUTE)
  expect(await said(token)).toBe('store_unavailable')
  down = false
  expect(await said(token)).toBe(installationRow().id)
})

test('a change of its agent or its owner is seen at once', async () => {
  const token = await issue()
  const before = () => asked
  await said(token)
  for (const forget of [() => guard.forgetAgent(AGENT.id), () => guard.forgetUser(AGENT.owner), () => guard.forgetAll()]) {
    const asking = before()
    forget()
    await said(token)
    expect(asked).toBe(asking + 1)
  }
  guard.forgetUser('usr_somebody_else')
  expect(guard.peek(token, SHOWN)).not.toBe('unknown')
})

test('a token that is remembered and over is refused from memory', async () => {
  const token = await issue()
  await guard.lookUp(token, SHOWN)
  await time.advance(HOUR)
  expect(guard.peek(token, SHOWN)).toMatchObject({ code: 'access_token_expired' })
})

/** A question that the store has been asked and does not answer before `answer`. */
async function underWay(token: string) {
  let release = (): void => {}
  slow = new Promise((resolve) => {
    release = resolve
  })
  const looking = said(token)
  await vi.waitFor(() => expect(asked).toBe(1))
  const answer = (): void => {
    slow = null
    release()
  }
  return { looking, answer }
}

test('an answer that was under way when the installation changed is read again and not remembered', async () => {
  const token = await issue()
  const { looking, answer } = await underWay(token)
  become({ installation: installationRow({ status: 'locked' }) })
  answer()
  expect(await said(token)).toBe('installation_locked')
  await looking
  expect(await said(token)).toBe('installation_locked')
})

test('an answer that was under way when a change came whose extent nobody knows is not remembered', async () => {
  const token = await issue()
  const { looking, answer } = await underWay(token)
  guard.forgetAll()
  answer()
  await looking
  expect(guard.peek(token, SHOWN)).toBe('unknown')
  await said(token)
  expect(asked).toBe(2)
})

test('what broke while the store was asked is told as an outage', async () => {
  const token = await issue()
  down = true
  expect(await said(token)).toBe('store_unavailable')
})
