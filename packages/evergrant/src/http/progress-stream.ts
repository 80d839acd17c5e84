import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import { Fault } from '../core/fault/fault.ts'
import { SECOND } from '../core/time.ts'
import type { Caller, Services } from './services.ts'

const LOOK_EVERY_MS = SECOND

/** Something that goes on: how to look at it, how it is shown, and when it is over. */
interface Progress<State> {
  readonly first: State
  look(): Promise<State>
  view(state: State): object
  over(state: State): boolean
}

/** Server-sent events: `progress` when something changed, `done` at the end. Ends with what goes on, with what opened the stream, or when the reader leaves. */
export function sendProgress<State>(
  reply: Pick<FastifyReply, 'header'>,
  services: Pick<Services, 'timers' | 'stillAllowed'>,
  caller: Caller,
  progress: Progress<State>,
): Readable {
  reply.header('cache-control', 'no-store, no-transform')
  reply.header('x-accel-buffering', 'no')
  reply.header('content-type', 'text/event-stream; charset=utf-8')
  return Readable.from(linesOf(services, caller, progress), { objectMode: false, encoding: 'utf8' })
}

async function* linesOf<State>(
  { timers, stillAllowed }: Pick<Services, 'timers' | 'stillAllowed'>,
  caller: Caller,
  { first, look, view, over }: Progress<State>,
): AsyncGenerator<string> {
  let state = first
  let told = ''
  while (true) {
    const text = JSON.stringify(view(state))
    const done = over(state)
    // A comment keeps the line open and finds out that nobody listens any more.
    yield done ? frame('done', text) : text === told ? ': still under way\n\n' : frame('progress', text)
    if (done) return
    told = text
    await timers.sleep(LOOK_EVERY_MS)
    if (!(await stillAllowed(caller))) return
    const before = state
    state = await look().catch((error: unknown) => {
      if (error instanceof Fault && error.code === 'store_unavailable') return before
      throw error
    })
  }
}

function frame(event: string, data: string): string {
  return `event: ${event}\ndata: ${data}\n\n`
}
