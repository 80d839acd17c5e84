import type { ClientRequest } from 'node:http'
import { request as requestHttps } from 'node:https'
import { BlockList, isIP, type Socket } from 'node:net'
import { NotSent } from '../core/provider/wire.ts'
import type { Timers } from '../core/time.ts'

// An import of values would make Node load its own fetch as well: a thirtieth of a start, for what a server never uses.
const { request: requestHttp } = process.getBuiltinModule('node:http')

/** The proxy that outgoing connections go through, where a network allows no other way out. */
export interface Egress {
  readonly url: URL
  /** True for what is reached without it. */
  direct(host: string, port: number): boolean
}

/**
 * `directly`: exact hosts, `.example.com` for all below it, addresses and networks such as `10.0.0.0/8`, `*` for everything;
 * hosts may be followed by a port.
 */
export function createEgress(url: string, directly: readonly string[]): Egress {
  const networks = new BlockList()
  const hosts = new Set<string>()
  const suffixes: string[] = []
  for (const entry of directly.map((text) => text.toLowerCase())) {
    const [address = '', length] = entry.split('/')
    const bare = address.replace(/^\[|\]$/g, '')
    const family = isIP(bare) === 6 ? 'ipv6' : 'ipv4'
    if (length !== undefined) networks.addSubnet(bare, Number(length), family)
    else if (isIP(bare) !== 0) networks.addAddress(bare, family)
    else if (/^\*?\./.test(entry)) suffixes.push(entry.replace(/^\*/, ''))
    else hosts.add(entry)
  }
  return {
    url: new URL(url),
    direct: (host, port) => {
      const name = host.toLowerCase()
      const bare = name.replace(/^\[|\]$/g, '')
      if (isIP(bare) !== 0 && networks.check(bare, isIP(bare) === 6 ? 'ipv6' : 'ipv4')) return true
      const names = [name, `${name}:${port}`]
      return hosts.has('*') || names.some((one) => hosts.has(one) || suffixes.some((suffix) => one.endsWith(suffix)))
    },
  }
}

interface TunnelOptions {
  readonly timers: Timers
  /** Until the proxy says that the way is open. */
  readonly connectMs: number
  /** Extra certificate authorities for a proxy that is reached over TLS, PEM. */
  readonly ca?: string
}

/** A connection to `authority` (`host:port`) through the proxy (RFC 9110 section 9.3.6). @throws NotSent `egress_...` */
export function openTunnel({ url }: Egress, authority: string, { timers, connectMs, ca }: TunnelOptions): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const asking = ask(url, authority, ca)
    const fail = (reason: string): void => {
      cancel()
      asking.destroy()
      reject(new NotSent(`egress_${reason}`, `no way to ${authority} through the egress proxy at ${url.host} (${reason})`))
    }
    const cancel = timers.after(connectMs, () => fail('timeout'))
    asking.once('error', (error: NodeJS.ErrnoException) => fail(error.code ?? 'failed'))
    // A proxy that answers CONNECT like a page is none.
    asking.once('response', ({ statusCode }) => fail(`status_${statusCode ?? 0}`))
    asking.once('connect', (answer, socket: Socket, head: Buffer) => {
      const status = answer.statusCode ?? 0
      // Bytes before ours would be read as the beginning of the provider's answer.
      if (status < 200 || status > 299 || head.length > 0) {
        socket.destroy()
        return fail(head.length > 0 && status >= 200 && status <= 299 ? 'early_bytes' : `status_${status}`)
      }
      cancel()
      socket.setNoDelay(true)
      resolve(socket)
    })
    asking.end()
  })
}

function ask(url: URL, authority: string, ca: string | undefined): ClientRequest {
  const { username, password } = url
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  const options = {
    method: 'CONNECT',
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port),
    path: authority,
    agent: false,
    headers: {
      host: authority,
      ...(username === '' ? {} : { 'proxy-authorization': `Basic ${Buffer.from(credentials, 'utf8').toString('base64')}` }),
    },
  }
  return url.protocol === 'https:' ? requestHttps({ ...options, ...(ca === undefined ? {} : { ca }) }) : requestHttp(options)
}
