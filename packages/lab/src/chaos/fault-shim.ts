import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const SOURCE = fileURLToPath(new URL('./fault-shim.c', import.meta.url))
const FIELDS = ['clockMs', 'diskFull', 'syncFails', 'refused'] as const
type Field = (typeof FIELDS)[number]
const BYTES = 8

/** Why system calls cannot be made to fail on this machine; null: they can. */
export function shimMissing(): string | null {
  if (process.platform !== 'linux') return 'failing system calls and moved clocks need Linux'
  return spawnSync('cc', ['--version'], { stdio: 'ignore' }).status === 0 ? null : 'failing system calls and moved clocks need a C compiler (cc)'
}

/** Moves one process's wall clock and fails its journal's disk, on command: a library that is preloaded into it. */
export class FaultShim {
  readonly env: Readonly<Record<string, string>>
  readonly #orders: string

  private constructor(library: string, orders: string) {
    this.#orders = orders
    this.env = { LD_PRELOAD: library, LAB_SHIM_ORDERS: orders }
  }

  /** Null, when this machine cannot compile it. */
  static make(folder: string): FaultShim | null {
    if (shimMissing() !== null) return null
    mkdirSync(folder, { recursive: true })
    const library = join(folder, 'fault-shim.so')
    if (!existsSync(library)) {
      const { status, stderr } = spawnSync('cc', ['-O1', '-shared', '-fPIC', '-o', library, SOURCE, '-ldl'], { encoding: 'utf8' })
      if (status !== 0) throw new Error(`the fault shim does not compile:\n${stderr}`)
    }
    const orders = join(folder, 'orders')
    writeFileSync(orders, Buffer.alloc(FIELDS.length * BYTES))
    return new FaultShim(library, orders)
  }

  /** The wall clock of the process is ahead (or, negative, behind) by so much. */
  moveClock(ms: number): void {
    this.#write('clockMs', ms)
  }

  fillDisk(): void {
    this.#write('diskFull', 1)
  }

  /** So many syncs of the journal fail from now on. */
  failSyncs(count: number): void {
    this.#write('syncFails', count)
  }

  /** How many calls were refused so far. */
  refused(): number {
    const file = openSync(this.#orders, 'r')
    try {
      const bytes = Buffer.alloc(BYTES)
      readSync(file, bytes, 0, BYTES, FIELDS.indexOf('refused') * BYTES)
      return Number(bytes.readBigInt64LE())
    } finally {
      closeSync(file)
    }
  }

  heal(): void {
    for (const field of ['clockMs', 'diskFull', 'syncFails'] as const) this.#write(field, 0)
  }

  #write(field: Field, value: number): void {
    const bytes = Buffer.alloc(BYTES)
    bytes.writeBigInt64LE(BigInt(value))
    const file = openSync(this.#orders, 'r+')
    try {
      writeSync(file, bytes, 0, BYTES, FIELDS.indexOf(field) * BYTES)
    } finally {
      closeSync(file)
    }
  }
}
