import { createServer } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import { createApiLab } from '../../testing/api-lab.ts'

const servers: { close(): void }[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

test('an error that breaks off before it could be read is no answer, and our server is not at fault', async () => {
  const server = createServer((_request, response) => {
    response.writeHead(500, { 'content-type': 'application/json', 'content-length': '100' })
    response.write('{"error":')
    setImmediate(() => response.socket?.destroy())
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const base = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/v1`
  const lab = await createApiLab({ record: { api: { base } } })
  const called = await lab.call('POST', `/api/v1/proxy/${lab.connection}/x`, { body: {} })
  expect([called.status, called.json.code]).toEqual([502, 'upstream_unreachable'])
})
