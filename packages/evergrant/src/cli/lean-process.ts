import { existsSync } from 'node:fs'
import { isTesting, nodeOptions } from '../config.ts'

/** MiB. Where memory is plenty V8 keeps 134 MB for young objects; the work of a server needs a fraction of it. */
const YOUNG_MIB = 8
const YOUNG_FLAG = '--max-semi-space-size'
/** Without it whoever may send a signal to this process opens its inspector, and with that its memory. */
const DEAF_FLAG = '--disable-sigusr1'
const SHELL = '/bin/sh'
/** Node cannot lower its own limits, a shell can. Where the system forbids it, its own limit stays. */
const WITHOUT_CORE = 'ulimit -c 0 2>/dev/null; exec "$0" "$@"'

/**
 * Replaces this process by one with a small young generation: the same id, arguments, environment and streams. A process that holds real grants also opens no
 * inspector on a signal, and writes no core file. Does nothing where somebody chose both flags already, or where the system cannot (Windows): both count
 * from the start of a process alone.
 */
export function becomeLean(args: readonly string[]): void {
  const chosen = [...process.execArgv, nodeOptions()]
  const guarded = holdsGrants(args.includes('--development'))
  const flags = [...(guarded ? [DEAF_FLAG] : []), `${YOUNG_FLAG}=${YOUNG_MIB}`].filter(
    (flag) => !chosen.some((one) => one.includes(flag.split('=')[0] ?? flag)),
  )
  if (process.platform === 'win32' || flags.length === 0) return
  const command = [process.execPath, ...flags, ...process.execArgv, ...process.argv.slice(1)]
  if (guarded && existsSync(SHELL)) process.execve?.(SHELL, ['sh', '-c', WITHOUT_CORE, ...command])
  process.execve?.(process.execPath, command)
}

/** False for a rehearsal: what somebody wants to look into there holds nobody's grants. */
export function holdsGrants(development: boolean): boolean {
  return !development && !isTesting()
}
