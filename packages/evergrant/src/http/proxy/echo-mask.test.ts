import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { echoedSecrets } from '../../core/provider/own-credentials.ts'
import { echoesOf, withoutEcho } from './echo-mask.ts'

const TOKEN = 'ya29.aaaa/bbbb+cccc-dddd'
const pieces = (text: string, size: number): Readable => Readable.from(text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [], { objectMode: false })
const read = async (body: Buffer | Readable): Promise<string> => (Buffer.isBuffer(body) ? body : await buffer(body)).toString()

test.each([1, 2, 3, 7, 23, 24, 25, 1_000])('an echo is masked however the body is cut, here in pieces of %i (S30)', async (size) => {
  for (const echo of [TOKEN, encodeURIComponent(TOKEN), TOKEN.replaceAll('/', '\\/')]) {
    const text = `ya29.ya29.aaaa ${echo}${echo} and the end ya29.`
    const seen = await read(withoutEcho(pieces(text, size), [TOKEN]))
    expect(seen).toBe(text.replaceAll(echo, '*'.repeat(echo.length)))
    expect(await read(withoutEcho(Buffer.from(text), [TOKEN]))).toBe(seen)
  }
})

test('a body without an echo comes through as it is, and a token too short to be one masks nothing', async () => {
  const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, index) => (index * 31) % 256))
  const seen = withoutEcho(Readable.from([bytes]), [TOKEN])
  expect(Buffer.isBuffer(seen) || (await buffer(seen)).equals(bytes)).toBe(true)
  expect(await read(withoutEcho(Buffer.from('at-1 at-1'), ['at-1']))).toBe('at-1 at-1')
})

test('the source is ended when the reader goes away, and its failure is the reader’s', async () => {
  const source = new Readable({ read() {} })
  source.push('first')
  const body = withoutEcho(source, [TOKEN])
  if (Buffer.isBuffer(body)) throw new Error('a stream was given')
  for await (const piece of body) {
    expect(String(piece)).toBe('first')
    break
  }
  await expect.poll(() => source.destroyed).toBe(true)
  const broken = new Readable({
    read() {
      this.destroy(new Error('broken off'))
    },
  })
  await expect(read(withoutEcho(broken, [TOKEN]))).rejects.toThrow('broken off')
})

test('of a Basic password both the encoded and the written form are masked, and a short one tells nobody that it was guessed', async () => {
  const token = (pair: string) => ({ accessToken: Buffer.from(pair).toString('base64'), tokenType: 'Basic' })
  const secretsIn = (of: ReturnType<typeof token>) => echoedSecrets(of.accessToken, of.tokenType)
  const long = token('ann:correct horse/battery')
  const text = `Basic ${long.accessToken}, password=correct+horse%2Fbattery, {"password":"correct horse/battery"}, ann`
  expect(await read(withoutEcho(Buffer.from(text), secretsIn(long)))).toBe(
    `Basic ${'*'.repeat(long.accessToken.length)}, password=${'*'.repeat(23)}, {"password":"${'*'.repeat(21)}"}, ann`,
  )
  const short = token('someone-with-a-name:hunter2')
  expect(await read(withoutEcho(Buffer.from(`hunter2 ${short.accessToken}`), secretsIn(short)))).toBe(`hunter2 ${'*'.repeat(short.accessToken.length)}`)
  expect(secretsIn(token('the-key-is-the-user-name:'))).toContain('the-key-is-the-user-name')
  expect(echoesOf(secretsIn(short))).toContain('hunter2')
})
