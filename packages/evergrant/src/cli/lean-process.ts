import { existsSync } from 'node:fs'
import { getHeapStatistics } from 'node:v8'
import { cacheEntriesSet, isTesting, nodeOptions } from '../config.ts'

/** MiB. Where memory is plenty V8 keeps 134 MB for young objects; the work of a server needs a fraction of it. */
const YOUNG_MIB = 8
/** MiB, without the tokens in memory. V8 lets garbage grow in proportion to the largest heap that it may ever have: to 3 times of what lives with 4 GB. */
const OLD_MIB = 768
const TOKENS_PER_MIB = 256
const MIB = 2 ** 20
/** Without it whoever may send a signal to this process opens its inspector, and with that its memory. */
const DEAF_FLAG = '--disable-sigusr1'
const SHELL = '/bin/sh'
/** Node cannot lower its own limits, a shell can. Where the system forbids it, its own limit stays. */
const WITHOUT_CORE = 'ulimit -c 0 2>/dev/null; exec "$0" "$@"'

/**
 * Replaces this process by one with a small young generation and a bounded old one: the same id, arguments, environment and streams. A
 * process that holds real grants also opens no inspector on a signal, and writes no core file. A size that somebody chose stays. Does
 * nothing where everything was chosen already, or where the system cannot (Windows): all of it counts from the start of a process alone.
 */
export function becomeLean(args: readonly string[]): void {
  if (process.platform === 'win32') return
  const chosen = [...process.execArgv, nodeOptions()].join(' ')
  const guarded = holdsGrants(args.includes('--development'))
  const flags = [...(guarded && !chosen.includes(DEAF_FLAG) ? [DEAF_FLAG] : []), ...leanFlags(chosen, cacheEntriesSet(), getHeapStatistics().heap_size_limit)]
  if (flags.length === 0) return
  const command = [process.execPath, ...flags, ...process.execArgv, ...process.argv.slice(1)]
  if (guarded && existsSync(SHELL)) process.execve?.(SHELL, ['sh', '-c', WITHOUT_CORE, ...command])
  process.execve?.(process.execPath, command)
}

/** `chosen`: the flags this process has; `entries`: tokens that it keeps in memory; `limit`: bytes its heap may have as it is. */
export function leanFlags(chosen: string, entries: number, limit: number): readonly string[] {
  const named = chosen.replaceAll('_', '-')
  const old = OLD_MIB + Math.ceil(entries / TOKENS_PER_MIB)
  return [
    ...(named.includes('--max-semi-space-size') ? [] : [`--max-semi-space-size=${YOUNG_MIB}`]),
    ...(/--max-(old-space|heap)-size/.test(named) || limit <= old * MIB ? [] : [`--max-old-space-size=${old}`]),
  ]
}

/** False for a rehearsal: what somebody wants to look into there holds nobody's grants. */
export function holdsGrants(development: boolean): boolean {
  return !development && !isTesting()
}
