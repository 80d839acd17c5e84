import { beforeEach, expect, test } from 'vitest'
import { createManualTime } from '../../testing/manual-time.ts'
import { TokenReader } from './token-reader.ts'
import type { PublicSigningKey } from './token-signer.ts'

const TOKEN = 'eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ1c3JfMSJ9.c2lnbmF0dXJl'
const [OLD, NEW] = ['old', 'new'].map((id) => ({ id }) as unknown as PublicSigningKey) as [PublicSigningKey, PublicSigningKey]

let newer: readonly PublicSigningKey[] | null
let asked: number
let claimed: object | null
let reader: TokenReader<{ readonly exp: number }>
let time: ReturnType<typeof createManualTime>
beforeEach(() => {
  time = createManualTime()
  ;[newer, asked, claimed] = [null, 0, { exp: time.clock.wall() / 1_000 + 600 }]
  reader = new TokenReader(
    {
      // Knows the token by the newer key alone.
      signer: { verify: async (_token, keys) => (keys.includes(NEW) ? { kind: 'verified', claims: {} } : { kind: 'refused', why: 'key_unknown' }) },
      keys: {
        verifying: async () => [OLD],
        verifyingNewer: async () => {
          asked += 1
          return newer
        },
      },
      clock: time.clock,
      issuer: 'https://evergrant.example',
    },
    { audience: ['https://evergrant.example'], claimsOf: () => claimed as { readonly exp: number } | null },
  )
})

test('a token by a key that nobody has heard of here makes the reader ask for newer keys, once, and is refused where there are none', async () => {
  expect(await reader.read(TOKEN)).toEqual({ kind: 'refused', why: 'key_unknown' })
  expect([asked, reader.peek(TOKEN)]).toEqual([1, 'unknown'])
  newer = [OLD, NEW]
  expect(await reader.read(TOKEN)).toMatchObject({ kind: 'verified' })
  expect([asked, reader.peek(TOKEN)]).toEqual([2, claimed])
})

test('a genuine signature over claims of another kind is refused, and not remembered', async () => {
  newer = [NEW]
  claimed = null
  expect(await reader.read(TOKEN)).toEqual({ kind: 'refused', why: 'claims_incomplete' })
  expect(reader.peek(TOKEN)).toBe('unknown')
})

test('what was read is believed until it is over, and not past a change of the keys', async () => {
  newer = [NEW]
  await reader.read(TOKEN)
  reader.forget()
  expect(reader.peek(TOKEN)).toBe('unknown')
  await reader.read(TOKEN)
  await time.advance(700_000)
  expect(reader.peek(TOKEN)).toBe('expired')
})

test('a text that is no token costs no look at a key', async () => {
  expect(await reader.read('nothing')).toEqual({ kind: 'refused', why: 'malformed' })
  expect(asked).toBe(0)
})
