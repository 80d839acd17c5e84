import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { freemem } from 'node:os'
import { join } from 'node:path'

const MEMORY = '/dev/shm'
const PREFIX = 'evergrant-tests-'
/** What a run keeps at a time (databases with their logs, profiles of browsers), several times over. */
const ROOM_BYTES = 4 * 1024 ** 3

/**
 * A folder in memory for what a run writes, or null where the machine has none with room. Every database of a test is durable as in production and asks the
 * disk for each commit; in memory the same calls are made and answered at once, and a run does not wait for the disk tens of thousands of times.
 */
export function memoryFolder(): string | null {
  try {
    sweep()
    const { bavail, bsize } = statfsSync(MEMORY)
    if (bavail * bsize < ROOM_BYTES || freemem() < 2 * ROOM_BYTES) return null
    const folder = join(MEMORY, `${PREFIX}${process.pid}`)
    mkdirSync(folder)
    // PostgreSQL runs as a user of its own, who has to come through.
    chmodSync(folder, 0o755)
    if (runsPrograms(folder)) return folder
    rmSync(folder, { recursive: true, force: true })
    return null
  } catch {
    return null
  }
}

/** Tests compile and start programs of their own; where memory is mounted without that, they need a disk. */
function runsPrograms(folder: string): boolean {
  const program = join(folder, 'probe')
  writeFileSync(program, '#!/bin/sh\nexit 0\n', { mode: 0o755 })
  return spawnSync(program).status === 0
}

/** What runs left that were killed: memory is given back by nobody else. */
function sweep(): void {
  for (const name of readdirSync(MEMORY)) {
    if (name.startsWith(PREFIX) && !lives(Number(name.slice(PREFIX.length)))) rmSync(join(MEMORY, name), { recursive: true, force: true })
  }
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
