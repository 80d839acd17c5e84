import { beforeEach, expect, test } from 'vitest'
import { Secret } from '../core/seal/secret.ts'
import type { KeyProvider } from './key-provider.ts'
import { vaultTransit } from './vault-transit.ts'

const ADDRESS = 'https://vault.example.com:8200/v1/transit/keys/evergrant'
const waits: number[] = []
const sent: { url: string; init: RequestInit }[] = []
const deadlines: { ms: number; over: () => void; cancelled: boolean }[] = []
beforeEach(() => {
  for (const list of [waits, sent, deadlines]) list.length = 0
})
const timers = {
  sleep: async (ms: number) => void waits.push(ms),
  after: (ms: number, over: () => void) => {
    const deadline = { ms, over, cancelled: false }
    deadlines.push(deadline)
    return () => {
      deadline.cancelled = true
    }
  },
}

/** A Vault that answers each request with what this says. */
function answeredBy(answer: (signal: AbortSignal) => Response | Promise<Response>): KeyProvider {
  const send = async (url: unknown, init: RequestInit = {}): Promise<Response> => {
    sent.push({ url: String(url), init })
    return answer(init.signal as AbortSignal)
  }
  return vaultTransit({ address: ADDRESS, token: new Secret('hvs.secret'), timers, fetch: send as typeof fetch })
}
const refusalOf = (provider: KeyProvider): Promise<Error & { code?: string }> =>
  provider.unwrap('vault:v1:AAAA').then(
    () => expect.unreachable('it was taken for a key'),
    (error) => error,
  )

test.each([
  ['a page of a proxy', '<html>Sign in to the network</html>'],
  ['nothing', ''],
  ['null', 'null'],
  ['an array', '[]'],
  ['no data', '{"data":null}'],
  ['data without a plaintext', '{"data":{"ciphertext":"vault:v1:AAAA"}}'],
  ['an empty plaintext', '{"data":{"plaintext":""}}'],
  ['a plaintext that is no text', '{"data":{"plaintext":7}}'],
])('an answer of 200 with %s is never taken for a key', async (_, body) => {
  const refused = await refusalOf(answeredBy(() => new Response(body)))
  expect(refused).toMatchObject({ code: 'invalid_request', details: { field: 'EVERGRANT_VAULT_KEY' } })
  expect(refused.message).toContain('EVERGRANT_VAULT_KEY names Vault at https://vault.example.com:8200, which answered without `data.plaintext`')
  expect(refused.message).toContain('check that the address is that of a Transit key. Nothing was changed')
  expect(sent).toHaveLength(1)
})

test('a redirect is not followed with the token, and is told as a wrong address', async () => {
  const refused = await refusalOf(answeredBy(() => new Response('', { status: 307, headers: { location: 'https://elsewhere.example.com/' } })))
  expect(sent.map(({ url, init }) => [url, init.redirect])).toEqual([['https://vault.example.com:8200/v1/transit/decrypt/evergrant', 'manual']])
  expect(refused.message).toMatch(/which answered 307 to decrypt: check the address\. Nothing was changed; no connection is lost\.$/)
})

test('a request says whose it is, and that it comes from no browser', async () => {
  await refusalOf(answeredBy(() => new Response('{}', { status: 403 })))
  expect(sent[0]?.init).toMatchObject({ method: 'POST', headers: { 'x-vault-token': 'hvs.secret', 'x-vault-request': 'true' } })
})

test('a standby without its leader is asked five times, and is then told with what it said, on one line and cut', async () => {
  const errors = [`no\n  leader ${'x'.repeat(300)}`, 'later']
  const refused = await refusalOf(answeredBy(() => Response.json({ errors }, { status: 502 })))
  expect(sent).toHaveLength(5)
  expect(waits).toEqual([500, 1_000, 2_000, 4_000])
  expect(refused).toMatchObject({ code: 'store_unavailable' })
  expect(refused.message).toMatch(/answered 502 5 times: start again when it is well\. It said: no leader x{190}\. Nothing was changed/)
})

test('what it said is left out where it said nothing', async () => {
  const refused = await refusalOf(answeredBy(() => Response.json({ errors: [] }, { status: 404 })))
  expect(refused.message).toMatch(/check the mount and that the Transit engine is enabled\. Nothing was changed/)
})

test('a Vault that cannot be reached is asked five times as well, and the cause is named', async () => {
  const cause = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })
  const refused = await refusalOf(answeredBy(() => Promise.reject(new TypeError('fetch failed', { cause }))))
  expect(sent).toHaveLength(5)
  expect(refused.message).toMatch(/cannot be reached \(ECONNREFUSED\): check EVERGRANT_VAULT_KEY and the network/)
  const mute = await refusalOf(answeredBy(() => Promise.reject(new TypeError('fetch failed'))))
  expect(mute.message).toContain('cannot be reached (no connection)')
})

test('an answer that does not come within ten seconds is given up, and no deadline is left behind', async () => {
  const never = (signal: AbortSignal): Promise<Response> =>
    new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason))
      deadlines.at(-1)?.over()
    })
  const refused = await refusalOf(answeredBy(never))
  expect(refused.message).toContain('cannot be reached (no answer in 10 s)')
  expect(deadlines.map(({ ms, cancelled }) => [ms, cancelled])).toEqual(Array.from({ length: 5 }, () => [10_000, true]))
})

test.each([
  'ftp://vault.example.com/v1/transit/keys/evergrant',
  'https://vault.example.com/v1/transit/keys/evergrant#x',
  'https://vault.example.com/proxy/v1/transit/keys/evergrant',
  'https://vault.example.com/v1/transit/keys/evergrant/rotate',
  'no address',
])('%s is no address of a key, and nothing is sent there', (address) => {
  expect(() => vaultTransit({ address, token: new Secret('hvs.secret'), timers })).toThrow(
    'EVERGRANT_VAULT_KEY is not of the form https://vault.example.com:8200/v1/transit/keys/evergrant. Nothing was changed',
  )
})
