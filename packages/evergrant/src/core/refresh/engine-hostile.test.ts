import { expect, test } from 'vitest'
import { createEngineLab, type EngineLab } from '../../testing/engine-lab.ts'
import { testSeal } from '../../testing/seal.ts'
import { settle } from '../../testing/settle.ts'
import { SealError } from '../seal/seal.ts'

const HOUR = 3_600_000

const unavailable = () => Promise.reject(new Error('the database is away'))

test('an answer that also unblocks its integration is in the journal although the database is away', async () => {
  const lab = await createEngineLab({
    ports: ({ credentials, integrations }) => ({
      credentials: { ...credentials, commitGrant: unavailable },
      integrations: { ...integrations, setBlocked: unavailable },
    }),
  })
  const none = { intent: null, httpStatus: 401, providerCode: null, providerText: null, answerHash: null }
  await lab.store.integrations.setBlocked(
    lab.integration,
    { code: 'client_rejected', at: 0, evidence: none },
    {
      id: 'evt_blocked',
      organization: lab.organization,
      type: 'integration.blocked',
      at: 0,
      actor: { kind: 'system', id: null },
      connection: null,
      subject: null,
      data: {},
    },
  )
  void lab.engine.refresh(lab.organization, lab.connection).catch(() => {})
  await settle(lab, Promise.resolve())
  expect(lab.provider.presented).toEqual(['rt-1'])
  expect(lab.journal.records).toHaveLength(1)
})

test('a plan made while a dead holder still had its lease does not present the token once that lease has run out', async () => {
  const lab = await createEngineLab()
  const { credentials } = lab.store
  const dead = { id: 'node-2', incarnation: 'dead' }
  await credentials.claim({ connection: lab.connection, generation: 1, epoch: 0, node: dead, intent: 'itn_dead', leaseMs: 1_000 })
  const slow = lab.another({
    credentials: {
      ...credentials,
      // Between this plan and its claim a queue or a pause lets the lease run out.
      claim: async (request) => {
        await lab.time.advance(1_001)
        return credentials.claim(request)
      },
    },
    clock: { ...lab.time.clock, wall: () => lab.time.clock.wall() + HOUR },
  })
  const outcome = slow.refresh(lab.organization, lab.connection).then(
    () => 'renewed',
    (error: { code?: string }) => error.code,
  )
  expect(await settle(lab, outcome)).toBe('outcome_unknown')
  expect(lab.provider.presented).toEqual([])
  expect(lab.provider.opened).toBeLessThan(3)
})

test('waiting for another holder costs the provider no connections', async () => {
  const lab = await createEngineLab()
  await lab.time.advance(HOUR)
  const other = { id: 'node-2', incarnation: 'alive' }
  await lab.store.credentials.claim({ connection: lab.connection, generation: 1, epoch: 0, node: other, intent: 'itn_alive', leaseMs: 60_000 })
  const reading = lab.read().catch((error: unknown) => error)
  await lab.time.advance(30_000)
  await reading
  expect(lab.provider.opened).toBe(0)
})

test('a node whose clock is ahead of the database asks for a held lease a few times a second, not a thousand times', async () => {
  const lab = await createEngineLab()
  await lab.time.advance(HOUR)
  const other = { id: 'node-2', incarnation: 'alive' }
  await lab.store.credentials.claim({ connection: lab.connection, generation: 1, epoch: 0, node: other, intent: 'itn_alive', leaseMs: 600_000 })
  const ahead = lab.another({ clock: { ...lab.time.clock, wall: () => lab.time.clock.wall() + HOUR } })
  void ahead.refresh(lab.organization, lab.connection).catch(() => {})
  await lab.time.advance(2_000)
  expect(lab.provider.opened).toBeLessThan(12)
})

test('a journaled answer that is ahead of a database gone back in time stays in the journal', async () => {
  const lab = await createEngineLab()
  await lab.journal.append(journaled(lab, 5))
  await lab.another().recover()
  expect(await lab.journal.pending()).toHaveLength(1)
})

test('a journaled answer whose generation has passed is kept beside the token, not dropped', async () => {
  const lab = await createEngineLab()
  await settle(lab, lab.engine.refresh(lab.organization, lab.connection))
  await lab.journal.append(journaled(lab, 1))
  expect(await lab.another().recover()).toMatchObject({ superseded: 1 })
  expect(await lab.journal.pending()).toHaveLength(0)
  expect((await lab.store.credentials.unappliedAnswers(lab.organization, 10)).map((answer) => answer.intent)).toEqual(['itn_old'])
  expect((await lab.row()).credential.generation).toBe(2)
})

test('a journaled answer to another refresh token of the same generation is not applied: a restore can bring a generation twice', async () => {
  const lab = await createEngineLab()
  await lab.journal.append({ ...journaled(lab, 1), fingerprint: testSeal().fingerprint('rt-of-another-grant') })
  expect(await lab.another().recover()).toMatchObject({ replayed: 0, superseded: 1 })
  expect((await lab.row()).credential.generation).toBe(1)
})

test('a journaled answer that the judge cannot read any more stays in the journal', async () => {
  const lab = await createEngineLab()
  await lab.journal.append({ ...journaled(lab, 1), body: new TextEncoder().encode('{"odd":true}') })
  await lab.another().recover()
  expect(await lab.journal.pending()).toHaveLength(1)
})

test('while only the journal has a new token, nobody is served the old one', async () => {
  const lab = await createEngineLab({
    ports: ({ credentials }) => ({ credentials: { ...credentials, commitGrant: unavailable }, changesFresh: () => false }),
  })
  await lab.time.advance(0.9 * HOUR)
  const renewed = lab.engine.refresh(lab.organization, lab.connection)
  await settle(lab, Promise.resolve())
  await lab.time.advance(1_000)
  expect((await renewed).generation).toBe(2)
  expect(await settle(lab, lab.read())).toMatchObject({ generation: 2, accessToken: 'at-2' })
})

test('a metric that cannot be counted costs no answer', async () => {
  const lab = await createEngineLab({
    ports: () => ({
      observe: () => {
        throw new Error('no metrics today')
      },
    }),
  })
  expect(await settle(lab, lab.engine.refresh(lab.organization, lab.connection))).toMatchObject({ generation: 2 })
  expect((await lab.row()).credential.generation).toBe(2)
})

test('a 503 that asks for patience is an answered error of unknown outcome where a second presentation may cost the grant', async () => {
  const lab = await createEngineLab()
  lab.provider.steps.push({ kind: 'answer', status: 503, body: '', headers: { 'retry-after': '5' } })
  await settle(
    lab,
    lab.engine.refresh(lab.organization, lab.connection).catch(() => {}),
  )
  expect((await lab.row()).credential.suspicion).toMatchObject({ answered: true })
})

test('a 503 that asks for more patience than the window has left is followed by no late presentation', async () => {
  const lab = await createEngineLab({ reuse: 'P1' })
  lab.provider.steps.push({ kind: 'answer', status: 503, body: '', headers: { 'retry-after': '60' } })
  await lab.engine.refresh(lab.organization, lab.connection).catch(() => {})
  expect((await lab.row()).credential.suspicion).toMatchObject({ answered: true })
  await lab.time.advance(2 * 60_000)
  await lab.engine.refresh(lab.organization, lab.connection).catch(() => {})
  expect(lab.provider.presented).toHaveLength(1)
})

test('a probe whose process dies is followed by another only when its request is dead, too', async () => {
  const lab = await createEngineLab()
  const node = { id: 'node-1', incarnation: 'first' }
  await lab.store.credentials.claim({ connection: lab.connection, generation: 1, epoch: 0, node, intent: 'itn_first', leaseMs: 600_000 })
  await lab.time.advance(2 * HOUR)
  lab.provider.steps.push({ kind: 'silent' })
  const dies = { ...lab.store.credentials, commitFailure: () => new Promise<never>(() => {}) }
  const second = lab.another({ node: { ...node, incarnation: 'second' }, credentials: dies })
  await second.recover()
  void second.refresh(lab.organization, lab.connection).catch(() => {})
  await settle(lab, Promise.resolve())
  await lab.time.advance(10_000)
  expect(lab.provider.presented).toHaveLength(1)
  const third = lab.another({ node: { ...node, incarnation: 'third' } })
  await third.recover()
  await third.refresh(lab.organization, lab.connection).catch(() => {})
  await lab.time.advance(100_000)
  await third.refresh(lab.organization, lab.connection).catch(() => {})
  expect(lab.provider.presented).toHaveLength(1)
  await lab.time.advance(30_000)
  await settle(lab, third.refresh(lab.organization, lab.connection))
  expect(lab.provider.presented).toHaveLength(2)
  expect(lab.provider.overlapped).toBe(false)
})

test('a claim whose outcome the database did not tell is taken back: the token was never sent', async () => {
  let away = true
  const lab = await createEngineLab({
    ports: ({ credentials }) => ({
      credentials: {
        ...credentials,
        claim: async (request) => {
          const outcome = await credentials.claim(request)
          if (!away) return outcome
          away = false
          throw new Error('connection lost after commit')
        },
      },
    }),
  })
  await settle(
    lab,
    lab.engine.refresh(lab.organization, lab.connection).catch(() => {}),
  )
  expect((await lab.row()).credential).toMatchObject({ intent: null, lease: null, suspicion: null })
})

test('a node whose clock is behind the database does not take the same due connection again and again', async () => {
  const lab = await createEngineLab()
  const { softAt } = (await lab.row()).credential
  await lab.time.advance((softAt ?? 0) - lab.time.clock.wall() + 1_000)
  const behind = lab.another({ clock: { ...lab.time.clock, wall: () => lab.time.clock.wall() - 20_000 } })
  await behind.runDue()
  await settle(lab, Promise.resolve())
  expect(lab.provider.presented).toEqual(['rt-1'])
})

test('a key that is missing makes a due connection come up once a minute, not every few seconds', async () => {
  let opened = 0
  const lab = await createEngineLab({
    ports: ({ seal }) => ({
      seal: {
        ...seal,
        openText: () => {
          opened += 1
          throw new SealError('seal_key_missing', 'the key is missing')
        },
      },
    }),
  })
  await lab.time.advance(0.9 * HOUR)
  for (let second = 0; second < 120; second += 1) {
    await lab.engine.runDue()
    await settle(lab, Promise.resolve())
    await lab.time.advance(1_000)
  }
  expect(opened).toBeGreaterThan(0)
  expect(opened).toBeLessThanOrEqual(2)
  expect((await lab.row()).connection.state).toBe('active')
})

function journaled(lab: EngineLab, generation: number) {
  return {
    intent: 'itn_old' as const,
    organization: lab.organization,
    subject: { kind: 'connection' as const, id: lab.connection },
    generation,
    fingerprint: testSeal().fingerprint('rt-1'),
    sentAt: lab.time.clock.wall(),
    receivedAt: lab.time.clock.wall(),
    httpStatus: 200,
    headers: { 'content-type': 'application/json' },
    body: new TextEncoder().encode('{"access_token":"at-old","refresh_token":"rt-old","token_type":"Bearer","expires_in":3600}'),
  }
}

test('a clock that was wrong for a while ends no grant: when it is right again, the token is served', async () => {
  const lab = await createEngineLab({ refreshToken: null })
  const right = lab.time.clock.wall()
  lab.time.setWall(right + 30 * 24 * HOUR)
  await expect(settle(lab, lab.read())).rejects.toMatchObject({ code: 'connection_expired' })
  expect((await lab.row()).connection.state).toBe('needs_reauth')
  lab.time.setWall(right + 60_000)
  expect((await settle(lab, lab.read())).accessToken).toBe('at-1')
})
