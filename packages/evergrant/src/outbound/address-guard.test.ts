import { expect, test } from 'vitest'
import { createAddressGuard, isPublicAddress } from './address-guard.ts'

const REFUSED = [
  '127.0.0.1',
  '127.255.255.254',
  '0.0.0.0',
  '0.1.2.3',
  '10.0.0.1',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '169.254.169.254',
  '100.64.0.1',
  '100.100.100.200',
  '168.63.129.16',
  '192.0.0.192',
  '192.0.2.1',
  '198.18.0.1',
  '198.51.100.1',
  '203.0.113.1',
  '192.88.99.1',
  '224.0.0.1',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::7f00:1',
  '::ffff:7f00:1',
  '::ffff:10.0.0.1',
  '::ffff:8.8.8.8',
  '64:ff9b::808:808',
  '64:ff9b::7f00:1',
  '64:ff9b::a9fe:a9fe',
  '64:ff9b:1::1',
  'fd00::1',
  'fd00:ec2::254',
  'fc00::1',
  'fe80::1',
  'fe80::1%eth0',
  'fec0::1',
  'ff02::1',
  '2001:db8::1',
  '2002:7f00:1::',
  '2001:0:7f00:1::',
  '100::1',
  '3fff::1',
  '5f00::1',
  'not an address',
  '',
]

test.each(REFUSED)('%s is not public (S25)', (address) => {
  expect(isPublicAddress(address)).toBe(false)
})

test.each(['1.1.1.1', '8.8.8.8', '172.32.0.1', '100.128.0.1', '2606:4700:4700::1111'])('%s is public', (address) => {
  expect(isPublicAddress(address)).toBe(true)
})

test('on a network that reaches IPv4 through NAT64 its answers count as the IPv4 address inside', async () => {
  expect(isPublicAddress('64:ff9b::808:808', true)).toBe(true)
  expect(isPublicAddress('64:ff9b::a9fe:a9fe', true)).toBe(false)
  expect(isPublicAddress('64:ff9b:1::808:808', true)).toBe(false)
  const answers = ['64:ff9b::808:808']
  await expect(guardOf(answers).guard.resolve('api.example.com', 443)).rejects.toMatchObject({ reason: 'private_address' })
  expect(await guardOf(answers, ['[64:ff9b::]']).guard.resolve('api.example.com', 443)).toHaveLength(1)
  await expect(guardOf(['64:ff9b::7f00:1'], ['[64:ff9b::]']).guard.resolve('api.example.com', 443)).rejects.toMatchObject({ reason: 'private_address' })
})

const guardOf = (answers: string[], allowPrivateHosts: string[] = [], development = false) => {
  const asked: string[] = []
  const guard = createAddressGuard({
    allowPrivateHosts,
    development,
    lookup: (host) => {
      asked.push(host)
      return Promise.resolve(answers.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })))
    },
  })
  return { guard, asked }
}

test.each(['http://2130706433', 'http://0177.0.0.1', 'http://0x7f.1', 'http://127.1', 'http://[::ffff:7f00:1]', 'http://127.0.0.1.'])(
  '%s leads nowhere (S25)',
  async (url) => {
    const { guard } = guardOf(['127.0.0.1'])
    await expect(guard.resolve(new URL(url).hostname, 80)).rejects.toMatchObject({ reason: 'private_address' })
  },
)

test('one private answer among public ones refuses the host (S26)', async () => {
  await expect(guardOf(['1.1.1.1', '10.0.0.1']).guard.resolve('api.example.com', 443)).rejects.toThrow(/10\.0\.0\.1.*EVERGRANT_DANGEROUS_PRIVATE_HOSTS/)
  await expect(guardOf(['1.1.1.1', '::1']).guard.resolve('api.example.com', 443)).rejects.toMatchObject({ reason: 'private_address' })
})

test('a host is looked up once and its addresses are handed on as they were checked (S26)', async () => {
  const { guard, asked } = guardOf(['1.1.1.1', '2606:4700::1'])
  expect(await guard.resolve('API.example.com', 443)).toEqual([
    { address: '1.1.1.1', family: 4 },
    { address: '2606:4700::1', family: 6 },
  ])
  expect(asked).toEqual(['api.example.com'])
})

test('an allowed host may be private, at any port or at the one that is named', async () => {
  expect(await guardOf(['10.0.0.1'], ['auth.internal']).guard.resolve('Auth.internal', 1)).toHaveLength(1)
  const { guard } = guardOf(['10.0.0.1'], ['auth.internal:8443'])
  expect(await guard.resolve('auth.internal', 8443)).toHaveLength(1)
  await expect(guard.resolve('auth.internal', 443)).rejects.toMatchObject({ reason: 'private_address' })
  await expect(guard.resolve('x.auth.internal', 8443)).rejects.toMatchObject({ reason: 'private_address' })
})

test('development mode adds the names of this machine, not names that point at it', async () => {
  const { guard } = guardOf(['127.0.0.1'], [], true)
  for (const host of ['localhost', 'practice.localhost', '127.0.0.1', '[::1]']) expect(await guard.resolve(host, 80)).toHaveLength(1)
  await expect(guard.resolve('localtest.example', 80)).rejects.toMatchObject({ reason: 'private_address' })
})

test('a name without address says so', async () => {
  await expect(guardOf([]).guard.resolve('nowhere.example', 443)).rejects.toMatchObject({ reason: 'ENOTFOUND' })
})
