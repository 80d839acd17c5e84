import { readdirSync, readFileSync } from 'node:fs'

/** Linux counts processor time in hundredths of a second (USER_HZ), whatever the kernel's own tick. */
const MICROS_PER_TICK = 10_000
const PARENT = 1
const USER = 11
const SYSTEM = 12
const REAPED_USER = 13
const REAPED_SYSTEM = 14

/** The fields of /proc/<pid>/stat after the name, which may hold spaces and brackets itself. */
function statOf(pid: number): readonly string[] | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return null
  }
}

/** Processor time (user and system) that one process has used, in microseconds. 0 for a process that is gone. */
export function cpuMicrosOf(pid: number): number {
  const stat = statOf(pid)
  return stat === null ? 0 : (Number(stat[USER]) + Number(stat[SYSTEM])) * MICROS_PER_TICK
}

/** The same for a process, the children it has and the children it had. */
export function cpuMicrosOfTree(pid: number): number {
  const stat = statOf(pid)
  if (stat === null) return 0
  const reaped = (Number(stat[REAPED_USER]) + Number(stat[REAPED_SYSTEM])) * MICROS_PER_TICK
  return childrenOf(pid).reduce((sum, child) => sum + cpuMicrosOfTree(child), cpuMicrosOf(pid) + reaped)
}

function childrenOf(pid: number): readonly number[] {
  const pids = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
  return pids.filter((candidate) => Number(statOf(candidate)?.[PARENT]) === pid)
}

/** Resident memory now and at its highest, in bytes. */
export function memoryOf(pid: number): { readonly resident: number; readonly peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const kilobytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0)
  return { resident: kilobytes('VmRSS') * 1_024, peak: kilobytes('VmHWM') * 1_024 }
}
