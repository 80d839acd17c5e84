import { expect, test } from 'vitest'
import { systemEntropy } from '../../system.ts'
import { createEngineLab, type EngineLab, type LabOptions } from '../../testing/engine-lab.ts'
import { whileTimeRuns } from '../../testing/manual-time.ts'
import { testSeal } from '../../testing/seal.ts'
import { type ConnectionId, newId } from '../ids.ts'
import { credentialContext } from '../refresh/new-credential.ts'
import { commitGrant } from './commit-grant.ts'
import type { ConnectPorts } from './connect-ports.ts'
import type { ConnectSession } from './connect-sessions.ts'
import type { FlowContext } from './flow-context.ts'

const HOUR = 3_600_000
const MINUTE = 60_000

function portsOf(lab: EngineLab, connections: ConnectPorts['connections']): ConnectPorts {
  const { clock, timers } = lab.time
  const ports: Pick<ConnectPorts, 'connections' | 'seal' | 'clock' | 'timers' | 'entropy'> = {
    connections,
    seal: testSeal(),
    clock,
    timers,
    entropy: systemEntropy,
  }
  return ports as ConnectPorts
}

async function flowOf({ store, engine, time, ...lab }: EngineLab): Promise<FlowContext> {
  const grantContext = await engine.contexts.of(lab.integration)
  const now = time.clock.wall()
  const session: ConnectSession = {
    id: newId('cs', systemEntropy),
    organization: lab.organization,
    integration: lab.integration,
    owner: 'owner-1',
    mode: 'verified',
    connection: lab.connection,
    tokenHash: 'hash',
    state: 'staged',
    scopes: null,
    returnUrl: null,
    createdAt: now,
    expiresAt: now + HOUR,
    flow: null,
    staged: null,
    fault: null,
    result: null,
    variables: {},
  }
  return { session, integration: grantContext.integration, context: await engine.contexts.provider(grantContext, {}, {}) }
}

/** The owner grants again, and the provider, which gives a refresh token at the first consent alone, gives none. */
async function consentAgain(lab: EngineLab, connections: ConnectPorts['connections'] = lab.store.connections): Promise<ConnectionId> {
  const now = lab.time.clock.wall()
  const tokens = { accessToken: 'at-of-consent', refreshToken: null, tokenType: 'Bearer', accessExpiresAt: now + HOUR, refreshExpiresAt: null }
  const grant = { tokens, obtainedAt: now, grantExpiresAt: null, scopes: null, facts: {}, account: 'ada', accountLabel: null }
  return commitGrant({ flowing: await flowOf(lab), grant, target: lab.connection, actor: { kind: 'browser', id: null } }, portsOf(lab, connections))
}

async function storedRefreshToken(lab: EngineLab): Promise<string | null> {
  const { refreshToken, generation } = (await lab.row()).credential
  return refreshToken === null ? null : testSeal().openText(refreshToken, credentialContext(lab.organization, lab.connection, generation, 'refresh_token'))
}

/** A refresh token is being presented, and its answer takes half a minute. */
async function labWithLateAnswer(options: LabOptions = {}): Promise<EngineLab> {
  const lab = await createEngineLab({ reuse: 'P4', ...options })
  await lab.time.advance(MINUTE)
  lab.provider.steps.push({ kind: 'late', ms: 30_000 })
  lab.engine.refresh(lab.organization, lab.connection).catch(() => {})
  await lab.time.advance(5_000)
  expect([lab.provider.presented, (await lab.row()).credential.intent]).toEqual([['rt-1'], expect.anything()])
  return lab
}

test('a consent without a refresh token waits for the answer to the one that is being presented: what that brings is what is kept', async () => {
  const lab = await labWithLateAnswer()
  await whileTimeRuns(
    lab.time,
    consentAgain(lab).catch(async (error: unknown) => {
      // It may last longer than a browser waits: then the same request is repeated.
      expect(error).toMatchObject({ code: 'refresh_in_progress' })
      await lab.time.timers.sleep(15_000)
      return consentAgain(lab)
    }),
  )
  expect((await lab.row()).connection.state).toBe('active')
  expect(await storedRefreshToken(lab)).toBe('rt-2')
  await whileTimeRuns(lab.time, lab.engine.refresh(lab.organization, lab.connection))
  expect([lab.provider.presented, lab.provider.familyAlive]).toEqual([['rt-1', 'rt-2'], true])
})

test('a refresh token that is claimed in the moment between the look at it and the consent is waited for as well', async () => {
  const lab = await createEngineLab({ reuse: 'P4' })
  await lab.time.advance(MINUTE)
  lab.provider.steps.push({ kind: 'late', ms: 10_000 })
  const { connections } = lab.store
  let looked = 0
  const late: typeof connections = {
    ...connections,
    replaceGrant: async (replacement) => {
      looked += 1
      if (looked === 1) {
        lab.engine.refresh(lab.organization, lab.connection).catch(() => {})
        await lab.time.timers.sleep(1_000)
      }
      return connections.replaceGrant(replacement)
    },
  }
  await whileTimeRuns(lab.time, consentAgain(lab, late))
  expect([lab.provider.presented, await storedRefreshToken(lab)]).toEqual([['rt-1'], 'rt-2'])
})

test('where a refresh token may be presented again at once, no consent without a new one costs it, whatever became of its last presentation', async () => {
  const lab = await createEngineLab({ reuse: 'P0' })
  lab.provider.steps.push({ kind: 'lost' })
  await whileTimeRuns(lab.time, lab.engine.refresh(lab.organization, lab.connection)).catch(() => {})
  await lab.time.advance(MINUTE / 4)
  expect((await lab.row()).credential.suspicion).not.toBeNull()
  await whileTimeRuns(lab.time, consentAgain(lab))
  expect(await storedRefreshToken(lab)).toBe('rt-1')
})
