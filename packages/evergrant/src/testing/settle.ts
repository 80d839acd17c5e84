import type { ManualTime } from './manual-time.ts'

/** Lets work land on the manual clock without moving it. A refusal is the caller's to look at, and nobody's unhandled one before. */
export async function settle<Value>({ time }: { readonly time: Pick<ManualTime, 'advance'> }, promise: Promise<Value>): Promise<Value> {
  promise.catch(() => {})
  for (let turn = 0; turn < 20; turn += 1) {
    await time.advance(0)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return promise
}
