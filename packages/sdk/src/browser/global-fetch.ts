import type { Evergrant } from './create.ts'

/** Puts `client.fetch` in the place of the page's own, for code that cannot be given it. Gives the way back. Prefer `client.fetch`. */
export function installGlobalFetch(client: Pick<Evergrant, 'fetch'>): () => void {
  const before = globalThis.fetch
  const ours: typeof globalThis.fetch = (input, init) => client.fetch(input, init)
  globalThis.fetch = ours
  return () => {
    // Whoever came after us keeps its place.
    if (globalThis.fetch === ours) globalThis.fetch = before
  }
}
