import { expect, test } from 'vitest'
import { encrypted, readPassphrase } from './envelope.ts'

/** Of what the standard of OWASP approves for one lane: N of 2^17 at least. age fixes r = 8 and p = 1 (C2SP age, section scrypt). */
const LEAST_WORK = 17

test('the key of a backup with a passphrase is made of it by scrypt, with the work that is asked for today (ASVS 11.4.4)', async () => {
  const nothing = (async function* () {
    yield new Uint8Array(0)
  })()
  const portions: Uint8Array[] = []
  for await (const portion of await encrypted(nothing, readPassphrase('a passphrase of some length'))) portions.push(portion)
  const head = Buffer.concat(portions).toString('latin1')
  const [, work] = /^age-encryption\.org\/v1\n-> scrypt \S{22} (\d{1,2})\n/.exec(head) ?? []
  expect(Number(work)).toBeGreaterThanOrEqual(LEAST_WORK)
})
