import { randomBytes } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Clock, Entropy, Timers } from './core/time.ts'

/** The machine's clock: `wall` follows the system time, `mono` only ever grows. */
export const systemClock: Clock = {
  wall: () => Date.now(),
  mono: () => performance.now(),
}

/** Node clamps longer waits to one millisecond, so a long wait is cut into pieces of at most this. */
const LONGEST_TIMER = 2 ** 31 - 1

/** The machine's timers. `sleep` keeps the process alive, `after` does not. */
export const systemTimers: Timers = {
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      const finish = (): void => {
        cancel()
        signal?.removeEventListener('abort', finish)
        resolve()
      }
      const cancel = startTimer(ms, finish, true)
      signal?.addEventListener('abort', finish, { once: true })
    }),
  after: (ms, task) => startTimer(ms, task, false),
}

function startTimer(ms: number, task: () => void, keepAlive: boolean): () => void {
  let left = Math.max(0, ms)
  let handle: NodeJS.Timeout
  const next = (): void => {
    const piece = Math.min(left, LONGEST_TIMER)
    left -= piece
    handle = setTimeout(left > 0 ? next : task, piece)
    if (!keepAlive) handle.unref()
  }
  next()
  return () => clearTimeout(handle)
}

/** Random bytes are drawn from the operating system in blocks: one call costs more than the few bytes of a nonce. */
const BLOCK = 4_096
let block = randomBytes(BLOCK)
let used = 0

function draw(length: number): Uint8Array {
  if (length > BLOCK / 4) return new Uint8Array(randomBytes(length))
  if (used + length > BLOCK) {
    block = randomBytes(BLOCK)
    used = 0
  }
  const bytes = Uint8Array.prototype.slice.call(block, used, used + length)
  block.fill(0, used, used + length)
  used += length
  return bytes
}

/** 53 random bits: every double in [0, 1) that such a fraction can be. */
function uniform(): number {
  if (used + 8 > BLOCK) {
    block = randomBytes(BLOCK)
    used = 0
  }
  const high = block.readUInt32BE(used) >>> 5
  const low = block.readUInt32BE(used + 4) >>> 6
  used += 8
  return (high * 2 ** 26 + low) / 2 ** 53
}

/** The operating system's randomness. */
export const systemEntropy: Entropy = { bytes: draw, uniform, uuid: uuidSource(() => Date.now(), draw) }

/**
 * A source of UUIDv7 (RFC 9562 section 5.7) that never goes back: 48 bits of time, then a counter in the 12 bits of
 * `rand_a` (section 6.2, method 1), then 62 random bits. A clock that steps back keeps the last millisecond, and a full
 * counter borrows the next one.
 */
export function uuidSource(wall: () => number, bytes: (length: number) => Uint8Array): () => string {
  let last = 0
  let time = ''
  let counter = 0
  let random = new Uint8Array(0)
  let at = 0
  const next = (): number => random[at++] ?? 0
  return () => {
    if (at + UUID_BYTES > random.length) {
      random = Uint8Array.from(bytes(UUID_BYTES * UUIDS_AT_ONCE))
      at = 0
    }
    const start = ((next() << 8) | next()) & 0x7ff
    const now = wall()
    let moved = true
    if (now > last) {
      last = now
      counter = start
    } else if (++counter > 0xfff) {
      last += 1
      counter = 0
    } else {
      moved = time === ''
    }
    if (moved) time = last.toString(16).padStart(12, '0').replace(/^.{8}/, '$&-')
    const variant = HEX[(next() & 0x3f) | 0x80]
    const tail = `${variant}${HEX[next()]}-${HEX[next()]}${HEX[next()]}${HEX[next()]}${HEX[next()]}${HEX[next()]}${HEX[next()]}`
    return `${time}-7${counter.toString(16).padStart(3, '0')}-${tail}`
  }
}

const UUID_BYTES = 10
const UUIDS_AT_ONCE = 16
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

let collectYoung: (() => void) | undefined

/** V8's collector answers only where this flag was set before a context is made, which may be at any time. */
function collector(): () => void {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  return typeof collect === 'function' ? () => void collect({ type: 'minor' }) : () => {}
}

/** Collects what is young: about a millisecond. For `outbound/stream-relief.ts`. */
export function collectYoungBuffers(): void {
  collectYoung ??= collector()
  collectYoung()
}
