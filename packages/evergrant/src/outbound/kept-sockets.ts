import type { Socket } from 'node:net'
import type { WireOutcome } from '../core/provider/wire.ts'
import { discard, isUsable } from './line.ts'

/** Many servers close after 5 s of silence; a request that meets the closing would get no answer. */
const KEEP_MS = 3_000
/** Left of what the server says it waits: the way takes time. */
const MARGIN_MS = 1_000
const PER_ORIGIN = 128

/** Connections that wait for their next request, by origin. */
interface KeptSockets {
  /** Makes a fresh connection one that can be given. */
  adopt(key: string, socket: Socket): Socket
  take(key: string): Socket | undefined
  /** Closes what cannot carry another request. `after`: what its request came to; without it, there was none. */
  give(key: string, socket: Socket, after?: WireOutcome): void
  close(): void
}

export function createKeptSockets(): KeptSockets {
  const byKey = new Map<string, Set<Socket>>()
  let closed = false

  const remove = (key: string, socket: Socket): void => {
    const waiting = byKey.get(key)
    if (waiting?.delete(socket) && waiting.size === 0) byKey.delete(key)
  }
  return {
    adopt: (key, socket) => socket.once('close', () => remove(key, socket)).on('timeout', ended),
    take: (key) => {
      for (const socket of byKey.get(key) ?? []) {
        remove(key, socket)
        socket.off('data', ended)
        socket.setTimeout(0)
        if (isUsable(socket)) return socket
        discard(socket)
      }
      return undefined
    },
    give: (key, socket, after) => {
      const waiting = byKey.get(key) ?? new Set()
      const keepMs = after === undefined ? KEEP_MS : keepAfter(after)
      if (closed || keepMs <= 0 || !isUsable(socket) || waiting.size >= PER_ORIGIN) return discard(socket)
      byKey.set(key, waiting.add(socket))
      socket.setTimeout(keepMs)
      // Bytes that nobody asked for end the connection.
      socket.on('data', ended)
    },
    close: () => {
      closed = true
      for (const waiting of byKey.values()) for (const socket of waiting) discard(socket)
      byKey.clear()
    },
  }
}

/** A server may say how long it waits (`Keep-Alive: timeout=5`, in seconds). */
function keepAfter(outcome: WireOutcome): number {
  if (outcome.kind !== 'answered') return 0
  const said = /\btimeout=(\d+)/.exec(outcome.answer.headers['keep-alive'] ?? '')
  return said === null ? KEEP_MS : Math.min(KEEP_MS, Number(said[1]) * 1_000 - MARGIN_MS)
}

function ended(this: Socket): void {
  this.destroy()
}
