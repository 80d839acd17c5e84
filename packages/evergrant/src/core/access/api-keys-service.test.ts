import { beforeEach, expect, test } from 'vitest'
import { systemEntropy } from '../../system.ts'
import { createManualTime, type ManualTime } from '../../testing/manual-time.ts'
import { Fault } from '../fault/fault.ts'
import type { OrganizationId } from '../ids.ts'
import { DAY, MINUTE, SECOND } from '../time.ts'
import type { ApiKey, ApiKeys } from './api-key.ts'
import { ApiKeysService } from './api-keys-service.ts'

const ORGANIZATION = 'org_1' as OrganizationId
const CLI = { kind: 'cli', id: null } as const

let time: ManualTime
let keys: ApiKeysService
let rows: Map<string, ApiKey>
let touched: number
let asked: number
let fresh: boolean
let rotation: 'rotated' | 'gone'
beforeEach(() => {
  time = createManualTime()
  ;[rows, touched, asked, fresh, rotation] = [new Map(), 0, 0, true, 'rotated']
  const store: Pick<ApiKeys, 'insert' | 'byHash' | 'get' | 'rotate' | 'touch'> = {
    insert: async (key) => void rows.set(key.hash, key),
    byHash: async (hash) => {
      asked += 1
      return rows.get(hash)
    },
    get: async (_organization, id) => [...rows.values()].find((key) => key.id === id),
    rotate: async () => rotation,
    touch: async () => {
      touched += 1
    },
  }
  keys = new ApiKeysService({
    store: store as ApiKeys,
    clock: time.clock,
    timers: time.timers,
    entropy: systemEntropy,
    digest: (text) => `hash of ${text}`,
    changesFresh: () => fresh,
    withoutStoreMs: 0,
  })
})

async function made(expiresAt: number | null = null) {
  const { apiKey, text } = await keys.create(ORGANIZATION, { name: 'backend', scopes: ['tokens:read'], expiresAt }, CLI)
  return { id: apiKey.id, hash: keys.hashOf(text) ?? expect.fail('no key of ours') }
}

test('a key is answered from memory, and while changes may be missed for a second and no longer', async () => {
  const { hash } = await made()
  expect(keys.peek(hash)).toBe('unknown')
  await keys.lookUp(hash)
  expect(keys.peek(hash)).toMatchObject({ name: 'backend' })
  fresh = false
  await time.advance(SECOND)
  expect(keys.peek(hash)).toMatchObject({ name: 'backend' })
  await time.advance(1)
  expect(keys.peek(hash)).toBe('unknown')
})

test('a remembered key ends to the millisecond', async () => {
  const { hash } = await made(time.clock.wall() + MINUTE)
  await keys.lookUp(hash)
  await time.advance(MINUTE - 1)
  expect(keys.peek(hash)).toMatchObject({ name: 'backend' })
  await time.advance(1)
  expect(keys.peek(hash)).toBe('ended')
  expect(await keys.lookUp(hash)).toBeUndefined()
})

test('how a key ended is known of one that expired, of one that was revoked, and of no other', async () => {
  const short = await made(time.clock.wall() + MINUTE)
  const taken = await made()
  await time.advance(MINUTE)
  const row = rows.get(taken.hash) ?? expect.fail('no row')
  rows.set(taken.hash, { ...row, revokedAt: time.clock.wall() })
  for (const { hash } of [short, taken]) {
    expect(keys.endOf(hash)).toBeUndefined()
    expect(await keys.lookUp(hash)).toBeUndefined()
    // Remembered as ended: the next one of the same program asks no store.
    expect(keys.peek(hash)).toBe('ended')
  }
  expect(keys.endOf(short.hash)).toMatchObject({ how: 'expired', at: time.clock.wall() })
  expect(keys.endOf(taken.hash)).toMatchObject({ how: 'revoked', at: time.clock.wall() })
  const live = await made()
  await keys.lookUp(live.hash)
  expect(keys.endOf(live.hash)).toBeUndefined()
  expect(keys.endOf('hash of nobody')).toBeUndefined()
})

test('a key that ended, is not there or was rotated by somebody else at that moment is not rotated', async () => {
  const over = await made(time.clock.wall() + MINUTE)
  const live = await made()
  await time.advance(MINUTE)
  const code = (id: ApiKey['id']) =>
    keys.rotate(ORGANIZATION, id, DAY, CLI).then(
      () => 'rotated',
      (error: unknown) => (error instanceof Fault ? error.code : String(error)),
    )
  expect(await code(over.id)).toBe('conflict')
  expect(await code('key_of_nobody' as ApiKey['id'])).toBe('not_found')
  expect(await code(live.id)).toBe('rotated')
  rotation = 'gone'
  expect(await code(live.id)).toBe('not_found')
})

test('uses are written together, and nothing is written when there were none', async () => {
  const { hash } = await made()
  await keys.flushUse()
  expect(touched).toBe(0)
  await keys.lookUp(hash)
  for (let time = 0; time < 10; time++) keys.peek(hash)
  await keys.flushUse()
  expect(touched).toBe(1)
})

test('any number of keys stays in bounded memory: the one that was remembered first is asked for again', async () => {
  const first = await made()
  await keys.lookUp(first.hash)
  const [row] = rows.values()
  for (let index = 0; index < 10_000; index++) rows.set(`hash ${index}`, { ...(row ?? expect.fail('no row')), hash: `hash ${index}` })
  for (let index = 0; index < 9_999; index++) await keys.lookUp(`hash ${index}`)
  expect(keys.peek(first.hash)).toMatchObject({ name: 'backend' })
  await keys.lookUp('hash 9999')
  expect(keys.peek(first.hash)).toBe('unknown')
  expect(keys.peek('hash 9999')).toMatchObject({ name: 'backend' })
  expect(asked).toBe(10_001)
})
