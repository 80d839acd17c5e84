import { createServer } from 'node:net'
import type { Config } from '../config.ts'

/**
 * With port 0 the system chooses one. It is chosen before anything else, because the public address, and with it every
 * redirect URI, has to name it.
 */
export async function withChosenPort(config: Config): Promise<Config> {
  if (config.port !== 0) return config
  const port = await freePort(config.host)
  return { ...config, port, publicUrl: config.publicUrl === 'http://localhost:0' ? `http://localhost:${port}` : config.publicUrl }
}

function freePort(host: string): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer()
    // An address that cannot be had is told, with its remedy, by whoever listens on it.
    server.once('error', () => resolve(0))
    server.listen({ host, port: 0 }, () => {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      server.close(() => resolve(port))
    })
  })
}
