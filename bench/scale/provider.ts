import { fileURLToPath } from 'node:url'
import { startNode } from '../../packages/lab/src/child-process.ts'

/** What the provider saw since it started. `reused`: refresh tokens that were shown a second time. Instants in ms. */
interface Seen {
  readonly exchanges: number
  readonly reused: number
  readonly firstAt: number | null
  readonly lastAt: number | null
}

export interface StrictProvider {
  readonly url: string
  seen(): Promise<Seen>
  stop(): Promise<void>
}

export async function startStrictProvider(): Promise<StrictProvider> {
  const running = startNode({ args: [fileURLToPath(new URL('./strict-provider.ts', import.meta.url))] })
  const { url } = await running.firstJsonLine()
  if (typeof url !== 'string') throw new Error(`the provider did not start:\n${running.output()}`)
  return {
    url,
    seen: async () => (await (await fetch(url)).json()) as Seen,
    stop: async () => void (await running.kill()),
  }
}
