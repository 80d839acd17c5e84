import { lookup as systemLookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { NotSent } from '../core/provider/wire.ts'
import type { Egress } from './egress.ts'

/** An address that may be connected to. */
export interface PinnedAddress {
  readonly address: string
  readonly family: 4 | 6
}

export interface AddressGuard {
  /**
   * Resolves `host` once and checks every answer; connect to what it returns, never to the name again.
   * @throws NotSent `private_address` when any answer is not public and the host is not allowed; a DNS code such as `ENOTFOUND` otherwise.
   */
  resolve(host: string, port: number): Promise<readonly [PinnedAddress, ...PinnedAddress[]]>
  /** True when private addresses and plain http are accepted for this host, because an operator or development mode says so. */
  allowsPrivate(host: string, port: number): boolean
  /**
   * The proxy that leads to the host; null where it is reached directly. Behind a proxy it is the proxy that looks names up,
   * so that only what is written can be checked here: addresses as such, and names that are private wherever one asks.
   * @throws NotSent `private_address`
   */
  egressTo(host: string, port: number): Egress | null
}

interface AddressGuardOptions {
  /** Exact hosts, or `host:port`, whose address may be private. The entry {@link NAT64} is no host but a network. */
  readonly allowPrivateHosts: readonly string[]
  /** Adds this machine's own names: localhost, 127.0.0.0/8, [::1]. */
  readonly development: boolean
  readonly egress?: Egress | null
  readonly lookup?: (host: string) => Promise<readonly { address: string; family: number }[]>
}

/**
 * Allowed where this network reaches IPv4 through a translator (RFC 6052): its name server then answers with these
 * addresses, and each counts as the IPv4 address inside. Elsewhere they are a way around the checks.
 */
const NAT64 = '[64:ff9b::]'

export function createAddressGuard(options: AddressGuardOptions): AddressGuard {
  const allowed = new Set(options.allowPrivateHosts.map((host) => host.toLowerCase()))
  const lookup = options.lookup ?? ((host: string) => systemLookup(host, { all: true, order: 'ipv4first' }))
  const isAllowed = (host: string, port: number): boolean =>
    allowed.has(host) || allowed.has(`${host}:${port}`) || (options.development && isLoopbackHost(host))

  return {
    allowsPrivate: (host, port) => isAllowed(host.toLowerCase(), port),
    egressTo: (name, port) => {
      const host = name.toLowerCase()
      const { egress = null } = options
      if (egress === null || egress.direct(host, port) || (options.development && isLoopbackHost(host))) return null
      if (!isAllowed(host, port) && isPrivateName(host, allowed.has(NAT64))) throw notPublic(host, port, 'is private by its name')
      return egress
    },
    resolve: async (name, port) => {
      const host = name.toLowerCase()
      const bare = host.replace(/^\[|\]$/g, '')
      const answers = isIP(bare) === 0 ? await ask(lookup, bare) : [{ address: bare }]
      const pinned = answers.map(({ address }): PinnedAddress => ({ address, family: isIP(address) === 6 ? 6 : 4 }))
      if (!isAllowed(host, port)) {
        const bad = pinned.find(({ address }) => !isPublicAddress(address, allowed.has(NAT64)))
        if (bad !== undefined) throw notPublic(host, port, `is at ${bad.address}, which is not a public address`)
      }
      const [first, ...others] = pinned
      if (first === undefined) throw new NotSent('ENOTFOUND', `${host} has no address`)
      return [first, ...others]
    },
  }
}

async function ask(lookup: NonNullable<AddressGuardOptions['lookup']>, host: string): Promise<readonly { address: string }[]> {
  try {
    return await lookup(host)
  } catch (error) {
    const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'EDNS'
    throw new NotSent(code, `${host} could not be resolved (${code})`)
  }
}

function notPublic(host: string, port: number, why: string): NotSent {
  return new NotSent('private_address', `${host} ${why}; if it is meant, add ${host}:${port} to EVERGRANT_DANGEROUS_PRIVATE_HOSTS`)
}

/** Ends of names that no public name server knows (RFC 6761, RFC 6762 appendix G, RFC 8375), and what clouds use inside. */
const PRIVATE_NAMES = /(?:^|\.)(?:localhost|local|localdomain|internal|intranet|private|corp|home|lan|home\.arpa|onion|test|invalid)\.?$/

/** As far as a name tells: an address that is not public, a name of this or that private network, a name without a dot. */
function isPrivateName(host: string, nat64: boolean): boolean {
  const bare = host.replace(/^\[|\]$/g, '')
  if (isIP(bare) !== 0) return !isPublicAddress(bare, nat64)
  return PRIVATE_NAMES.test(bare) || !bare.replace(/\.$/, '').includes('.')
}

function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}

const WELL_KNOWN_NAT64 = ipaddr.IPv6.parseCIDR('64:ff9b::/96')

/** Special purpose although `ipaddr.js` calls them unicast: IPv4-compatible, site-local, local NAT64, SRv6 segments, discard and dummy prefixes. */
const REFUSED_V6 = ['::/96', 'fec0::/10', '64:ff9b:1::/48', '5f00::/16', '3fff::/20', '100::/64', '100:0:0:1::/64'].map((range) => ipaddr.IPv6.parseCIDR(range))
const REFUSED_V4 = ['0.0.0.0/8', '192.0.0.0/24', '192.88.99.0/24', '198.18.0.0/15', '168.63.129.16/32'].map((range) => ipaddr.IPv4.parseCIDR(range))

/** True only for an address of the public internet, as it is written on the wire: an IPv4 address is none in the clothes of an IPv6 one. */
export function isPublicAddress(text: string, nat64 = false): boolean {
  if (!ipaddr.isValid(text)) return false
  const address = ipaddr.parse(text.split('%')[0] ?? text)
  if (address instanceof ipaddr.IPv4) return isPublicV4(address)
  if (!(address instanceof ipaddr.IPv6)) return false
  if (nat64 && address.match(WELL_KNOWN_NAT64)) return isPublicV4(new ipaddr.IPv4(address.toByteArray().slice(12)))
  return address.range() === 'unicast' && !REFUSED_V6.some((range) => address.match(range))
}

function isPublicV4(address: ipaddr.IPv4): boolean {
  return address.range() === 'unicast' && !REFUSED_V4.some((range) => address.match(range))
}
