import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createTestClock, FakeEvergrant, type TestClock } from '../../testing/index.ts'
import { storeError } from './client-errors.ts'
import type { CredentialEvent } from './credential-events.ts'
import { enrolWithWorkload } from './enrolment.ts'
import { Evergrant, type EvergrantOptions } from './evergrant.ts'
import { platformOf } from './platform.ts'
import { Rotation } from './rotation.ts'
import { ServerLink } from './server-link.ts'
import { memoryKeys, memorySlot } from './slot.ts'
import { MINUTE } from './testing/machine-lab.ts'

let clock: TestClock
let server: FakeEvergrant
let folder: string
let events: CredentialEvent[]
beforeEach(() => {
  clock = createTestClock()
  server = new FakeEvergrant({ now: clock.now })
  folder = mkdtempSync(join(tmpdir(), 'evergrant-keeper-'))
  events = []
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const connect = (time: TestClock = clock): Promise<Evergrant> =>
  Evergrant.connect({
    enrolmentCode: server.code({ withServer: true }),
    log: false,
    onCredentialEvent: (event) => events.push(event),
    platform: { ...time, fetch: server.fetch, home: join(folder, 'home'), env: { EVERGRANT_KEYCHAIN: '0', EVERGRANT_MACHINE_ID: 'one' } },
  })

/** Time passes in steps, so that files can be written in between. */
async function pass(minutes: number): Promise<void> {
  for (let minute = 0; minute < minutes; minute += 0.5) await clock.advance(MINUTE / 2)
}

/** Time passes until it is so, for an hour at most: files of a busy machine may take longer than a step, and only time that passes after them brings the next try. */
async function passUntil(holds: () => boolean): Promise<void> {
  for (let steps = 0; !holds() && steps < 120; steps += 1) await clock.advance(MINUTE / 2)
  expect(holds()).toBe(true)
}

test('a program that does nothing keeps its credential fresh, at two thirds of its life', async () => {
  const client = await connect()
  await pass(6)
  expect(server.counts.rotations).toBe(0)
  await pass(1.5)
  await expect.poll(() => server.counts.rotations, { timeout: 15_000 }).toBe(1)
  await expect.poll(() => events.at(-1)?.type, { timeout: 15_000 }).toBe('renewed')
  await pass(7.5)
  await expect.poll(() => server.counts.rotations, { timeout: 15_000 }).toBe(2)
  await client.close()
})

test('what fails is tried again by itself, and is told each time', async () => {
  const client = await connect()
  let [away, refused] = [true, 0]
  const lose = (): void =>
    server.once('refresh', (commit) => {
      if (!away) return commit()
      refused += 1
      lose()
      return Promise.reject(new TypeError('no route'))
    })
  lose()
  // Two thirds of ten minutes.
  await clock.advance(400_000)
  for (let time = 1; time <= 6; time += 1) {
    await expect.poll(() => events.filter(({ type }) => type === 'renewal_failed').length, { timeout: 15_000 }).toBe(time)
    // A second, doubled each time up to a minute, less a quarter.
    const pause = 750 * 2 ** (time - 1)
    await clock.advance(pause - 1)
    expect(refused).toBe(time)
    if (time === 6) away = false
    await clock.advance(1)
  }
  await expect.poll(() => server.counts.rotations, { timeout: 15_000 }).toBe(1)
  await expect.poll(() => events.at(-1)?.type, { timeout: 15_000 }).toBe('renewed')
  await client.close()
})

/** Renewals fail until `away` is over. */
function whileAway(away: { over: boolean; refused: number }): void {
  server.once('refresh', (commit) => {
    if (away.over) return commit()
    away.refused += 1
    whileAway(away)
    return Promise.reject(new TypeError('no route'))
  })
}

test('a clock that is set back after a failure does not put the next try off', async () => {
  const client = await connect()
  const away = { over: false, refused: 0 }
  whileAway(away)
  await clock.advance(400_000)
  await expect.poll(() => away.refused, { timeout: 15_000 }).toBe(1)
  away.over = true
  clock.set(-24 * 60 * MINUTE)
  await passUntil(() => server.counts.rotations === 1)
  await client.close()
})

test('a clock that is set back does not keep an old failure alive for whoever has no token', async () => {
  const client = await connect()
  const away = { over: false, refused: 0 }
  whileAway(away)
  await pass(13)
  // None is under way: whoever joined one that fails would wait for a clock that stands.
  const failed = () => events.filter(({ type }) => type === 'renewal_failed').length
  await passUntil(() => failed() > 3 && failed() === away.refused)
  // By less than the token has been over: there is still none that could be used.
  clock.set(-2 * MINUTE)
  away.over = true
  expect((await client.whoami()).generation).toBe(2)
  await client.close()
})

test('a timer that comes a fraction of a millisecond early, as those of the runtime do, loses no try', async () => {
  const early = { ...clock, random: () => 0.123, after: (ms: number, task: () => void) => clock.after(Math.max(1, Math.trunc(ms)), task) }
  const client = await connect(early)
  const away = { over: false, refused: 0 }
  whileAway(away)
  await passUntil(() => away.refused > 2)
  away.over = true
  await passUntil(() => server.counts.rotations === 1)
  await client.close()
})

test('after close no timer is left, and every call says that it was closed', async () => {
  const client = await connect()
  await client.close()
  expect(clock.waiting()).toBe(0)
  await expect(client.whoami()).rejects.toMatchObject({ code: 'closed' })
})

test('await using closes', async () => {
  {
    await using client = await connect()
    expect((await client.whoami()).generation).toBe(1)
    expect(clock.waiting()).toBe(1)
  }
  expect(clock.waiting()).toBe(0)
})

test('an answer that cannot be stored is used by nobody, and the same attempt brings it again', async () => {
  const slot = memorySlot()
  const keys = memoryKeys()
  const platform = platformOf({ ...clock, wait: () => Promise.resolve(), fetch: server.fetch, env: {}, home: folder })
  const link = new ServerLink(server.url, platform, 1_000)
  server.trustWorkload('identity')
  await enrolWithWorkload(slot, { link, keys, platform, machine: null, tell: () => {} }, () => Promise.resolve('identity'), {})
  let full = true
  const disk: typeof slot = {
    ...slot,
    save: (profile) => (full && profile.intent === null ? Promise.reject(storeError('credential_store_unwritable', 'no space left')) : slot.save(profile)),
  }
  const rotation = new Rotation({ slot: disk, keys, link, platform, machine: null, tell: () => {} })
  await rotation.load()
  await expect(rotation.renew({ refused: (await rotation.load()).access.text })).rejects.toMatchObject({ code: 'credential_store_unwritable' })
  expect((await rotation.load()).generation).toBe(1)
  full = false
  expect((await rotation.renew({ refused: (await rotation.load()).access.text })).generation).toBe(2)
  expect(server.counts).toMatchObject({ rotations: 1, repeated: 1 })
})

test('a workload that enrols again keeps no key of before', async () => {
  const [slot, keys] = [memorySlot(), memoryKeys()]
  const platform = platformOf({ ...clock, fetch: server.fetch, env: {}, home: folder })
  const parts = { link: new ServerLink(server.url, platform, 1_000), keys, platform, machine: null, tell: () => {} }
  server.trustWorkload('identity')
  const enrol = () => enrolWithWorkload(slot, parts, () => Promise.resolve('identity'), {})
  const [first, second] = [await enrol(), await enrol()]
  expect((await keys.open(second.key)).thumbprint).toBe(second.key.thumbprint)
  await expect(keys.open(first.key)).rejects.toThrow('another process')
})

/** A program as it is before its first call. */
const program = (options: EvergrantOptions = {}): Evergrant =>
  new Evergrant({
    enrolmentCode: server.code({ withServer: true }),
    log: false,
    platform: { ...clock, fetch: server.fetch, home: join(folder, 'home'), env: { EVERGRANT_KEYCHAIN: '0', EVERGRANT_MACHINE_ID: 'one' } },
    ...options,
  })

test('a client that is closed while it opens keeps no timer, and its call hears that it was closed', async () => {
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  server.once('enroll', async (commit) => {
    await opened
    return commit()
  })
  const client = program()
  const asked = client.whoami().catch((error: unknown) => error)
  await client.close()
  open()
  expect(await asked).toMatchObject({ code: 'closed' })
  expect(clock.waiting()).toBe(0)
  // A code is not spent for nobody.
  const code = server.code({ withServer: true })
  await expect(client.agents.register({ code })).rejects.toMatchObject({ code: 'closed' })
  expect(server.counts.enrolled).toBe(1)
})

test('a listener that throws, and a log that throws, stop no renewal', async () => {
  const lines: string[] = []
  const fail = (): never => {
    throw new Error('the disk of the log is full')
  }
  const told = program({ onCredentialEvent: fail, log: (line) => lines.push(line) })
  expect((await told.renew()).generation).toBe(2)
  expect(server.counts.rotations).toBe(1)
  expect(lines.join()).toContain('onCredentialEvent failed at `renewed`: the disk of the log is full')
  await pass(8)
  await expect.poll(() => server.counts.rotations, { timeout: 15_000 }).toBe(2)
  await told.close()
  const silent = program({ onCredentialEvent: fail, log: fail })
  expect((await silent.renew()).generation).toBe(2)
  await silent.close()
})

test('an end is told once, and again when it is another one', async () => {
  const client = await connect()
  const told = (): string[] => events.flatMap((event) => (event.type === 'stopped' ? [event.error.code] : []))
  const [installation] = server.installations
  installation!.agent.status = 'suspended'
  await pass(8)
  await expect.poll(told, { timeout: 15_000 }).toEqual(['agent_suspended'])
  await pass(6)
  expect(told()).toEqual(['agent_suspended'])
  installation!.agent.status = 'revoked'
  await passUntil(() => told().length > 1)
  expect(told()).toEqual(['agent_suspended', 'agent_revoked'])
  await client.close()
})
