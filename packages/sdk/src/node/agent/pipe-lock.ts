import { createHash } from 'node:crypto'
import { createServer } from 'node:net'
import { storeError } from './client-errors.ts'
import type { HeldLock, LockOptions } from './file-lock.ts'
import { errorCode } from './safe-files.ts'

const PATIENCE_MS = 45_000
const POLL_MIN_MS = 10
const POLL_MAX_MS = 200

/** Port to names that the kernel gives to one process at a time, and takes back when it ends. */
export type ExclusiveNames = (name: string) => Promise<(() => Promise<void>) | 'taken'>

/** The lock on Windows, where a named pipe has one server. No record and no takeover: the kernel knows who lives. */
export async function lockPipe(path: string, options: LockOptions, names: ExclusiveNames = pipeNames): Promise<HeldLock> {
  const { mono = () => performance.now(), random = Math.random, patienceMs = PATIENCE_MS } = options
  const name = pipeName(path)
  const started = mono()
  for (let pause = POLL_MIN_MS; ; pause = Math.min(2 * pause, POLL_MAX_MS)) {
    const release = await names(name)
    if (release !== 'taken') return { release }
    if (mono() - started > patienceMs)
      throw storeError('credential_lock_held', `Another process holds the credentials and does not let go (${path}). End it. Nothing was changed.`)
    await options.wait(pause * (0.5 + random()))
  }
}

export function pipeName(path: string): string {
  const hash = createHash('sha256').update(path.toLowerCase()).digest('base64url')
  return `\\\\.\\pipe\\evergrant-${hash}`
}

export const pipeNames: ExclusiveNames = (name) =>
  new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', (cause) => {
      // EACCES: the pipe is there, of another user or in the middle of its end.
      if (errorCode(cause) === 'EADDRINUSE' || errorCode(cause) === 'EACCES') resolve('taken')
      else reject(storeError('credential_store_unwritable', `The lock ${name} cannot be made (${errorCode(cause)}).`, cause))
    })
    server.listen(name, () => {
      server.unref()
      resolve(() => new Promise((closed) => server.close(() => closed())))
    })
  })
