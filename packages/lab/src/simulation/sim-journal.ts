import type { Journal, JournalRecord, KeptAnswer } from '../../../evergrant/src/engine.ts'
import type { Oracle } from './invariants/oracle.ts'
import type { Life } from './life.ts'
import type { Weather } from './profile.ts'
import type { Random } from './random.ts'
import { never } from './sim-wire.ts'
import type { World } from './world.ts'

interface Kept {
  readonly record: JournalRecord
  onDisk: boolean
  settled: boolean
  settledOnDisk: boolean
}

/** The disk of one machine: it outlives the processes, unless it is lost. */
export class JournalDisk {
  kept: Kept[] = []

  /** The process died: what was not on disk may be gone. */
  crashed(random: Random): void {
    this.kept = this.kept.filter((one) => one.onDisk || random.chance(0.3))
    for (const one of this.kept) {
      one.onDisk = true
      one.settled = one.settledOnDisk
    }
  }

  /** The process closed its files. */
  closed(): void {
    for (const one of this.kept) {
      one.onDisk = true
      one.settledOnDisk = one.settled
    }
  }

  lose(): readonly JournalRecord[] {
    const lost = this.kept.filter((one) => one.onDisk && !one.settled).map((one) => one.record)
    this.kept = []
    return lost
  }
}

/** The journal as one process uses it: records reach the disk a little later, marks later still. */
export class SimJournal implements Journal {
  readonly #world: World
  readonly #weather: Weather
  readonly #oracle: Oracle
  readonly #life: Life
  readonly #disk: JournalDisk
  readonly #random: Random
  readonly #fault: Random
  #brokenUntil = 0

  constructor(parts: { world: World; weather: Weather; oracle: Oracle; random: Random; fault: Random }, life: Life, disk: JournalDisk) {
    this.#world = parts.world
    this.#weather = parts.weather
    this.#oracle = parts.oracle
    this.#random = parts.random
    this.#fault = parts.fault
    this.#life = life
    this.#disk = disk
  }

  append(record: JournalRecord): Promise<void> {
    if (!this.#life.alive || this.#oracle.buggify(this.#life, 'journal append')) return never()
    if (this.#weather.has('v') && this.#fault.chance(this.#weather.profile.chance.v)) {
      this.#world.count('fault v')
      this.#brokenUntil = this.#world.now + 2_000
      return new Promise((_resolve, reject) => void this.#life.later(3, () => reject(new Error('fdatasync: input/output error'))))
    }
    const kept: Kept = { record, onDisk: false, settled: false, settledOnDisk: false }
    this.#disk.kept.push(kept)
    return new Promise((resolve) => {
      // The disk works on while the process is paused.
      this.#world.after(this.#random.between(0, 5), () => {
        if (!this.#life.alive) return
        kept.onDisk = true
        this.#oracle.journaled(this.#life, record)
        if (this.#oracle.buggify(this.#life, 'journaled')) return
        this.#life.later(0, resolve)
      })
    })
  }

  settle(intent: string): void {
    const kept = this.#disk.kept.find((one) => one.record.intent === intent)
    if (kept === undefined || !this.#life.alive) return
    kept.settled = true
    this.#world.after(this.#random.between(10, 1_000), () => {
      kept.settledOnDisk = kept.settled
      if (kept.settledOnDisk && this.#disk.kept.length > 200) this.#disk.kept = this.#disk.kept.filter((one) => !one.settledOnDisk)
    })
  }

  pending(): Promise<readonly JournalRecord[]> {
    if (!this.#life.alive) return never()
    return Promise.resolve(this.#disk.kept.filter((one) => !one.settled).map((one) => one.record))
  }

  async *answers(): AsyncIterable<readonly KeptAnswer[]> {
    yield this.#disk.kept.map(({ record, settled }) => ({ record, settled }))
  }

  healthy(): boolean {
    return this.#world.now >= this.#brokenUntil
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}
