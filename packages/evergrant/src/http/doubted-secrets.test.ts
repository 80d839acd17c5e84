import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ApiLab } from '../testing/api-lab.ts'
import { anotherKey, eventsOf, HOUR, MINUTE, readConnection, refusedFor, startMachineLab, tokenOf } from '../testing/machine-lab.ts'

// A static secret whose record knows no call that proves it: nothing but the word of callers says that it does not work.

let api: Server
let lab: ApiLab
let id: string
let status: number

beforeEach(async () => {
  status = 401
  api = createServer((_request, response) => response.writeHead(status, { 'content-type': 'application/json' }).end('{}'))
  await once(api.listen(0, '127.0.0.1'), 'listening')
  const address = api.address()
  const base = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
  const started = await startMachineLab({ grant: 'api_key', api: { base } }, () => null)
  lab = started.lab
  id = (await started.create({ credentials: { api_key: 'key-one' } })).json.id
})
afterEach(async () => {
  await lab.app.close()
  api.closeAllConnections()
  api.close()
})

const throughProxy = async () => (await lab.call('GET', `/api/v1/proxy/${id}/thing`)).json?.code

test('the word of one caller ends nothing, however often it is said, and what is doubted is told', async () => {
  const first = await refusedFor(lab, id)
  expect(first.json).toMatchObject({ status: 502, code: 'upstream_token_refused', needs_reauth: false })
  expect(first.json.detail).toContain('another caller, or a call through the proxy, has to see it as well')
  expect(Date.parse(first.json.retry_at) - lab.time.clock.wall()).toBe(10 * MINUTE)
  for (let hour = 0; hour < 30; hour++) {
    await lab.time.advance(HOUR)
    expect((await refusedFor(lab, id)).json.code).toBe('upstream_token_refused')
  }
  expect((await tokenOf(lab, id)).json).toMatchObject({ access_token: 'key-one' })
  expect(await readConnection(lab, id)).toMatchObject({ status: 'active', fault: { code: 'upstream_token_refused' } })
  const told = (await eventsOf(lab, id)).filter((event: { readonly type: string }) => event.type === 'connection.suspect')
  // Once a day, as each doubt is forgotten after one.
  expect([told.length, told[0].data.told_by]).toEqual([2, 'caller'])
})

test('a second caller counts ten minutes later, and not before', async () => {
  const key = await anotherKey(lab)
  await refusedFor(lab, id)
  await lab.time.advance(9 * MINUTE)
  expect((await refusedFor(lab, id, key)).json.code).toBe('upstream_token_refused')
  await lab.time.advance(MINUTE)
  expect((await refusedFor(lab, id, key)).json).toMatchObject({ status: 409, code: 'new_credentials_needed', needs_reauth: true })
})

test('a second caller on the next day is the first of a new doubt', async () => {
  await refusedFor(lab, id)
  await lab.time.advance(24 * HOUR + 1)
  expect((await refusedFor(lab, id, await anotherKey(lab))).json.code).toBe('upstream_token_refused')
})

test('what our own proxy sees twice, ten minutes apart, is believed', async () => {
  expect(await throughProxy()).toBe('upstream_token_refused')
  expect(await throughProxy()).toBe('upstream_token_refused')
  await lab.time.advance(10 * MINUTE)
  expect(await throughProxy()).toBe('new_credentials_needed')
})

test('a call that works in between lifts the doubt', async () => {
  await throughProxy()
  await lab.time.advance(5 * MINUTE)
  status = 200
  await throughProxy()
  status = 401
  await lab.time.advance(10 * MINUTE)
  expect(await throughProxy()).toBe('upstream_token_refused')
  await lab.time.advance(10 * MINUTE)
  expect(await throughProxy()).toBe('new_credentials_needed')
})
