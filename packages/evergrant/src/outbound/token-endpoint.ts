import type { Socket } from 'node:net'
import { NotSent, type OpenLine, type ProviderRequest, type TokenEndpoint, type WireOutcome } from '../core/provider/wire.ts'
import type { Timers } from '../core/time.ts'
import type { AddressGuard } from './address-guard.ts'
import { createDialler, parseUrl, type Target, targetOf } from './connect.ts'
import { createKeptSockets } from './kept-sockets.ts'
import { discard, exchange } from './line.ts'

interface TokenEndpointOptions {
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
 * The client of token endpoints (RFC 6749 section 3.2): `node:http` over sockets that were connected before, no redirect,
 * no retry. A fresh connection each time unless `pooled`, which suits only providers whose refresh tokens can be used again.
 */
export function createTokenEndpoint(options: TokenEndpointOptions): ClosableTokenEndpoint {
  const { timers, maxBody = MAX_BODY } = options
  const dialler = createDialler(options)
  const kept = createKeptSockets()

  const places = new Map<string, Place>()
  /** @throws NotSent `invalid_url` */
  const placeOf = (address: string): Place => {
    const known = places.get(address)
    if (known !== undefined) return known
    const url = parseUrl(address)
    const target = targetOf(url)
    const place = { url, target, key: keyOf(target) }
    // A query may carry a token, and then no two addresses are the same.
    if (url.search !== '') return place
    if (places.size === PLACES) places.clear()
    places.set(address, place)
    return place
  }

  return {
    open: async (address, { pooled, certificate }) => {
      const { target, key } = placeOf(address)
      // Whoever shows a certificate speaks for one client: nobody else may get that connection.
      if (!pooled || certificate !== undefined) {
        const socket = watched(await dialler.dial(target, certificate))
        const send: Send = (request, url, deadlineMs) => exchange(socket, request, url, deadlineMs, { timers, maxBody, keep: false })
        return lineTo(key, placeOf, send, () => discard(socket))
      }
      const socket = kept.take(key) ?? kept.adopt(key, watched(await dialler.dial(target)))
      const send: Send = async (request, url, deadlineMs) => {
        const outcome = await exchange(socket, request, url, deadlineMs, { timers, maxBody, keep: true })
        kept.give(key, socket, outcome)
        return outcome
      }
      return lineTo(key, placeOf, send, () => kept.give(key, socket))
    },
    close: () => kept.close(),
  }
}

/** An address, taken apart once: the same few are asked again and again. Nothing about where its name leads is kept. */
interface Place {
  readonly url: URL
  readonly target: Target
  readonly key: string
}

const PLACES = 256

type Send = (request: ProviderRequest, url: URL, deadlineMs: number) => Promise<WireOutcome>

/** One request, to the place that the line leads to. */
function lineTo(key: string, placeOf: (address: string) => Place, send: Send, giveBack: () => void): OpenLine {
  let used = false
  return {
    send: (request, deadlineMs) => {
      const url = used ? null : sameOrigin(request.url, key, placeOf)
      if (url === null) return Promise.resolve({ kind: 'not_sent', cause: used ? 'line_already_used' : 'invalid_url' })
      used = true
      return send(request, url, deadlineMs)
    },
    close: () => {
      if (!used) giveBack()
      used = true
    },
  }
}

function keyOf(target: Target): string {
  return `${target.tls ? 'https' : 'http'}://${target.host}:${target.port}`
}

/** The line leads to one place; a request for another would carry that place's secrets to this one. */
function sameOrigin(address: string, key: string, placeOf: (address: string) => Place): URL | null {
  try {
    const place = placeOf(address)
    return place.key === key ? place.url : null
  } catch (error) {
    if (error instanceof NotSent) return null
    throw error
  }
}

/** Until the request is written a failure of the socket only marks it unusable. */
function watched(socket: Socket): Socket {
  return socket.on('error', () => {})
}
