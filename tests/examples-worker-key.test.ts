import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createClient } from '@evergrant/sdk'
import { expect, test } from 'vitest'
import { createWorker } from '../examples/worker/worker.ts'

const JOB = { id: 'job-1', connection: 'con_01990f7e-0000-7000-8000-000000000000', path: '/me' }

test.each([
  [401, 'unauthenticated'],
  [403, 'forbidden'],
])('a worker whose own key is refused with %i parks no job: it stops, and the queue keeps them', async (status, code) => {
  const server = createServer((_request, response) => {
    response.writeHead(status, { 'content-type': 'application/problem+json' })
    response.end(
      JSON.stringify({ status, code, title: 'No', detail: 'The key ended.', action: 'none', needs_reauth: false, reconnect_url: null, retry_at: null }),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  try {
    const work = createWorker({ evergrant: createClient({ url, apiKey: 'egk_of_another_day' }), apiBase: url })
    await expect(work(JOB)).rejects.toMatchObject({ code })
  } finally {
    server.close()
  }
})
