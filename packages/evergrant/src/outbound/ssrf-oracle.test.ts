import { Agent, createServer } from 'node:http'
import { type AddressInfo, isIP, type LookupFunction } from 'node:net'
import { RequestFilteringHttpAgent } from 'request-filtering-agent'
import filterRequests from 'ssrf-req-filter'
import { expect, test } from 'vitest'
import { systemTimers } from '../system.ts'
import { createAddressGuard } from './address-guard.ts'
import { createProxyTransport } from './proxy-transport.ts'

/** What a name leads to, in the order of the answers. */
type Answers = readonly string[]

/** Ranges of the registries of special purpose addresses (RFC 6890 and what came after it), each with both of its ends. */
const SPECIAL_V4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '255.255.255.255/32',
]
const SPECIAL_V6 = [
  '::',
  '::1',
  '::2',
  '::ffff:ffff',
  '64:ff9b::',
  '64:ff9b:1::1',
  '100::1',
  '100:0:0:1::1',
  '2001::1',
  '2001:1::1',
  '2001:2::1',
  '2001:3::1',
  '2001:4:112::1',
  '2001:10::1',
  '2001:20::1',
  '2001:30::1',
  '2001:db8::1',
  '2002::1',
  '2620:4f:8000::1',
  '3fff::1',
  '5f00::1',
  'fc00::1',
  'fdff:ffff::1',
  'fe80::1',
  'febf::1',
  'fec0::1',
  'ff00::1',
  'ff02::1',
  'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
]
const PUBLIC = ['1.1.1.1', '8.8.8.8', '93.184.216.34', '172.32.0.1', '100.128.0.1', '2606:4700:4700::1111', '2a00:1450:4001:80b::200e']

const numberOf = (address: string): number => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
const dotted = (value: number): string => [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.')
const ends = (range: string): readonly string[] => {
  const [base = '', length = '32'] = range.split('/')
  const size = 2 ** (32 - Number(length))
  const first = numberOf(base)
  return [...new Set([first, first + Math.floor(size / 2), first + size - 1])].map(dotted)
}
const hex = (value: number): string => value.toString(16)

/** An IPv4 address in the clothes of IPv6: mapped, compatible, translated, 6to4, NAT64, Teredo (as server and as client). */
function inV6(address: string): readonly string[] {
  const value = numberOf(address)
  const [high, low] = [hex(Math.floor(value / 65_536)), hex(value % 65_536)]
  const turned = hex(0xffff - (value % 65_536))
  return [
    `::ffff:${address}`,
    `::ffff:${high}:${low}`,
    `::${high}:${low}`,
    `::ffff:0:${high}:${low}`,
    `2002:${high}:${low}::`,
    `64:ff9b::${high}:${low}`,
    `64:ff9b:1::${high}:${low}`,
    `2001:0:${high}:${low}::`,
    `2001:0:808:808:0:0:${hex(0xffff - Math.floor(value / 65_536))}:${turned}`,
  ]
}

/** The same IPv4 address as URLs may spell it. */
function spellings(address: string): readonly string[] {
  const value = numberOf(address)
  const parts = address.split('.').map(Number)
  const [first = 0, second = 0] = parts
  return [
    String(value),
    `0x${hex(value)}`,
    `0${value.toString(8)}`,
    parts.map((part) => `0${part.toString(8)}`).join('.'),
    parts.map((part) => `0x${hex(part)}`).join('.'),
    `${first}.${second}.${value % 65_536}`,
    `${first}.${value % 16_777_216}`,
    `${address}.`,
    address.split('').map(encodeDigit).join(''),
  ]
}
const encodeDigit = (sign: string): string => (sign === '.' ? '%2e' : sign)

const lookupOf =
  (answers: Answers): LookupFunction =>
  (_host, options, done) => {
    const found = answers.map((address) => ({ address, family: isIP(address) }))
    // As a name server does: later, when somebody listens.
    setImmediate(() => (options.all === true ? done(null, found) : done(null, found[0]?.address ?? '', found[0]?.family)))
  }

/** True when the library stops the connection. What it lets through is ended before a packet leaves. */
function refuses(agent: Agent, host: string, answers: Answers): Promise<boolean> {
  return new Promise((resolve) => {
    const bare = host.replace(/^\[|\]$/g, '')
    try {
      const socket = agent.createConnection({ host: bare, port: 9, lookup: lookupOf(answers) })
      if (socket === null || socket === undefined) return resolve(false)
      socket.on('error', (error) => resolve(/is blocked|is not allowed/.test(error.message)))
      socket.on('close', () => resolve(false))
      if (isIP(bare) === 0) socket.on('lookup', () => setImmediate(() => socket.destroy()))
      else setImmediate(() => socket.destroy())
    } catch (error) {
      resolve(error instanceof Error && /is blocked/.test(error.message))
    }
  })
}

const oracles: Readonly<Record<string, (host: string, answers: Answers) => Promise<boolean>>> = {
  'ssrf-req-filter': (host, answers) => refuses(filterRequests.requestFilterHandler(new Agent()), host, answers),
  'request-filtering-agent': (host, answers) => refuses(new RequestFilteringHttpAgent(), host, answers),
}

/** Ours, asked by the host of a URL as the proxy and the token endpoint ask it. */
async function weRefuse(host: string, answers: Answers): Promise<boolean> {
  const guard = createAddressGuard({
    allowPrivateHosts: [],
    development: false,
    lookup: () => Promise.resolve(answers.map((address) => ({ address, family: isIP(address) }))),
  })
  const url = URL.parse(`http://${host}/`)
  if (url === null) return true
  return guard.resolve(url.hostname, 443).then(
    () => false,
    () => true,
  )
}

const v4 = SPECIAL_V4.flatMap(ends)
const literals = [...v4, ...v4.flatMap(inV6), ...SPECIAL_V6, ...PUBLIC, ...PUBLIC.filter((address) => isIP(address) === 4).flatMap(inV6)]
const hostOf = (address: string): string => (isIP(address) === 6 ? `[${address}]` : address)

/** Each host, with what its name server would answer. */
const corpus: readonly (readonly [string, Answers])[] = [
  ...literals.map((address) => [hostOf(address), [address]] as const),
  ...v4.flatMap((address) => spellings(address).map((text) => [text, [address]] as const)),
  ...literals.map((address, index) => [`name-${index}.example`, [address]] as const),
  ...literals.map((address, index) => [`mixed-${index}.example`, ['1.1.1.1', address]] as const),
  ...literals.map((address, index) => [`mixed-first-${index}.example`, [address, '2606:4700:4700::1111']] as const),
]

test.each(Object.entries(oracles))('whatever %s refuses, ours refuses', async (_name, oracle) => {
  let refused = 0
  const letThrough: string[] = []
  for (const [host, answers] of corpus) {
    if (!(await oracle(host, answers))) continue
    refused += 1
    if (!(await weRefuse(host, answers))) letThrough.push(`${host} at ${answers.join(', ')}`)
  }
  expect(letThrough).toEqual([])
  // An oracle that no longer understands the questions would agree with everything.
  expect(refused).toBeGreaterThan(1_500)
})

test('every address of the corpus that is not plainly public is refused, whether or not an oracle knows it', async () => {
  const open: string[] = []
  for (const [host, answers] of corpus) {
    const plain = answers.every((address) => PUBLIC.includes(address) || ANYCAST_SERVICES.some((start) => address.startsWith(start)))
    if (!plain && !(await weRefuse(host, answers))) open.push(`${host} at ${answers.join(', ')}`)
  }
  expect(open).toEqual([])
  for (const address of PUBLIC) expect([address, await weRefuse(hostOf(address), [address])]).toEqual([address, false])
})

/** In the registry of special addresses, and on the public internet all the same: AS112 and AMT (RFC 7534, 7535, 7450). */
const ANYCAST_SERVICES = ['192.31.196.', '192.52.193.', '192.175.48.', '2620:4f:8000::', '2001:4:112::', '2001:3::']

test('a redirect to any of them leads nowhere: none is followed', async () => {
  const asked: string[] = []
  let location = ''
  const server = createServer((incoming, outgoing) => {
    asked.push(incoming.url ?? '')
    outgoing.writeHead(302, { location }).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const here = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const transport = createProxyTransport({ guard: createAddressGuard({ allowPrivateHosts: [], development: true }), timers: systemTimers })
  try {
    const targets = ['http://169.254.169.254/latest/meta-data', 'http://[::1]/', 'http://localhost/', 'file:///etc/passwd', '//10.0.0.1/', `${here}/loop`]
    for (location of targets) {
      const answer = await transport.send({ method: 'GET', url: `${here}/start`, headers: {}, body: null, deadlineMs: 5_000 })
      answer.body.resume()
      expect([answer.status, answer.headers['location']]).toEqual([302, location])
    }
    expect(asked).toEqual(targets.map(() => '/start'))
  } finally {
    transport.close()
    server.close()
  }
})
