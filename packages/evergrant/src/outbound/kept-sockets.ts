import { Agent } from 'node:http'
import type { Socket } from 'node:net'
import { discard, isUsable } from './line.ts'

/** Many servers close after 5 s of silence; a request that meets the closing would get no answer. */
const KEEP_MS = 3_000
const PER_ORIGIN = 128

/** A socket with an agent of its own, so that a line can hold it before its request is sent. The agent ends it after silence. */
export interface KeptSocket {
  readonly socket: Socket
  readonly agent: Agent
}

/** Connections that wait for their next request, by origin. */
export interface KeptSockets {
  /** Makes a fresh connection one that can be given. */
  adopt(key: string, socket: Socket): KeptSocket
  take(key: string): KeptSocket | undefined
  /** Closes what cannot carry another request. */
  give(key: string, kept: KeptSocket): void
  close(): void
}

export function createKeptSockets(): KeptSockets {
  const byKey = new Map<string, Set<KeptSocket>>()
  let closed = false

  const remove = (key: string, kept: KeptSocket): void => {
    const waiting = byKey.get(key)
    if (waiting?.delete(kept) && waiting.size === 0) byKey.delete(key)
  }
  return {
    adopt: (key, socket) => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1, maxFreeSockets: 1, timeout: KEEP_MS })
      agent.createConnection = () => socket
      const kept = { socket, agent }
      socket.once('close', () => remove(key, kept))
      return kept
    },
    take: (key) => {
      for (const kept of byKey.get(key) ?? []) {
        remove(key, kept)
        kept.socket.off('data', unexpected)
        if (isFree(kept)) return kept
        discard(kept.socket)
      }
      return undefined
    },
    give: (key, kept) => {
      const waiting = byKey.get(key) ?? new Set()
      if (closed || !isFree(kept) || waiting.size >= PER_ORIGIN) return discard(kept.socket)
      byKey.set(key, waiting.add(kept))
      // Bytes that nobody asked for end the connection.
      kept.socket.on('data', unexpected)
    },
    close: () => {
      closed = true
      for (const waiting of byKey.values()) for (const { socket } of waiting) discard(socket)
      byKey.clear()
    },
  }
}

function isFree({ socket, agent }: KeptSocket): boolean {
  return isUsable(socket) && Object.keys(agent.freeSockets).length === 1
}

function unexpected(this: Socket): void {
  this.destroy()
}
