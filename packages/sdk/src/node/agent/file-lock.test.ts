import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { newAttemptId } from './dpop.ts'
import { lockFile, lockHolder } from './file-lock.ts'
import { type ExclusiveNames, lockPipe, pipeName, pipeNames } from './pipe-lock.ts'
import { type LockOwner, type OwnerState, type Processes, systemProcesses } from './process-identity.ts'

let folder: string
let path: string
const children: ChildProcess[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evergrant-lock-'))
  path = join(folder, 'credentials.lock')
})
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

/** Waiting lets time pass, and gives the turn to others. */
function timeThatPasses() {
  let mono = 0
  const wait = (ms: number): Promise<void> => {
    mono += ms
    return new Promise((resolve) => setImmediate(resolve))
  }
  return { wait, mono: () => mono }
}

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'locked',
    (error: Error & { code?: string }) => `${error.code}: ${error.message}`,
  )

function heldBy(owner: Partial<LockOwner>): LockOwner {
  const record = { ...systemProcesses.self(), nonce: newAttemptId(), since: '2026-11-21T12:00:00.000Z', ...owner }
  writeFileSync(path, JSON.stringify(record))
  return record
}

/** A process that lives until the test ends. */
async function sleeper(): Promise<number> {
  const child = spawn(process.execPath, ['-e', 'console.log("up"); setInterval(() => {}, 1e6)'], { stdio: ['ignore', 'pipe', 'ignore'] })
  children.push(child)
  await once(child.stdout, 'data')
  return child.pid ?? 0
}

test('one at a time holds it, and nothing is left behind', async () => {
  const { wait, mono } = timeThatPasses()
  let [inside, most, done] = [0, 0, 0]
  const one = async (): Promise<void> => {
    const lock = await lockFile(path, { wait, mono, patienceMs: 1e9 })
    inside += 1
    most = Math.max(most, inside)
    await new Promise((resolve) => setImmediate(resolve))
    inside -= 1
    done += 1
    await lock.release()
  }
  await Promise.all(Array.from({ length: 40 }, one))
  expect([most, done]).toEqual([1, 40])
  expect(readdirSync(folder)).toEqual([])
})

test('the lock of a process that was killed is taken at once, by one of many', async () => {
  const { wait, mono } = timeThatPasses()
  const child = spawn(process.execPath, ['-e', '0'])
  await once(child, 'exit')
  const dead = heldBy({ pid: child.pid ?? 0, started: '1' })
  // What it left while it waited goes, too.
  writeFileSync(`${path}.${newAttemptId()}`, JSON.stringify(dead))
  let [inside, most] = [0, 0]
  await Promise.all(
    Array.from({ length: 30 }, async () => {
      const lock = await lockFile(path, { wait, mono, patienceMs: 1e9 })
      inside += 1
      most = Math.max(most, inside)
      await new Promise((resolve) => setImmediate(resolve))
      inside -= 1
      await lock.release()
    }),
  )
  expect(most).toBe(1)
  expect(readdirSync(folder)).toEqual([])
})

test('a process that died in the middle of a takeover is taken over, too', async () => {
  const { wait, mono } = timeThatPasses()
  const states = new Map<string, OwnerState>()
  const processes: Processes = { self: systemProcesses.self, stateOf: ({ nonce }) => states.get(nonce) ?? 'alive' }
  const dead = heldBy({})
  const [second, third] = [
    { ...dead, nonce: newAttemptId() },
    { ...dead, nonce: newAttemptId() },
  ]
  for (const { nonce } of [dead, second, third]) states.set(nonce, 'dead')
  writeFileSync(`${path}.${dead.nonce}.takeover`, JSON.stringify(second))
  writeFileSync(`${path}.${second.nonce}.takeover`, JSON.stringify(third))
  const lock = await lockFile(path, { wait, mono, processes })
  await lock.release()
  expect(readdirSync(folder)).toEqual([])
})

test('a number that belongs to a later process does not hold it', async () => {
  const { wait, mono } = timeThatPasses()
  heldBy({ pid: await sleeper(), started: '1' })
  const lock = await lockFile(path, { wait, mono })
  await lock.release()
})

test('a holder that lives is waited for, and then named with what to do', async () => {
  const { wait, mono } = timeThatPasses()
  const pid = await sleeper()
  const started = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19] ?? null
  heldBy({ pid, started })
  const refused = await codeOf(lockFile(path, { wait, mono }))
  expect(refused).toMatch(/^credential_lock_held: Process \d+ on /)
  expect(refused).toContain(`kill ${pid}`)
  expect(mono()).toBeGreaterThan(45_000)
  process.kill(pid, 'SIGSTOP')
  await expect.poll(async () => (await lockHolder(path))?.state, { timeout: 15_000 }).toBe('stopped')
  expect(await codeOf(lockFile(path, { wait, mono }))).toContain(`kill -CONT ${pid}`)
  expect(existsSync(path)).toBe(true)
})

test.each([
  ['machine', { host: 'elsewhere' }],
  ['container', { namespace: 'pid:[1]' }],
  ['start of this machine', { boot: 'another' }],
])('the lock of another %s is taken after a minute, with a warning', async (_name, owner) => {
  const { wait, mono } = timeThatPasses()
  const warnings: string[] = []
  heldBy({ pid: process.pid, ...owner })
  const lock = await lockFile(path, { wait, mono, warn: (line) => warnings.push(line) })
  expect(mono()).toBeGreaterThan(60_000)
  expect(warnings).toEqual([expect.stringContaining('cannot be seen from here')])
  await lock.release()
  heldBy({ pid: process.pid, ...owner })
  const old = new Date(Date.now() - 61_000)
  utimesSync(path, old, old)
  const before = mono()
  await (await lockFile(path, { wait, mono })).release()
  expect(mono() - before).toBeLessThan(1_000)
})

test('who was away for longer than his lease does not release what another one holds', async () => {
  const { wait, mono } = timeThatPasses()
  const lock = await lockFile(path, { wait, mono })
  const other = heldBy({ host: 'elsewhere' })
  await lock.release()
  expect(JSON.parse(readFileSync(path, 'utf8')).nonce).toBe(other.nonce)
})

test('who takes over the lock of a dead process leaves a record alone that somebody is writing, and removes one that nobody finished', async () => {
  const { wait, mono } = timeThatPasses()
  const child = spawn(process.execPath, ['-e', '0'])
  await once(child, 'exit')
  heldBy({ pid: child.pid ?? 0, started: 'long ago' })
  const [written, left] = [`${path}.${newAttemptId()}`, `${path}.${newAttemptId()}`]
  writeFileSync(written, '')
  writeFileSync(left, '{"pid":')
  utimesSync(left, new Date(0), new Date(0))
  const lock = await lockFile(path, { wait, mono })
  expect([existsSync(written), existsSync(left)]).toEqual([true, false])
  await lock.release()
})

test('a file that is no lock is an error and stays', async () => {
  const { wait, mono } = timeThatPasses()
  writeFileSync(path, 'mine')
  expect(await codeOf(lockFile(path, { wait, mono }))).toMatch(/^credential_store_unreadable: .* is no lock of this client/)
  expect(readFileSync(path, 'utf8')).toBe('mine')
})

test('on Windows the name of a pipe is the lock: one server at a time', async () => {
  const { wait, mono } = timeThatPasses()
  const taken = new Set<string>()
  const names: ExclusiveNames = (name) => {
    if (taken.has(name)) return Promise.resolve('taken')
    taken.add(name)
    return Promise.resolve(async () => void taken.delete(name))
  }
  const first = await lockPipe('C:\\Users\\ana\\.evergrant\\x.lock', { wait, mono }, names)
  expect([...taken][0]).toMatch(/^\\\\\.\\pipe\\evergrant-[\w-]{43}$/)
  expect(await codeOf(lockPipe('c:\\users\\ana\\.evergrant\\x.lock', { wait, mono }, names))).toContain('credential_lock_held')
  await first.release()
  await (await lockPipe('C:\\Users\\ana\\.evergrant\\x.lock', { wait, mono }, names)).release()
  expect(pipeName('a')).not.toBe(pipeName('b'))
})

test('a name that the kernel keeps is free again when its server closes', async () => {
  const name = join(folder, 'socket')
  const release = await pipeNames(name)
  expect(release).toBeTypeOf('function')
  expect(await pipeNames(name)).toBe('taken')
  if (release !== 'taken') await release()
  const again = await pipeNames(name)
  expect(again).toBeTypeOf('function')
  if (again !== 'taken') await again()
})

test('a record that a full disk does not take leaves no name behind', async () => {
  const { wait, mono } = timeThatPasses()
  // Where the name could be made, and its content could not be written.
  const full = {
    toJSON(): never {
      throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
    },
  }
  const processes = { ...systemProcesses, self: () => ({ ...systemProcesses.self(), host: full as unknown as string }) }
  expect(await codeOf(lockFile(path, { wait, mono, processes }))).toMatch(/^credential_store_unwritable: .*ENOSPC/)
  expect(readdirSync(folder)).toEqual([])
})
