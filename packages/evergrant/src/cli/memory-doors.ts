import { readFileSync } from 'node:fs'
import { url as inspectorUrl } from 'node:inspector'
import { nodeOptions } from '../config.ts'
import { Fault } from '../core/fault/fault.ts'
import { type Finding, fine, problem } from './finding.ts'

/** Flags of Node that show the memory of a process, or write it to a file: keys, tokens and all. */
const DOORS =
  /^--(inspect(-brk|-wait|-brk-node)?|experimental-network-inspection|heapsnapshot-signal|heapsnapshot-near-heap-limit|heap-prof|report-(on-fatalerror|on-signal|uncaught-exception)|abort-on-uncaught-exception)$/

/** Those of the flags that open a door, as they were written, without their values. Node takes `_` for `-`. */
export function openDoors(flags: readonly string[], options: string): readonly string[] {
  const written = [...flags, ...options.split(/[\s"]+/)].map((flag) => flag.split('=')[0] ?? '')
  return [...new Set(written.filter((flag) => DOORS.test(`--${flag.slice(2).replaceAll('_', '-')}`)))]
}

/**
 * Before the first key is read (S83): a process that shows its memory does not start, and what Node would write when it dies is switched off.
 * @throws Fault `invalid_request` that names each flag.
 */
export function closeDoors(): void {
  const open = openDoors(process.execArgv, nodeOptions())
  if (open.length > 0 || inspectorUrl() !== undefined) {
    const what = open.length > 0 ? open.join(', ') : 'an inspector'
    const detail = `Node was started with ${what}, which shows the keys and tokens in its memory, or writes them to a file: take it out of the command line and of NODE_OPTIONS, or look into a server that is started with --development`
    throw new Fault('invalid_request', { field: 'NODE_OPTIONS', detail })
  }
  if (process.report === undefined) return
  process.report.reportOnFatalError = false
  process.report.reportOnSignal = false
  process.report.reportOnUncaughtException = false
  process.report.excludeEnv = true
}

/** What the kernel says of a running server; nothing where there is no such kernel. `real`: it may hold somebody's grants. */
export function memoryFinding(pid: number, real: boolean, proc = '/proc'): readonly Finding[] {
  const name = 'memory'
  let limits: string
  let command: readonly string[]
  try {
    limits = readFileSync(`${proc}/${pid}/limits`, 'utf8')
    command = readFileSync(`${proc}/${pid}/cmdline`, 'utf8').split('\0')
  } catch {
    return []
  }
  const core = /^Max core file size\s+(\S+)/m.exec(limits)?.[1] ?? 'unlimited'
  const shown = [
    ...(core === '0' ? [] : [`a crash may write its memory to a core file (limit ${core})`]),
    ...(command.includes('--disable-sigusr1') ? [] : ['SIGUSR1 opens its inspector on this machine']),
    ...openDoors(command, '').map((flag) => `it was started with ${flag}`),
  ]
  if (shown.length === 0) return [fine(name, 'no core file, no inspector')]
  if (!real) return [fine(name, `${shown.join('; ')}; the public address is this machine, so that is taken for a rehearsal`)]
  return [problem(name, shown.join('; '), 'start it with `evergrant serve`, which closes both, or set LimitCORE=0 and NODE_OPTIONS=--disable-sigusr1')]
}
