import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import type { JsonClient } from '../http.ts'
import { type Handout, Ledger } from './ledger.ts'

const TOKENS = ['first', 'second']

/** A provider that issued both tokens of one grant, in this order. */
function ledger(): Ledger {
  const issued = TOKENS.map((token, index) => ({
    fingerprint: createHash('sha256').update(token).digest('base64url'),
    sequence: index + 1,
    at: index,
    grant: 'grant',
    generation: index + 1,
  }))
  const control = { get: async () => ({ status: 200, body: { issued }, text: '' }) } as unknown as JsonClient
  const opened = new Ledger(control)
  opened.owns('con', 'grant')
  return opened
}

function handout(node: string, token: string, at: number, cutOff = false): Handout {
  return { connection: 'con', node, token, startedAt: at, receivedAt: at + 1, cutOff }
}

async function judged(...handouts: readonly Handout[]): Promise<readonly string[]> {
  const opened = ledger()
  for (const one of handouts) opened.handedOut(one)
  await opened.judge()
  return opened.wrong
}

test('an older token more than a second after another node handed out the newer one is wrong', async () => {
  expect(await judged(handout('one', 'second', 0), handout('two', 'first', 2_000))).toHaveLength(1)
  expect(await judged(handout('one', 'second', 0), handout('two', 'first', 900))).toEqual([])
})

test('what a node hands out while it is cut off obliges nobody else, and itself', async () => {
  expect(await judged(handout('one', 'second', 0, true), handout('two', 'first', 2_000))).toEqual([])
  expect(await judged(handout('one', 'second', 0, true), handout('one', 'first', 2_000))).toHaveLength(1)
})

test('a node that is cut off may lag behind the others', async () => {
  expect(await judged(handout('one', 'second', 0), handout('two', 'first', 2_000, true))).toEqual([])
})
