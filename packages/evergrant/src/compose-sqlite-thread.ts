// Runs on a thread of its own, started by `openNode`: the embedded database with the machine's clock.
import { parentPort, workerData } from 'node:worker_threads'
import { serveStore } from './store/sqlite/store-thread.ts'
import type { ThreadStart } from './store/sqlite/thread-messages.ts'
import { systemClock, systemTimers } from './system.ts'

if (parentPort === null) throw new Error('this module runs on a thread')
const start: ThreadStart = workerData
await serveStore(parentPort, start, { clock: systemClock, timers: systemTimers })
