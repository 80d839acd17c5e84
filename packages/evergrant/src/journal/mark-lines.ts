import type { ConnectionId } from '../core/ids.ts'
import type { HighWaterOrigin, Mark } from '../core/refresh/high-water.ts'

/** One line each: `o <instance> <era>`, `t <tick>`, `m <connection> <generation> <fingerprint or ->`. A torn last line is ignored. */
export const encodeOrigin = ({ instance, era }: HighWaterOrigin): string => `o ${instance} ${era}\n`
export const encodeTick = (tick: number): string => `t ${tick}\n`
export const encodeMark = ({ connection, generation, fingerprint }: Mark): string => `m ${connection} ${generation} ${cut(fingerprint) ?? '-'}\n`

/** Enough of a keyed hash to tell two tokens of one connection apart, and too little to be worth having. */
const FINGERPRINT_CHARACTERS = 16

/** As marks keep it: compare with this. */
function cut(fingerprint: string | null): string | null {
  return fingerprint === null ? null : fingerprint.slice(0, FINGERPRINT_CHARACTERS)
}

export interface MarkScan {
  readonly origin: HighWaterOrigin | null
  readonly tick: number
  /** How many ticks were read. */
  readonly ticks: number
  readonly marks: readonly Mark[]
  /** Those after the tick before the last one. */
  readonly uncovered: readonly Mark[]
}

const LINE = /^(?:o (\S+) (\d+)|t (\d+)|m (con_\S+) (\d+) (\S+))$/

export function scanMarks(text: string): MarkScan {
  let origin: HighWaterOrigin | null = null
  let tick = 0
  let ticks = 0
  let sinceEarlier = 0
  let sinceTick = 0
  const marks: Mark[] = []
  for (const line of text.slice(0, text.lastIndexOf('\n') + 1).split('\n')) {
    const parts = LINE.exec(line)
    if (parts === null) continue
    if (parts[1] !== undefined) origin = { instance: parts[1], era: Number(parts[2]) }
    else if (parts[3] !== undefined) {
      tick = Math.max(tick, Number(parts[3]))
      ticks += 1
      sinceEarlier = sinceTick
      sinceTick = marks.length
    } else marks.push({ connection: parts[4] as ConnectionId, generation: Number(parts[5]), fingerprint: parts[6] === '-' ? null : (parts[6] ?? null) })
  }
  return { origin, tick, ticks, marks, uncovered: marks.slice(sinceEarlier) }
}
