import { expect, test } from 'vitest'
import type { ProviderRequest, TokenEndpoint } from '../core/provider/wire.ts'
import { createManualTime } from '../testing/manual-time.ts'
import { witnessedEndpoint } from './date-witness.ts'

const START = Date.UTC(2026, 10, 21, 9, 0, 0)
const URL_A = 'https://id.example.com/token?tenant=secret'
const request: ProviderRequest = { method: 'POST', url: URL_A, headers: {}, basic: null, body: 'refresh_token=x' }

function house(date: () => string | undefined, tripMs = 0) {
  const time = createManualTime(START)
  const lines: string[] = []
  const endpoint: TokenEndpoint = {
    open: async () => ({
      send: async () => {
        await time.advance(tripMs)
        const header = date()
        return { kind: 'answered', answer: { status: 200, headers: header === undefined ? {} : { date: header }, body: new Uint8Array(), text: '' } }
      },
      close: () => {},
    }),
  }
  const log = { info: () => {}, warn: (fields: object, message: string) => lines.push(`${JSON.stringify(fields)} ${message}`), error: () => {} }
  const witnessed = witnessedEndpoint(endpoint, { clock: time.clock, log })
  const ask = async (url = URL_A) => (await witnessed.open(url, { pooled: false })).send({ ...request, url }, 1_000)
  return { time, lines, ask }
}

const inWords = (instant: number) => new Date(instant).toUTCString()

test('a provider that tells our time, give or take the seconds of its header, is not spoken of', async () => {
  for (const offset of [0, -900, 4_000, -5_000]) {
    const { ask, lines } = house(() => inWords(START + offset))
    await ask()
    expect(lines).toEqual([])
  }
})

test.each([
  [60_000, '60 s behind'],
  [-60_000, '59 s ahead of'],
])('one that is %i ms away is told once an hour, by host alone', async (offset, words) => {
  const { ask, lines, time } = house(() => inWords(START + time.clock.mono() + offset))
  await ask()
  await ask()
  expect(lines).toHaveLength(1)
  expect(lines[0]).toContain(`our clock is ${words} the one of a provider`)
  expect(lines[0]).toContain('"host":"id.example.com"')
  expect(lines[0]).not.toContain('secret')
  await time.advance(3_600_000)
  await ask()
  await ask('https://other.example.com/token')
  expect(lines).toHaveLength(3)
})

test('a slow answer proves nothing, and neither does a header that is missing or no date', async () => {
  for (const header of [inWords(START), inWords(START + 40_000), undefined, 'yesterday']) {
    const { ask, lines } = house(() => header, 40_000)
    expect((await ask()).kind).toBe('answered')
    expect(lines).toEqual([])
  }
})
