import { once } from 'node:events'
import { createServer } from 'node:http'

/** A backend's own web application, as far as a connect flow sees it: the page that the browser returns to. */
export interface Application {
  readonly returnUrl: string
  readonly stop: () => Promise<void>
}

export async function startApplication(): Promise<Application> {
  const server = createServer((_, response) =>
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end('<!doctype html><title>Back</title><h1>Back at the application</h1>'),
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('the application has no address')
  return {
    returnUrl: `http://127.0.0.1:${address.port}/connected`,
    stop: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
