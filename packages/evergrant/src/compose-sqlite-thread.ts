// Runs on a thread of its own, started by `openNode`: the embedded database with the machine's clock.
import { enableCompileCache } from 'node:module'
import { parentPort, workerData } from 'node:worker_threads'
import type { ThreadStart } from './store/sqlite/thread-messages.ts'

if (parentPort === null) throw new Error('this module runs on a thread')
const start: ThreadStart = workerData
// Does nothing where the environment asked for it. What follows is loaded afterwards.
if (start.compiledIn !== undefined) enableCompileCache(start.compiledIn)
const [{ serveStore }, { systemClock, systemTimers }] = await Promise.all([import('./store/sqlite/store-thread.ts'), import('./system.ts')])
await serveStore(parentPort, start, { clock: systemClock, timers: systemTimers })
