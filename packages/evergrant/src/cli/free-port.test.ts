import { expect, test } from 'vitest'
import { readConfig } from '../config.ts'
import { withChosenPort } from './free-port.ts'

const read = (env: Record<string, string>) => readConfig(env, { development: false })

test('port 0 becomes a real port before the public address is made from it', async () => {
  const { port, publicUrl } = await withChosenPort(read({ EVERGRANT_PORT: '0' }))
  expect(port).toBeGreaterThan(0)
  expect(publicUrl).toBe(`http://localhost:${port}`)
})

test('a public address of its own stays, and so does a named port', async () => {
  const own = await withChosenPort(read({ EVERGRANT_PORT: '0', EVERGRANT_PUBLIC_URL: 'https://connect.example.com' }))
  expect([own.port > 0, own.publicUrl]).toEqual([true, 'https://connect.example.com'])
  expect(await withChosenPort(read({ EVERGRANT_PORT: '4400' }))).toMatchObject({ port: 4400, publicUrl: 'http://localhost:4400' })
})
