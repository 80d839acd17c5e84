import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ANA, openStage } from './stage.ts'

const DATA = fileURLToPath(new URL('../data', import.meta.url))

/** Sets the stage of the tutorial, and keeps it until somebody presses Ctrl+C. Its data is made anew each time. */
export async function stay(port: number): Promise<void> {
  rmSync(DATA, { recursive: true, force: true })
  const end = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => end.abort())
  const stage = await openStage({ port, dataDir: DATA })
  try {
    console.log(`Evergrant is at ${stage.evergrant.url}, the weather service at ${stage.station.url}.
${ANA.name} (${ANA.email}, password: ${ANA.password}) connected the weather service: ${stage.connection}.
Go on with the README in a second terminal. Here: x and Enter ends the access token at the provider, Ctrl+C ends all of it.`)
    process.stdin.setEncoding('utf8').on('data', (typed: string) => {
      if (typed.trim() !== 'x') return
      stage.practice.control.expireAccess(stage.grant)
      console.log('The provider has ended the access token.')
    })
    await once(end.signal, 'abort')
  } finally {
    process.stdin.pause()
    await stage.stop()
  }
}
