import { getHeapStatistics } from 'node:v8'
import { cacheEntriesSet, nodeOptions } from '../config.ts'

/** MiB. Where memory is plenty V8 keeps 134 MB for young objects; the work of a server needs a fraction of it. */
const YOUNG_MIB = 8
/** MiB, without the tokens in memory. V8 lets garbage grow in proportion to the largest heap that it may ever have: to 3 times of what lives with 4 GB. */
const OLD_MIB = 768
const TOKENS_PER_MIB = 256
const MIB = 2 ** 20

/**
 * Replaces this process by one with a small young generation and a bounded old one: the same id, arguments, environment and streams.
 * A size that somebody chose stays, and so does a bound that is lower already (a small container). Does nothing where the system
 * cannot (Windows). V8 takes these flags only at its start.
 */
export function becomeLean(): void {
  if (process.platform === 'win32') return
  const flags = leanFlags([...process.execArgv, nodeOptions()].join(' '), cacheEntriesSet(), getHeapStatistics().heap_size_limit)
  if (flags.length > 0) process.execve?.(process.execPath, [process.execPath, ...flags, ...process.execArgv, ...process.argv.slice(1)])
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
