import { link, open, readdir, readFile, stat, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { storeError } from './client-errors.ts'
import { newAttemptId } from './dpop.ts'
import { type LockOwner, type OwnerState, type Processes, systemProcesses } from './process-identity.ts'
import { errorCode } from './safe-files.ts'

/** How long another machine or container, whose processes cannot be seen from here, may hold the lock. Nobody holds it for longer than one request. */
const LEASE_MS = 60_000
/** A holder that lives and is in the way is waited for so long: longer than any request of it. */
const PATIENCE_MS = 45_000
const POLL_MIN_MS = 10
const POLL_MAX_MS = 200
const NONCE = /^[A-Za-z0-9_-]{22}$/

export interface HeldLock {
  release(): Promise<void>
}

export interface LockOptions {
  readonly wait: (ms: number) => Promise<void>
  /** Milliseconds; only differences count. */
  readonly mono?: () => number
  readonly random?: () => number
  readonly patienceMs?: number
  readonly processes?: Processes
  /** For people, once per acquisition. */
  readonly warn?: (line: string) => void
}

/**
 * The exclusive lock of one credential over all processes of this machine. Published by `link()`, so that it appears whole or not at all; taken from a dead
 * holder by one process at a time. A time stamp never decides whether a holder on this machine is dead.
 * @throws CredentialStoreError `credential_lock_held` when a live holder does not let go
 */
export async function lockFile(path: string, options: LockOptions): Promise<HeldLock> {
  const { processes = systemProcesses, mono = () => performance.now(), random = Math.random, patienceMs = PATIENCE_MS } = options
  const nonce = newAttemptId()
  const own = `${path}.${nonce}`
  await publishable(own, { ...processes.self(), nonce, since: new Date().toISOString() })
  const warned = new Set<string>()
  const warn = (owner: LockOwner): void => {
    if (warned.has(owner.nonce)) return
    warned.add(owner.nonce)
    options.warn?.(
      `the lock ${path} is held by process ${owner.pid} on ${owner.host}, which cannot be seen from here; it is taken when it is ${LEASE_MS / 1_000} s old`,
    )
  }
  const started = mono()
  const race: Race = { path, own, processes, mono, seen: new Map(), warn }
  try {
    for (let pause = POLL_MIN_MS; ; pause = Math.min(2 * pause, POLL_MAX_MS)) {
      if (await tryLink(own, path)) return { release: () => release(path, nonce) }
      const standing = await standingOf(race, path)
      if (standing.kind === 'gone') continue
      if (standing.kind === 'over' && (await takeOver(race, standing.owner))) continue
      if (mono() - started > patienceMs + (standing.kind === 'leased' ? LEASE_MS : 0)) throw heldBy(path, standing)
      await options.wait(pause * (0.5 + random()))
    }
  } finally {
    await unlink(own).catch(() => {})
  }
}

interface Race {
  readonly path: string
  /** The file with our record, whose links are our claims. */
  readonly own: string
  readonly processes: Processes
  readonly mono: () => number
  /** When this process first saw a record, by its nonce. */
  readonly seen: Map<string, number>
  readonly warn: (owner: LockOwner) => void
}

type Standing = { readonly kind: 'gone' } | { readonly kind: 'held' | 'leased' | 'over'; readonly owner: LockOwner; readonly state: OwnerState }

async function standingOf(race: Race, path: string): Promise<Standing> {
  const owner = await readOwner(path)
  if (owner === null) return { kind: 'gone' }
  const state = race.processes.stateOf(owner)
  if (state === 'dead') return { kind: 'over', owner, state }
  if (state !== 'foreign') return { kind: 'held', owner, state }
  race.warn(owner)
  return { kind: (await leaseIsOver(race, path, owner)) ? 'over' : 'leased', owner, state }
}

/** By the clock of the file system, which wrote both times, or by watching it for that long. */
async function leaseIsOver(race: Race, path: string, owner: LockOwner): Promise<boolean> {
  const first = race.seen.get(owner.nonce) ?? race.mono()
  race.seen.set(owner.nonce, first)
  return race.mono() - first > LEASE_MS || (await isOlder(path, race.own))
}

/**
 * Takes a dead holder's lock away. Whoever links the marker that bears the dead record's nonce may do it, alone: the marker stays until the record is gone,
 * and a nonce never returns. A marker whose owner died is taken over in the same way. True when the name may be tried again at once.
 */
async function takeOver(race: Race, dead: LockOwner): Promise<boolean> {
  const markers: string[] = []
  for (let victim = dead; ; ) {
    const marker = `${race.path}.${victim.nonce}.takeover`
    if (await tryLink(race.own, marker)) {
      markers.push(marker)
      break
    }
    const standing = await standingOf(race, marker)
    if (standing.kind !== 'over') return false
    markers.push(marker)
    victim = standing.owner
  }
  const current = await readOwner(race.path)
  if (current?.nonce === dead.nonce) await unlink(race.path)
  for (const marker of markers) await unlink(marker).catch(() => {})
  await sweep(race)
  return true
}

/** The private records of those who died while they waited. One that is not whole yet is being written at this moment, or its writer died over it. */
async function sweep({ path, own, processes }: Race): Promise<void> {
  const [folder, prefix] = [dirname(path), `${basename(path)}.`]
  for (const name of await readdir(folder).catch(() => [])) {
    if (!name.startsWith(prefix) || !NONCE.test(name.slice(prefix.length)) || join(folder, name) === own) continue
    const record = join(folder, name)
    const owner = await readOwner(record).catch(() => 'half' as const)
    const over = owner === 'half' ? await isOlder(record, own) : owner !== null && processes.stateOf(owner) === 'dead'
    if (over) await unlink(record).catch(() => {})
  }
}

/** By a lease, on the clock of the file system. */
async function isOlder(path: string, than: string): Promise<boolean> {
  const [theirs, ours] = await Promise.all([stat(path).catch(() => null), stat(than)])
  return theirs !== null && ours.mtimeMs - theirs.mtimeMs > LEASE_MS
}

/** Only while the record is still ours: after a lease was over, it is somebody else's. */
async function release(path: string, nonce: string): Promise<void> {
  const owner = await readOwner(path)
  if (owner?.nonce === nonce) await unlink(path).catch(() => {})
}

async function publishable(path: string, owner: LockOwner): Promise<void> {
  try {
    const file = await open(path, 'wx', 0o600)
    try {
      await file.writeFile(JSON.stringify(owner))
      // Else a power failure could leave the name with nothing behind it.
      await file.sync()
    } finally {
      await file.close()
    }
  } catch (cause) {
    // On a full disk the name may be there already, and each try would leave another one.
    await unlink(path).catch(() => {})
    throw storeError('credential_store_unwritable', `The lock ${path} cannot be written (${errorCode(cause)}).`, cause)
  }
}

async function tryLink(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (cause) {
    if (errorCode(cause) === 'EEXIST') return false
    const why = errorCode(cause)
    throw storeError('credential_store_unwritable', `The lock ${to} cannot be made (${why}). Set EVERGRANT_HOME to a file system that has hard links.`, cause)
  }
}

/** Null when nothing stands there. A record that is not one of ours is an error, and never a reason to take the lock. */
async function readOwner(path: string): Promise<LockOwner | null> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') return null
    throw storeError('credential_store_unreadable', `The lock ${path} cannot be read (${errorCode(cause)}).`, cause)
  }
  try {
    const { pid, started, namespace, host, boot, nonce, since } = JSON.parse(text)
    if (Number.isSafeInteger(pid) && typeof host === 'string' && NONCE.test(nonce)) return { pid, started, namespace, host, boot, nonce, since: String(since) }
  } catch {
    // Said below.
  }
  throw storeError('credential_store_unreadable', `${path} is no lock of this client. Look at it, and remove it when no program uses these credentials.`)
}

function heldBy(path: string, { owner, state }: Exclude<Standing, { kind: 'gone' }>): Error {
  const advice = state === 'stopped' ? `It is stopped: continue it (kill -CONT ${owner.pid}) or end it.` : `If it hangs, end it: kill ${owner.pid}.`
  return storeError(
    'credential_lock_held',
    `Process ${owner.pid} on ${owner.host} holds the credentials since ${owner.since} and does not let go (${path}). ${advice} Nothing was changed.`,
  )
}

/** Who holds the lock now, for a person who looks. */
export async function lockHolder(
  path: string,
  processes: Processes = systemProcesses,
): Promise<{ readonly owner: LockOwner; readonly state: OwnerState } | null> {
  const owner = await readOwner(path)
  return owner === null ? null : { owner, state: processes.stateOf(owner) }
}
