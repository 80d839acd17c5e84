import { fileURLToPath } from 'node:url'
import { startNode } from './child-process.ts'
import { JsonClient } from './http.ts'

const MAIN = fileURLToPath(new URL('../../evergrant/src/practice/main.ts', import.meta.url))

/** The practice provider in a process of its own. `control` speaks to `/control`. */
export interface PracticeProcess {
  readonly url: string
  readonly control: JsonClient
  readonly stop: () => Promise<void>
}

export async function startPracticeProcess(options: { readonly port?: number; readonly profiles?: unknown } = {}): Promise<PracticeProcess> {
  const running = startNode({ args: [MAIN, '--port', String(options.port ?? 0), '--profiles', JSON.stringify(options.profiles ?? {})] })
  const { url } = await running.firstJsonLine()
  if (typeof url !== 'string') throw new Error(`the practice provider did not say where it is:\n${running.output()}`)
  return { url, control: new JsonClient(`${url}/control`), stop: async () => void (await running.stop()) }
}
