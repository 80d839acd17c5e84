// Files that a crash, a disk or a hand has changed: what can be read is read, and nothing is made up.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeFrame, type Frame, scanFrames } from './frame.ts'
import { encodeMark, encodeOrigin, encodeTick, scanMarks } from './mark-lines.ts'

const RUNS = { numRuns: 400 }
const frame: fc.Arbitrary<Frame> = fc.record({
  kind: fc.constantFrom('answer', 'settled'),
  intent: fc.string({ maxLength: 40 }),
  organization: fc.string({ maxLength: 40 }),
  sealed: fc.uint8Array({ maxLength: 200 }).map((raw) => Buffer.from(raw)),
})

test('any bytes are read to an end, and what was written whole comes back whole', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(frame, fc.uint8Array({ maxLength: 60 })), { maxLength: 8 }), (parts) => {
      const bytes = Buffer.concat(parts.map((part) => (part instanceof Uint8Array ? part : encodeFrame(part))))
      const { frames, end } = scanFrames(bytes)
      expect(end).toBeLessThanOrEqual(bytes.length)
      const written = parts.filter((part): part is Frame => !(part instanceof Uint8Array))
      for (const one of written) expect(frames).toContainEqual(one)
    }),
    RUNS,
  )
})

test('a changed byte costs the frame it stands in and no other', () => {
  fc.assert(
    fc.property(fc.array(frame, { minLength: 2, maxLength: 5 }), fc.nat(), fc.integer({ min: 1, max: 255 }), (frames, place, change) => {
      const encoded = frames.map(encodeFrame)
      const bytes = Buffer.concat(encoded)
      const at = place % bytes.length
      bytes[at] = (bytes[at] ?? 0) ^ change
      let [start, hit] = [0, 0]
      for (const [index, { length }] of encoded.entries()) {
        if (at >= start && at < start + length) hit = index
        start += length
      }
      const read = scanFrames(bytes).frames
      for (const [index, one] of frames.entries()) if (index !== hit) expect(read).toContainEqual(one)
    }),
    RUNS,
  )
})

test('any text is read as marks without a crash, and marks that were written come back', () => {
  const id = fc.uuid({ version: 7 }).map((uuid) => `con_${uuid}` as const)
  const mark = fc.record({ connection: id, generation: fc.nat(), fingerprint: fc.oneof(fc.constant(null), fc.stringMatching(/^[A-Za-z0-9_-]{16}$/)) })
  fc.assert(
    fc.property(fc.array(mark, { maxLength: 6 }), fc.string({ unit: 'binary' }), fc.nat(), (marks, torn, tick) => {
      const origin = { instance: 'one', era: 3 }
      const text = encodeOrigin(origin) + marks.map(encodeMark).join('') + encodeTick(tick)
      expect(scanMarks(text + torn.replaceAll('\n', ' '))).toMatchObject({ origin, tick, marks })
      expect(scanMarks(torn).tick).toBeGreaterThanOrEqual(0)
    }),
    RUNS,
  )
})
