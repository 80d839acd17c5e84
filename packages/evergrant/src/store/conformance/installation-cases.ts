import assert from 'node:assert/strict'
import type { Agent } from '../../core/agent/agent.ts'
import type { Installation } from '../../core/agent/installation.ts'
import type { SdkPresented, SdkRevocation } from '../../core/agent/installations.ts'
import { AGENT_SETTINGS_DEFAULTS } from '../../core/agent/recovery-settings.ts'
import type { SdkPresentation } from '../../core/agent/sdk-presentation.ts'
import type { SdkToken } from '../../core/agent/sdk-token.ts'
import { type InstallationId, newId } from '../../core/ids.ts'
import { DAY, HOUR } from '../../core/time.ts'
import { enrolRequest, newAgent } from './agents.ts'
import { heardDuring } from './people.ts'
import type { StoreCase } from './store-case.ts'
import { FUTURE, PAST, TestOrganization } from './test-organization.ts'

const LIFE_MS = FUTURE - PAST

interface Enrolled {
  readonly installation: Installation
  readonly token: SdkToken
}

/** An installation whose first token was seen in use long ago, and lives for decades. */
async function enrolled(org: TestOrganization, agent: Agent, changes: Partial<SdkToken> = {}): Promise<Enrolled> {
  const key = newId('evt', org.context.entropy)
  const request = enrolRequest(org, agent, null, key)
  const installation: Installation = { ...request.installation, createdAt: PAST }
  const token: SdkToken = { ...request.token, createdAt: PAST, activatedAt: PAST, expiresAt: FUTURE, ...changes }
  const outcome = await org.store.enrolments.enrol({ ...request, installation, token })
  assert.equal(outcome.kind, 'enrolled')
  return { installation, token }
}

/** What an agent is that recovers as the organization says. */
const healing = (org: TestOrganization): Promise<Agent> => newAgent(org, { recovery: {} })

function presentation(org: TestOrganization, { installation, token }: Enrolled, changes: Partial<SdkPresentation> = {}): SdkPresentation {
  const { entropy } = org.context
  return {
    verb: 'refresh',
    installation: installation.id,
    generation: token.generation,
    attempt: token.attempt,
    nextAttempt: entropy.uuid(),
    key: installation.keyThumbprint,
    provenAfter: FUTURE,
    nextKey: null,
    tokenLifeMs: LIFE_MS,
    recoveryEnabled: true,
    ids: {
      token: newId('sdk', entropy),
      adopted: newId('sdk', entropy),
      family: entropy.uuid(),
      events: [newId('evt', entropy), newId('evt', entropy)],
      attempt: newId('rca', entropy),
      approval: newId('apr', entropy),
      incident: newId('inc', entropy),
    },
    address: '198.51.100.9',
    userAgent: 'sdk 1',
    hints: { host: 'web-3', machine: null, platform: 'linux', sdk: '1' },
    requestId: 'request-1',
    ...changes,
  }
}

const present = (org: TestOrganization, held: Enrolled, changes: Partial<SdkPresentation> = {}): Promise<SdkPresented> =>
  org.store.installations.present(presentation(org, held, changes))

/** `issue rotate`, `refused attempt_over`, ... */
function saidOf(presented: SdkPresented): string {
  if (presented.kind === 'stranger') return 'stranger'
  const { judgement } = presented
  if (judgement.kind === 'issue') return `issue ${judgement.how}`
  return judgement.kind === 'refused' ? `refused ${judgement.code}` : judgement.kind
}

function givenBy(presented: SdkPresented): SdkToken {
  if (presented.kind === 'known' && 'token' in presented.judgement) return presented.judgement.token
  throw new Error(`nothing was given: ${saidOf(presented)}`)
}

async function stored({ store }: TestOrganization, id: InstallationId): Promise<Installation> {
  const standing = await store.installations.get(id)
  if (standing === undefined) throw new Error(`${id} is not stored`)
  return standing.installation
}

async function toldOf({ store, organization }: TestOrganization, id: InstallationId): Promise<readonly string[]> {
  const { items } = await store.events.list(organization, { subject: id }, { limit: 100, cursor: null })
  return items.map(({ type }) => type).sort()
}

const rotation: SdkRevocation = { class: 'hygiene', reason: 'spring cleaning', by: 'usr_1', ticket: true, status: 'active', lock: null }
const cutOff: SdkRevocation = { ...rotation, class: 'owner_request', ticket: false, status: 'retired' }

const revoke = (org: TestOrganization, target: Parameters<TestOrganization['store']['installations']['revoke']>[1], revocation: SdkRevocation) =>
  org.store.installations.revoke(org.organization, target, revocation, PAST + 9, org.event('sdk_token.revoked'))

/** As many at a time as a store has connections for, several times over. */
const AT_A_TIME = 50

async function crowd<Item, Result>(items: readonly Item[], work: (item: Item) => Promise<Result>): Promise<readonly Result[]> {
  const done: Result[] = []
  for (let from = 0; from < items.length; from += AT_A_TIME) done.push(...(await Promise.all(items.slice(from, from + AT_A_TIME).map(work))))
  return done
}

export const installationCases: readonly StoreCase[] = [
  {
    name: 'a refresh gives a successor, writes down what came with it, and all nodes hear of it',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const held = await enrolled(org, await healing(org))
      const { id } = held.installation
      let presented: SdkPresented | undefined
      const heard = await heardDuring(org, async () => {
        presented = await present(org, held, { nextAttempt: 'first' })
      })
      if (presented?.kind !== 'known') throw new Error('the token was not known')
      const token = givenBy(presented)
      assert.deepEqual([token.generation, token.attempt, token.parent, token.address], [2, 'first', held.token.id, '198.51.100.9'])
      assert.deepEqual(await stored(org, id), presented.standing.installation)
      assert.equal((await stored(org, id)).hints.host, 'web-3')
      const tokens = await store.installations.tokensOf(id, 10)
      assert.deepEqual(tokens[0], token)
      assert.deepEqual([tokens[1]?.state, tokens[1]?.supersededAt], ['superseded', token.createdAt])
      assert.deepEqual(
        heard.filter((change) => change.kind === 'installation'),
        [{ kind: 'installation', installation: id }],
      )
      assert.deepEqual(await toldOf(org, id), [])
    },
  },
  {
    name: 'fifty presentations of one attempt at once have one successor, and all of them get it',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const held = await enrolled(org, await healing(org))
      const all = await Promise.all(Array.from({ length: 50 }, () => present(org, held, { nextAttempt: 'the same' })))
      assert.equal(new Set(all.map((one) => givenBy(one).id)).size, 1)
      assert.deepEqual(
        all.map(saidOf).filter((said) => said !== 'again'),
        ['issue rotate'],
      )
      assert.equal((await store.installations.tokensOf(held.installation.id, 100)).length, 2)
    },
  },
  {
    name: 'fifty attempts at once of one token have one successor; the others are told to reload',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const held = await enrolled(org, await healing(org))
      const all = await Promise.all(Array.from({ length: 50 }, () => present(org, held, { provenAfter: PAST })))
      const said = all.map(saidOf)
      assert.equal(said.filter((one) => one === 'issue rotate').length, 1)
      assert.equal(said.filter((one) => one === 'refused reload_credentials').length, 49)
      assert.equal((await stored(org, held.installation.id)).generation, 2)
    },
  },
  {
    name: 'who has not the key is a stranger, as is who shows what never was, and nothing is written',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const held = await enrolled(org, await healing(org))
      const { id, organization, agent } = held.installation
      assert.deepEqual(await present(org, held, { key: 'another key' }), { kind: 'stranger', known: { id, organization, agent } })
      assert.deepEqual(await present(org, held, { installation: newId('ins', context.entropy) }), { kind: 'stranger', known: null })
      assert.deepEqual(await stored(org, id), held.installation)
      assert.deepEqual(await store.installations.tokensOf(id, 10), [held.token])
    },
  },
  {
    name: 'the first sight of a generation is kept, and tells a late repetition from a lost answer; a mark of another generation says nothing',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const held = await enrolled(org, await healing(org))
      const { id } = held.installation
      await present(org, held, { nextAttempt: 'first' })
      const mark = { installation: id, at: PAST + 5, address: '192.0.2.99' }
      await store.installations.markSeen([{ ...mark, generation: 1 }])
      assert.equal(saidOf(await present(org, held, { nextAttempt: 'first' })), 'again')
      await store.installations.markSeen([
        { ...mark, generation: 2 },
        { ...mark, generation: 2, at: PAST + 6 },
      ])
      assert.equal((await store.installations.tokensOf(id, 1))[0]?.activatedAt, PAST + 5)
      assert.deepEqual([(await stored(org, id)).lastSeenAt, (await stored(org, id)).address], [PAST + 6, '192.0.2.99'])
      assert.equal(saidOf(await present(org, held, { nextAttempt: 'first' })), 'refused attempt_over')
    },
  },
  {
    name: 'the key before the one of now, with a token of its own, locks the installation once somebody was seen with the new one',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const held = await enrolled(org, await healing(org))
      const { id } = held.installation
      const second = givenBy(await present(org, held, { nextKey: { thumbprint: 'new key', jwk: { kty: 'OKP' }, custody: 'file' } }))
      assert.equal(saidOf(await present(org, held)), 'stranger')
      assert.equal(saidOf(await present(org, { ...held, token: second }, { key: 'new key' })), 'issue rotate')
      assert.equal(saidOf(await present(org, held)), 'clone')
      assert.equal((await stored(org, id)).status, 'locked')
    },
  },
  {
    name: 'an old token with the right key locks this installation and no other, ends its tokens, and says so',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const agent = await healing(org)
      const [held, sibling] = [await enrolled(org, agent), await enrolled(org, agent)]
      const { id } = held.installation
      const second = givenBy(await present(org, held))
      const third = givenBy(await present(org, { ...held, token: second }))
      assert.equal(saidOf(await present(org, held)), 'clone')
      const locked = await stored(org, id)
      assert.deepEqual([locked.status, locked.lock?.code], ['locked', 'clone'])
      assert.deepEqual((await store.installations.tokensOf(id, 1))[0]?.revokeClass, 'reuse_detected')
      assert.deepEqual(await toldOf(org, id), ['installation.clone_suspected', 'installation.locked'])
      assert.equal(saidOf(await present(org, { ...held, token: third })), 'refused installation_locked')
      assert.equal(saidOf(await present(org, sibling)), 'issue rotate')
      const unlocked = org.event('installation.unlocked')
      assert.equal(await store.installations.unlock(org.organization, sibling.installation.id, true, FUTURE, unlocked), 'not_locked')
      assert.equal(await store.installations.unlock(org.organization, newId('ins', context.entropy), true, FUTURE, unlocked), 'gone')
      assert.equal(await store.installations.unlock(org.organization, id, true, FUTURE, unlocked), 'unlocked')
      assert.equal(saidOf(await present(org, { ...held, token: third })), 'refused rekey_required')
      const nextKey = { thumbprint: 'new key', jwk: { kty: 'OKP', x: 'new' }, custody: 'keychain' } as const
      assert.equal(saidOf(await present(org, { ...held, token: third }, { nextKey })), 'issue re_key')
      const rekeyed = await stored(org, id)
      assert.deepEqual([rekeyed.keyThumbprint, rekeyed.publicJwk, rekeyed.custody, rekeyed.rekeyUntil], ['new key', nextKey.jwk, 'keychain', null])
    },
  },
  {
    name: 'Rotate on sixty installations at once heals all of them, without an approval and without a count',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const agent = await healing(org)
      const all = await crowd(Array.from({ length: 60 }), () => enrolled(org, agent))
      const ended = await revoke(org, { agent: agent.id }, rotation)
      assert.equal(new Set(ended).size, 60)
      assert.deepEqual(await revoke(org, { agent: agent.id }, rotation), [])
      const healed = await crowd(all, (held) => present(org, held, { verb: 'recover' }))
      assert.deepEqual([...new Set(healed.map(saidOf))], ['issue recover'])
      assert.deepEqual(await store.installations.recoveryPressure(org.organization, PAST), { recoveries: 0, installations: 60 })
      assert.equal((await store.agents.settings(org.organization)).breakerUntil, null)
      const told = await store.events.list(org.organization, { type: 'sdk_token.revoked' }, { limit: 10, cursor: null })
      assert.equal(told.items.length, 1)
    },
  },
  {
    name: 'a cut-off ends what it names, also what was only rotated, and stays',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const [agent, other] = [await healing(org), await healing(org)]
      const [first, second, foreign] = [await enrolled(org, agent), await enrolled(org, agent), await enrolled(org, other)]
      assert.deepEqual(await revoke(org, { installation: first.installation.id }, rotation), [first.installation.id])
      assert.equal((await stored(org, first.installation.id)).minGeneration, first.installation.generation + 1)
      const ended = await revoke(org, { owner: agent.owner }, cutOff)
      assert.deepEqual([...ended].sort(), [first.installation.id, second.installation.id].sort())
      assert.deepEqual(await revoke(org, { owner: agent.owner }, cutOff), [])
      for (const held of [first, second]) {
        const installation = await stored(org, held.installation.id)
        assert.deepEqual([installation.status, installation.minGeneration], ['retired', held.installation.generation + 1])
        assert.equal((await store.installations.tokensOf(installation.id, 1))[0]?.revokeClass, 'owner_request')
        assert.equal(saidOf(await present(org, held, { verb: 'recover' })), 'refused installation_retired')
      }
      assert.equal(saidOf(await present(org, foreign)), 'issue rotate')
      const elsewhere = await TestOrganization.open(store, context)
      assert.deepEqual(await revoke(elsewhere, { installation: foreign.installation.id }, cutOff), [])
    },
  },
  {
    name: 'a recovery that asks for approval is stored once, seen by who decides, and spent by the same attempt',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const held = await enrolled(org, await newAgent(org, { recovery: { mode: 'approve' } }), { state: 'revoked', revokeClass: 'hygiene' })
      const ask = () => present(org, held, { verb: 'recover', nextAttempt: 'asks' })
      const first = await ask()
      assert.equal(saidOf(first), 'pending')
      const again = await ask()
      const approval = first.kind === 'known' ? first.approval : null
      if (approval === null) throw new Error('nothing was asked')
      assert.deepEqual(again.kind === 'known' ? again.approval : null, approval)
      const [pending, ...more] = await store.approvals.list(org.organization, { status: 'pending', limit: 10, after: null })
      assert.deepEqual([pending?.id, pending?.attempt, more], [approval?.id, 'asks', []])
      const decision = { status: 'approved', by: { kind: 'user', id: 'usr_1' }, expiresAt: FUTURE } as const
      assert.equal(await store.approvals.decide(org.organization, approval.id, decision, org.event('approval.approved')), 'decided')
      assert.equal(givenBy(await ask()).metadata.recovery_reason, 'approved')
      assert.equal((await store.approvals.get(org.organization, approval.id))?.status, 'used')
      assert.deepEqual(await toldOf(org, held.installation.id), ['recovery.requested', 'recovery.succeeded'])
      const attempts = await store.installations.attemptsOf(held.installation.id, 10)
      assert.deepEqual(attempts.map(({ outcome, counted }) => [outcome, counted]).sort(), [
        ['pending', false],
        ['succeeded', false],
      ])
      assert.equal(await store.installations.forgetAttempts(PAST, 10), 0)
    },
  },
  {
    name: 'the tenth recovery of an organization within an hour trips its breaker: from then on each one asks a person',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const agent = await healing(org)
      const all = await Promise.all(Array.from({ length: 12 }, () => enrolled(org, agent, { state: 'revoked', revokeClass: 'policy', createdAt: FUTURE })))
      const said: string[] = []
      for (const held of all) said.push(saidOf(await present(org, held, { verb: 'recover' })))
      assert.deepEqual(said, [...Array.from({ length: 10 }, () => 'issue recover'), 'pending', 'pending'])
      const settings = await store.agents.settings(org.organization)
      assert.ok((settings.breakerUntil ?? 0) > PAST)
      assert.deepEqual({ ...settings, breakerUntil: null }, AGENT_SETTINGS_DEFAULTS)
      assert.equal((await store.installations.recoveryPressure(org.organization, PAST)).recoveries, 10)
      const closed = { ...AGENT_SETTINGS_DEFAULTS, breakerClosedAt: (settings.breakerUntil ?? 0) - HOUR }
      await store.agents.saveSettings(org.organization, closed, PAST, org.event('agent.settings_changed'))
      const late = await enrolled(org, agent, { state: 'revoked', revokeClass: 'policy', createdAt: FUTURE })
      assert.equal(saidOf(await present(org, late, { verb: 'recover' })), 'issue recover')
      const elsewhere = await TestOrganization.open(store, context)
      const free = await enrolled(elsewhere, await healing(elsewhere), { state: 'revoked', revokeClass: 'policy', createdAt: FUTURE })
      assert.equal(saidOf(await present(elsewhere, free, { verb: 'recover' })), 'issue recover')
    },
  },
  {
    name: 'a token that the record does not know makes it follow, and is known from then on',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const held = await enrolled(org, await healing(org))
      const newer = { ...held, token: { ...held.token, generation: 40, attempt: 'before the restore' } }
      assert.equal(saidOf(await present(org, newer, { nextAttempt: 'first' })), 'issue roll_forward')
      assert.equal(saidOf(await present(org, newer, { nextAttempt: 'first' })), 'again')
      assert.equal(saidOf(await present(org, newer, { nextAttempt: 'second' })), 'issue reissue')
      assert.equal((await stored(org, held.installation.id)).generation, 42)
      assert.equal((await stored(org, held.installation.id)).status, 'active')
    },
  },
  {
    name: 'rows of tokens that were replaced long ago go, the floor rises over them, and shown again they still lock',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const agent = await healing(org)
      const [gone, waiting] = [await enrolled(org, agent), await enrolled(org, agent)]
      const second = givenBy(await present(org, gone))
      const third = givenBy(await present(org, { ...gone, token: second }))
      await store.installations.markSeen([{ installation: gone.installation.id, generation: 3, at: PAST, address: null }])
      await present(org, waiting)
      while ((await store.installations.purge(FUTURE, 2)) === 2);
      assert.deepEqual(await store.installations.tokensOf(gone.installation.id, 10).then((tokens) => tokens.map(({ id }) => id)), [third.id])
      assert.equal((await stored(org, gone.installation.id)).floorGeneration, 3)
      assert.equal((await store.installations.tokensOf(waiting.installation.id, 10)).length, 2)
      assert.equal(saidOf(await present(org, waiting)), 'issue reissue')
      assert.equal(saidOf(await present(org, gone)), 'clone')
    },
  },
  {
    name: 'installations are listed newest first, by agent, owner, status and recent recovery, and change what may change',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const [agent, other] = [await healing(org), await healing(org)]
      const first = await enrolled(org, agent)
      const second = await enrolled(org, agent, { state: 'revoked', revokeClass: 'hygiene', ticket: true })
      const third = await enrolled(org, other)
      const list = async (filter: object) =>
        (await store.installations.list(org.organization, { limit: 10, after: null, ...filter })).map(({ installation }) => installation.id)
      const ids = [third, second, first].map(({ installation }) => installation.id)
      assert.deepEqual(await list({}), ids)
      assert.deepEqual(await list({ limit: 1, after: ids[0] }), [ids[1]])
      assert.deepEqual(await list({ agent: agent.id }), ids.slice(1))
      assert.deepEqual(await list({ owner: other.owner }), [ids[0]])
      assert.deepEqual(await list({ healedSince: PAST }), [])
      await present(org, second, { verb: 'recover' })
      assert.deepEqual(await list({ healedSince: PAST }), [ids[1]])
      const changed = { name: 'web-9', recoveryMode: 'off', status: 'recovery_blocked' } as const
      const heard = await heardDuring(org, () =>
        store.installations.update(org.organization, first.installation.id, changed, org.event('installation.updated')),
      )
      assert.ok(heard.some((change) => change.kind === 'installation' && change.installation === first.installation.id))
      const { name, recoveryMode, status } = await stored(org, first.installation.id)
      assert.deepEqual({ name, recoveryMode, status }, changed)
      assert.deepEqual(await list({ status: 'recovery_blocked' }), [ids[2]])
      const elsewhere = await TestOrganization.open(store, context)
      assert.equal(await store.installations.update(elsewhere.organization, first.installation.id, changed, elsewhere.event('installation.updated')), 'gone')
      await revoke(org, { installation: third.installation.id }, cutOff)
      await store.installations.update(org.organization, third.installation.id, { status: 'active' }, org.event('installation.updated'))
      assert.equal((await stored(org, third.installation.id)).status, 'retired')
    },
  },
  {
    name: 'newest tokens that ended while nobody could reach the database are excused, and no others',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const agent = await healing(org)
      const ended = (expiresAt: number) => enrolled(org, agent, { expiresAt })
      const from = FUTURE + Math.floor(context.entropy.uniform() * 1_000 * DAY)
      const during = [await ended(from + 1), await ended(from + 2)]
      const others = [await ended(from), await ended(from + 3)]
      assert.equal(await store.installations.excuse(from, from + 2, 10), 2)
      const tickets = async (all: readonly Enrolled[]) =>
        Promise.all(all.map(async ({ installation }) => (await store.installations.tokensOf(installation.id, 1))[0]?.ticket))
      assert.deepEqual(await tickets(during), [true, true])
      assert.deepEqual(await tickets(others), [false, false])
      assert.equal(await store.installations.excuse(from, from + 2, 10), 0)
    },
  },
]
