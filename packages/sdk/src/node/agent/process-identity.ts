import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import process from 'node:process'

/** Who holds a lock. All of it may be null where a system does not tell. */
export interface LockOwner {
  readonly pid: number
  /** In ticks since the start of the system: tells a process from a later one with its number. */
  readonly started: string | null
  readonly namespace: string | null
  readonly host: string
  readonly boot: string | null
  /** Of this one acquisition. */
  readonly nonce: string
  /** ISO 8601, for people. */
  readonly since: string
}

/** `foreign`: another machine, boot or container, of whose processes nothing can be known here. */
export type OwnerState = 'alive' | 'stopped' | 'dead' | 'foreign'

/** Port to the processes of this machine. */
export interface Processes {
  self(): Omit<LockOwner, 'nonce' | 'since'>
  stateOf(owner: LockOwner): OwnerState
}

export const systemProcesses: Processes = { self: describeSelf, stateOf }

function describeSelf(): Omit<LockOwner, 'nonce' | 'since'> {
  return {
    pid: process.pid,
    started: statusOf(process.pid)?.started ?? null,
    namespace: attempt(() => readlinkSync('/proc/self/ns/pid')),
    host: hostname(),
    boot: attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
  }
}

/** Dead only where that is certain: the number is free, belongs to a later process, or to one that only waits to be buried. */
function stateOf(owner: LockOwner): OwnerState {
  const self = describeSelf()
  if (owner.host !== self.host || owner.boot !== self.boot || owner.namespace !== self.namespace) return 'foreign'
  if (!exists(owner.pid)) return 'dead'
  const status = statusOf(owner.pid)
  if (status === null) return 'alive'
  if (owner.started !== null && status.started !== owner.started) return 'dead'
  if (status.state === 'Z' || status.state === 'X') return 'dead'
  return status.state === 'T' || status.state === 't' ? 'stopped' : 'alive'
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it is there, and somebody else's.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

/** proc(5): after the name in brackets, which may hold anything, come the state (field 3) and the start (field 22). */
function statusOf(pid: number): { readonly state: string; readonly started: string } | null {
  const line = attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8'))
  if (line === null) return null
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ')
  const [state = '', started = ''] = [fields[0], fields[19]]
  return { state, started }
}

function attempt<Value>(read: () => Value): Value | null {
  try {
    return read()
  } catch {
    return null
  }
}
