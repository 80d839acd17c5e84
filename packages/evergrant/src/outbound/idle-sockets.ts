import type { Socket } from 'node:net'
import type { Timers } from '../core/time.ts'
import { discard, isUsable } from './line.ts'

/** Connections that wait for their next request, by origin. */
export interface IdleSockets {
  take(key: string): Socket | undefined
  put(key: string, socket: Socket): void
  close(): void
}

/** Many servers close after 5 s of silence; a request that meets the closing would get no answer. */
const KEEP_MS = 3_000
const SWEEP_MS = 1_000
const PER_ORIGIN = 128

interface Idle {
  readonly socket: Socket
  sweeps: number
}

export function createIdleSockets(timers: Timers): IdleSockets {
  const byKey = new Map<string, Idle[]>()
  let cancelSweep: (() => void) | null = null
  let closed = false

  const sweep = (): void => {
    cancelSweep = null
    for (const [key, waiting] of byKey) {
      const kept = waiting.filter((idle) => {
        idle.sweeps += 1
        const keep = isUsable(idle.socket) && idle.sweeps * SWEEP_MS < KEEP_MS
        if (!keep) discard(idle.socket)
        return keep
      })
      if (kept.length === 0) byKey.delete(key)
      else byKey.set(key, kept)
    }
    if (byKey.size > 0) cancelSweep = timers.after(SWEEP_MS, sweep)
  }

  return {
    take: (key) => {
      const waiting = byKey.get(key)
      for (let idle = waiting?.pop(); idle !== undefined; idle = waiting?.pop()) {
        if (isUsable(idle.socket)) {
          idle.socket.off('data', unexpected).ref()
          return idle.socket
        }
        discard(idle.socket)
      }
      return undefined
    },
    put: (key, socket) => {
      const waiting = byKey.get(key) ?? []
      if (closed || !isUsable(socket) || waiting.length >= PER_ORIGIN) return discard(socket)
      byKey.set(key, waiting)
      waiting.push({ socket, sweeps: 0 })
      // Reading goes on, so that a closing server is noticed; bytes that nobody asked for end the connection.
      socket.on('data', unexpected).unref()
      cancelSweep ??= timers.after(SWEEP_MS, sweep)
    },
    close: () => {
      closed = true
      cancelSweep?.()
      for (const waiting of byKey.values()) for (const idle of waiting) discard(idle.socket)
      byKey.clear()
    },
  }
}

function unexpected(this: Socket): void {
  this.destroy()
}
