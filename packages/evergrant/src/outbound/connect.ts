import { connect as connectTcp, type Socket } from 'node:net'
import { type ConnectionOptions, checkServerIdentity as checkIdentity, connect as connectTls, createSecureContext } from 'node:tls'
import { NotSent } from '../core/provider/wire.ts'
import type { Timers } from '../core/time.ts'
import type { AddressGuard, PinnedAddress } from './address-guard.ts'
import { type Egress, openTunnel } from './egress.ts'

export interface Dialler {
  /** A connected socket, TLS verified, to an address that the guard let pass. `certificate`: PEM of ours and of its key. @throws NotSent */
  dial(target: Target, certificate?: string): Promise<Socket>
}

/** Where a request goes: parsed from its URL once. */
export interface Target {
  readonly tls: boolean
  /** As in the URL: a name, an IPv4 address, or an IPv6 address in brackets. */
  readonly host: string
  readonly port: number
  /** What the `host` header says: the port only when it is not the scheme's own. */
  readonly authority: string
}

interface DiallerOptions {
  readonly guard: AddressGuard
  readonly timers: Timers
  /** For all addresses of one host together, DNS and TLS included. 10 s by default. */
  readonly connectMs?: number
  /** Extra certificate authorities, PEM; for tests and private providers. */
  readonly ca?: string
}

/** @throws NotSent `invalid_url` for anything but an http or https address without credentials. */
export function targetOf(url: URL): Target {
  const tls = url.protocol === 'https:'
  if ((!tls && url.protocol !== 'http:') || url.username !== '' || url.password !== '') {
    throw new NotSent('invalid_url', 'only http and https addresses without user and password can be requested')
  }
  return { tls, host: url.hostname, port: url.port === '' ? (tls ? 443 : 80) : Number(url.port), authority: url.host }
}

/** @throws NotSent `invalid_url` */
export function parseUrl(url: string): URL {
  if (!URL.canParse(url)) throw new NotSent('invalid_url', 'the address of the request is not a URL')
  return new URL(url)
}

const CONNECT_MS = 10_000
/** An address that does not answer must not use up the time of the next one. */
const ONE_ADDRESS_MS = 3_000

export function createDialler({ guard, timers, connectMs = CONNECT_MS, ca }: DiallerOptions): Dialler {
  /** Until the socket is ready to carry a request. */
  const ready = (socket: Socket, event: 'connect' | 'secureConnect', authority: string, ms: number): Promise<Socket> =>
    new Promise((resolve, reject) => {
      const fail = (reason: string): void => {
        cancel()
        socket.destroy()
        reject(new NotSent(reason, `no connection to ${authority} (${reason})`))
      }
      const cancel = timers.after(ms, () => fail('connect_timeout'))
      const onError = (error: NodeJS.ErrnoException): void => fail(error.code ?? 'connect_failed')
      const onClose = (): void => fail('closed_while_connecting')
      socket.once('error', onError)
      socket.once('close', onClose)
      socket.once(event, () => {
        cancel()
        socket.off('error', onError)
        socket.off('close', onClose)
        resolve(socket)
      })
    })

  const dialThrough = async (egress: Egress, target: Target, certificate: string | undefined): Promise<Socket> => {
    const socket = await openTunnel(egress, `${target.host}:${target.port}`, { timers, connectMs, ...(ca === undefined ? {} : { ca }) })
    return target.tls ? ready(connectTls({ socket, ...tlsTo(target, ca, certificate) }), 'secureConnect', target.authority, connectMs) : socket
  }
  const dialOne = (target: Target, { address, family }: PinnedAddress, ms: number, certificate: string | undefined): Promise<Socket> => {
    const where = { host: address, port: target.port, family, noDelay: true }
    const socket = target.tls ? connectTls({ ...where, ...tlsTo(target, ca, certificate) }) : connectTcp(where)
    return ready(socket, target.tls ? 'secureConnect' : 'connect', target.authority, ms)
  }

  return {
    dial: async (target, certificate) => {
      if (!target.tls && !guard.allowsPrivate(target.host, target.port)) {
        throw new NotSent('plain_http', `${target.authority} must be reached over https: plain http would send secrets in clear`)
      }
      const egress = guard.egressTo(target.host, target.port)
      if (egress !== null) return dialThrough(egress, target, certificate)
      const addresses = await guard.resolve(target.host, target.port)
      let failure: NotSent | undefined
      for (const [index, pinned] of addresses.entries()) {
        const last = index === addresses.length - 1
        try {
          return await dialOne(target, pinned, last ? connectMs : Math.min(connectMs, ONE_ADDRESS_MS), certificate)
        } catch (error) {
          if (!(error instanceof NotSent)) throw error
          failure = error
        }
      }
      throw failure ?? new NotSent('ENOTFOUND', `${target.authority} has no address`)
    },
  }
}

/** What we show of ourselves (RFC 8705 section 2). OpenSSL takes from the text what it looks for, the whole chain included. */
function shown(certificate: string): { readonly cert: string; readonly key: string } {
  try {
    createSecureContext({ cert: certificate, key: certificate })
    return { cert: certificate, key: certificate }
  } catch {
    throw new NotSent('client_certificate', 'the client certificate and its key cannot be used: both must be PEM, and belong together')
  }
}

function tlsTo(target: Target, ca: string | undefined, certificate: string | undefined): ConnectionOptions {
  const bare = target.host.replace(/^\[|\]$/g, '')
  const isName = !/^[\d.]+$|:/.test(bare)
  return {
    ...(isName ? { servername: bare } : {}),
    ...(ca === undefined ? {} : { ca }),
    ...(certificate === undefined ? {} : shown(certificate)),
    // Without a name the certificate is still checked, against the address.
    checkServerIdentity: (_connected, shownCertificate) => checkIdentity(bare, shownCertificate),
    ALPNProtocols: ['http/1.1'],
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true,
  }
}
