import { expect, test } from 'vitest'
import { Fault } from '../core/fault/fault.ts'
import { systemClock, systemEntropy } from '../system.ts'
import { createPasswordHasher, type Derive } from './password-hash.ts'

const ports = { entropy: systemEntropy, clock: systemClock }

test('a password matches its own hash in whatever way its accents were typed, and no other', async () => {
  const hasher = createPasswordHasher(ports)
  const stored = await hasher.hash('crème brûlée au four')
  expect(stored).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
  expect(await hasher.verify('crème brûlée au four'.normalize('NFD'), stored)).toEqual({ matches: true, outdated: false })
  expect((await hasher.verify('creme brulee au four', stored)).matches).toBe(false)
  expect(await hasher.hash('crème brûlée au four')).not.toBe(stored)
})

test('a hash of another argon2id implementation is read (RFC 9106 parameters in PHC form), and one with weaker parameters is outdated', async () => {
  const hasher = createPasswordHasher(ports)
  // Weaker than ours, as another program may have left it.
  const weak = await weakHash('password', { memoryKib: 8_192, passes: 1, lanes: 1 })
  expect(await hasher.verify('password', weak)).toEqual({ matches: true, outdated: true })
  expect((await hasher.verify('Password', weak)).matches).toBe(false)
})

test('nobody, a broken hash and a hash that asks for all the memory cost one computation each and match nothing', async () => {
  const asked: number[] = []
  const derive: Derive = async (_password, _salt, { memoryKib }) => {
    asked.push(memoryKib)
    return new Uint8Array(32)
  }
  const hasher = createPasswordHasher({ ...ports, derive })
  const zeroTag = Buffer.alloc(32).toString('base64').replace(/=+$/, '')
  const salt = Buffer.alloc(16).toString('base64').replace(/=+$/, '')
  for (const stored of [
    null,
    '',
    'secret',
    '$2b$12$abcdefghijklmnopqrstuv',
    `$argon2id$v=19$m=99999999,t=2,p=1$${salt}$${zeroTag}`,
    `$argon2id$v=19$m=4,t=2,p=1$${salt}$${zeroTag}`,
  ])
    expect((await hasher.verify('anything', stored)).matches, String(stored)).toBe(false)
  expect(asked).toEqual([19_456, 19_456, 19_456, 19_456, 19_456, 19_456])
})

test('two computations run at a time and sixteen wait; the next one is told to come back, and a place that gets free is used again (S68)', async () => {
  let running = 0
  let most = 0
  const held: (() => void)[] = []
  const derive: Derive = async () => {
    running += 1
    most = Math.max(most, running)
    await new Promise<void>((resolve) => held.push(resolve))
    running -= 1
    return new Uint8Array(32)
  }
  const hasher = createPasswordHasher({ ...ports, derive })
  const all = Array.from({ length: 18 }, () => hasher.hash('one of eighteen'))
  const refused = await hasher.hash('the nineteenth').catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(Fault)
  expect(refused).toMatchObject({ code: 'overloaded', details: { retryAt: expect.any(Number) } })
  let done = 0
  for (const work of all) void work.then(() => (done += 1))
  await expect
    .poll(
      () => {
        for (const release of held.splice(0)) release()
        return done
      },
      { timeout: 15_000 },
    )
    .toBe(18)
  expect(most).toBe(2)
  const after = hasher.hash('afterwards')
  await expect.poll(() => held.length, { timeout: 15_000 }).toBe(1)
  held.shift()?.()
  expect(await after).toMatch(/^\$argon2id/)
})

async function weakHash(password: string, parameters: { readonly memoryKib: number; readonly passes: number; readonly lanes: number }): Promise<string> {
  const { argon2Sync } = await import('node:crypto')
  const salt = Buffer.from('somesaltsomesalt')
  const { memoryKib: memory, passes, lanes: parallelism } = parameters
  const tag = argon2Sync('argon2id', { message: Buffer.from(password), nonce: salt, parallelism, tagLength: 32, memory, passes })
  const base64 = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '')
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${base64(salt)}$${base64(tag)}`
}
