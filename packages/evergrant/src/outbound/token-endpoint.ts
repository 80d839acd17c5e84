import type { Socket } from 'node:net'
import { NotSent, type OpenLine, type TokenEndpoint } from '../core/provider/wire.ts'
import type { Timers } from '../core/time.ts'
import type { AddressGuard } from './address-guard.ts'
import { createDialler, parseUrl, type Target, targetOf } from './connect.ts'
import { createIdleSockets, type IdleSockets } from './idle-sockets.ts'
import { discard, exchange, isUsable } from './line.ts'

export interface TokenEndpointOptions {
  readonly guard: AddressGuard
  readonly timers: Timers
  /** For DNS, TCP and TLS together; 10 s by default. */
  readonly connectMs?: number
  /** Largest answer in bytes; 64 KB by default. */
  readonly maxBody?: number
  /** Extra certificate authorities, PEM. */
  readonly ca?: string
}

export interface ClosableTokenEndpoint extends TokenEndpoint {
  /** Closes the connections that are kept for reuse. */
  close(): void
}

const MAX_BODY = 64 * 1024

/**
 * The client of token endpoints (RFC 6749 section 3.2): HTTP/1.1 over sockets of its own, no redirect, no retry. A fresh
 * connection each time unless `pooled`, which suits only providers whose refresh tokens can be used again.
 */
export function createTokenEndpoint(options: TokenEndpointOptions): ClosableTokenEndpoint {
  const { timers, maxBody = MAX_BODY } = options
  const dialler = createDialler(options)
  const idle = createIdleSockets(timers)

  return {
    open: async (address, { pooled }) => {
      const url = parseUrl(address)
      const target = targetOf(url)
      const kept = pooled ? idle.take(keyOf(target)) : undefined
      const socket = kept ?? watched(await dialler.dial(target))
      return lineOver(socket, target, pooled ? idle : null)
    },
    close: () => idle.close(),
  }

  function lineOver(socket: Socket, target: Target, pool: IdleSockets | null): OpenLine {
    const key = keyOf(target)
    const giveBack = pool === null ? null : (free: Socket): void => pool.put(key, free)
    let used = false
    return {
      send: (request, deadlineMs) => {
        const url = used ? null : sameOrigin(request.url, target)
        if (url === null) return Promise.resolve({ kind: 'not_sent', cause: used ? 'line_already_used' : 'invalid_url' })
        used = true
        return exchange(socket, request, url, deadlineMs, { timers, maxBody, giveBack })
      },
      close: () => {
        if (used) return
        used = true
        if (giveBack !== null && isUsable(socket)) giveBack(socket)
        else discard(socket)
      },
    }
  }
}

function keyOf(target: Target): string {
  return `${target.tls ? 'https' : 'http'}://${target.host}:${target.port}`
}

/** The line leads to one place; a request for another would carry that place's secrets to this one. */
function sameOrigin(address: string, target: Target): URL | null {
  try {
    const url = parseUrl(address)
    return keyOf(targetOf(url)) === keyOf(target) ? url : null
  } catch (error) {
    if (error instanceof NotSent) return null
    throw error
  }
}

/** Until the request is written a failure of the socket only marks it unusable. Bytes before a request are no answer to it. */
function watched(socket: Socket): Socket {
  return socket.on('error', () => {})
}
