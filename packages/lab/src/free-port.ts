import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * Not what the kernel would give: its own ports are also those of outgoing connections (from 32768 on Linux), and one of them may take the port between
 * this look and the server that is started for it.
 */
const [FROM, TO] = [12_000, 32_000]

/** A port of 127.0.0.1 that was free a moment ago. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 100; tries += 1) {
    const port = randomInt(FROM, TO)
    if (await isFree(port)) return port
  }
  throw new Error('no port could be found')
}

/** A port that was free a moment ago, and so was the next one: for a server that puts another one beside it. */
export async function freePortPair(): Promise<number> {
  for (;;) {
    const first = await freePort()
    if (await isFree(first + 1)) return first
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch {
    return false
  }
  server.close()
  await once(server, 'close')
  return true
}
