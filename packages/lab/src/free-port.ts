import { once } from 'node:events'
import { createServer } from 'node:net'

/** A port of 127.0.0.1 that was free a moment ago. */
export async function freePort(): Promise<number> {
  const port = await tried(0)
  if (port === null) throw new Error('no port could be found')
  return port
}

/** A port that was free a moment ago, and so was the next one: for a server that puts another one beside it. */
export async function freePortPair(): Promise<number> {
  for (;;) {
    const first = await freePort()
    if ((await tried(first + 1)) !== null) return first
  }
}

/** The port once it was listened on; null when somebody else does. */
async function tried(port: number): Promise<number | null> {
  const server = createServer().listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch {
    return null
  }
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address !== 'object' || address === null ? null : address.port
}
