import { expect, test } from 'vitest'
import { defineProvider } from '../../providers/define.ts'
import { createKeySigner } from '../../seal/key-signer.ts'
import { contextOf } from '../../testing/provider-contexts.ts'
import { signAws } from './aws-signature.ts'
import type { ProviderContext } from './context.ts'
import type { ProviderRequest } from './wire.ts'

// The vectors that AWS published with Signature Version 4: its test suite, and the worked example of the general reference (IAM, ListUsers).
const KEY = { id: 'AKIDEXAMPLE', secret: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }
const AT = Date.parse('2015-08-30T12:36:00Z')

const signing = { signer: createKeySigner(), now: () => AT, unique: () => 'unused' }
const context = (more: Partial<ProviderContext> = {}): Promise<ProviderContext> =>
  contextOf(defineProvider({ id: 'aws', name: 'AWS', grant: 'client_credentials', token: { url: 'https://example.amazonaws.com/' } }), {
    signing,
    clientId: KEY.id,
    clientSecret: KEY.secret,
    ...more,
  })
const request = (more: Partial<ProviderRequest>): ProviderRequest => ({
  method: 'GET',
  url: 'https://example.amazonaws.com/',
  headers: {},
  basic: null,
  body: null,
  ...more,
})
const signed = async (more: Partial<ProviderRequest>, service = 'service') =>
  signAws(await context(), request(more), { service, region: 'us-east-1' }).headers.authorization

test.each<[string, Partial<ProviderRequest>, string, string]>([
  ['get-vanilla', {}, 'host;x-amz-date', '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31'],
  ['post-vanilla', { method: 'POST' }, 'host;x-amz-date', '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b'],
  [
    'get-vanilla-query-order-key-case',
    { url: 'https://example.amazonaws.com/?Param2=value2&Param1=value1' },
    'host;x-amz-date',
    'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
  ],
  [
    'post-x-www-form-urlencoded',
    { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'Param1=value1' },
    'content-type;host;x-amz-date',
    'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
  ],
])('signs %s of the test suite as AWS does', async (_, asked, names, signature) => {
  expect(await signed(asked)).toBe(
    `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=${names}, Signature=${signature}`,
  )
})

test('signs the worked example of the general reference', async () => {
  const asked = {
    url: 'https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08',
    headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
  }
  expect(await signed(asked, 'iam')).toBe(
    'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7',
  )
})

test('a session token is signed, a header that proxies may change is not, and the secret stands nowhere', async () => {
  const headers = { accept: 'application/json', 'x-amz-security-token': 'session-1', authorization: 'old' }
  const { headers: sent } = signAws(await context(), request({ headers }), { service: 'sts', region: 'eu-west-1' })
  expect(sent.authorization).toContain('SignedHeaders=host;x-amz-date;x-amz-security-token,')
  expect(sent).toMatchObject({ accept: 'application/json', 'x-amz-date': '20150830T123600Z' })
  expect(JSON.stringify(sent)).not.toContain(KEY.secret)
})

test('a usual port is no part of the host, values are encoded once, and one name keeps the order of its values', async () => {
  const plain = await signed({ url: 'https://example.amazonaws.com/a?b=%7E1&a=2&a=1' })
  expect(await signed({ url: 'https://EXAMPLE.amazonaws.com:443/a?a=1&a=2&b=~1' })).toBe(plain)
  expect(await signed({ url: 'https://example.amazonaws.com:8443/a?a=1&a=2&b=~1' })).not.toBe(plain)
})

test.each<[string, Partial<ProviderContext>, string, RegExp]>([
  ['no secret', { clientSecret: null }, 'us-east-1', /needs a secret access key/],
  ['no region', {}, '{region}', /region of AWS is missing/],
  ['a region that is none', { variables: { region: 'us/east' } }, '{region}', /region of AWS is missing or malformed/],
])('nothing is signed with %s', async (_, more, region, words) => {
  const of = await context(more)
  expect(() => signAws(of, request({}), { service: 'sts', region })).toThrow(words)
})
