import process from 'node:process'
import { isEvergrantError } from '../../../evergrant-error.ts'
import { Evergrant } from '../evergrant.ts'

/** One of many processes that share a credential file. Told how far the time has passed, it makes sure of its token and says which one it has. */
let offset = 0
const client = new Evergrant({
  log: false,
  platform: {
    now: () => Date.now() + offset,
    after: () => () => {},
    fetch: (input, init) => fetch(input, { ...init, headers: { ...(init?.headers as Record<string, string>), 'race-pid': String(process.pid) } }),
  },
})

export interface WorkerAnswer {
  readonly round: number
  readonly generation: number
  readonly error: string | null
}

process.on('message', ({ round, passed }: { readonly round: number; readonly passed: number }) => {
  offset = passed
  client.whoami().then(
    ({ generation }) => process.send?.({ round, generation, error: null } satisfies WorkerAnswer),
    (error: unknown) =>
      process.send?.({ round, generation: 0, error: isEvergrantError(error) ? `${error.code}: ${error.message}` : String(error) } satisfies WorkerAnswer),
  )
})
process.on('disconnect', () => process.exit())
process.send?.({ round: 0, generation: 0, error: null } satisfies WorkerAnswer)
