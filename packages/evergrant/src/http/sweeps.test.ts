import { beforeEach, expect, test, vi } from 'vitest'
import type { SweepId } from '../core/ids.ts'
import { DAY, HOUR, MINUTE } from '../core/time.ts'
import { type ApiLab, createApiLab } from '../testing/api-lab.ts'
import { setDueAt } from '../testing/due-time.ts'

// A whole API is made for each; a machine that has much to do takes its time.
vi.setConfig({ testTimeout: 60_000 })

let lab: ApiLab
beforeEach(async () => {
  lab = await createApiLab()
}, 60_000)

const start = async (): Promise<{ sweep_id: SweepId; due: number; started: number }> => {
  const answer = await lab.call('POST', '/api/v1/admin/refresh-tokens')
  expect(answer.status).toBe(202)
  return answer.json
}
const only = async () => (await lab.call('GET', '/api/v1/sweeps')).json.items[0]
const makeDue = () => setDueAt(lab.store, lab.connection, lab.time.clock.wall() - MINUTE)

test('a sweep says what is due, and ends with a report when it is done, on whatever node', async () => {
  await makeDue()
  const { sweep_id, due } = await start()
  expect(due).toBe(1)
  // Its own node is gone: what is left is a row, and the chore of any node.
  const { sweeps } = lab.services as unknown as { sweeps: { work(): Promise<boolean> } }
  await setDueAt(lab.store, lab.connection, lab.time.clock.wall() + DAY)
  const count = vi.spyOn(lab.store.operations, 'measureSweep')
  await sweeps.work()
  await sweeps.work()
  // However often somebody looks, it is counted once a second; and one look alone is not believed.
  expect(count).toHaveBeenCalledTimes(1)
  expect((await only()).finished_at).toBeNull()
  lab.time.setWall(lab.time.clock.wall() + 2_000)
  await sweeps.work()
  const found = await only()
  expect(found).toMatchObject({ id: sweep_id, due: 1, remaining: 0 })
  expect(found.finished_at).not.toBeNull()
  const events = (await lab.call('GET', `/api/v1/events?subject=${sweep_id}`)).json.items
  expect(events.map(({ type }: { type: string }) => type)).toEqual(['sweep.finished', 'sweep.started'])
  expect(events[0].data).toMatchObject({ due: 1, remaining: 0 })
})

test('the stream tells how far it is and ends with it', async () => {
  const { sweep_id } = await start()
  const answer = await lab.call('GET', `/api/v1/sweeps/${sweep_id}/stream`)
  expect(answer.headers['content-type']).toMatch(/^text\/event-stream/)
  const last = answer.text.trim().split('\n\n').at(-1) ?? ''
  expect(last).toMatch(/^event: done\ndata: /)
  expect(JSON.parse(last.split('data: ')[1] ?? '')).toMatchObject({ id: sweep_id, remaining: 0 })
})

test('a sweep that waits for a provider ends after half an hour and says what is left', async () => {
  await makeDue()
  await start()
  lab.time.setWall(lab.time.clock.wall() + HOUR)
  const { sweeps } = lab.services as unknown as { sweeps: { work(): Promise<boolean> } }
  await setDueAt(lab.store, lab.connection, 5)
  await sweeps.work()
  expect(await only()).toMatchObject({ remaining: 1, finished_at: expect.any(String) })
})

test('another organization sees nothing of it', async () => {
  const { sweep_id } = await start()
  const key = await lab.keyFor(['admin'], await lab.anotherOrganization())
  expect((await lab.call('GET', '/api/v1/sweeps', { key })).json.items).toEqual([])
  expect((await lab.call('GET', `/api/v1/sweeps/${sweep_id}/stream`, { key })).status).toBe(404)
})

test('the keys of the server are shown by id, with what they seal and what is next, and without themselves', async () => {
  const encryption = await lab.call('GET', '/api/v1/admin/keys')
  expect(encryption.json).toMatchObject({ complete: true, reseal: null, keys: expect.arrayContaining([expect.objectContaining({ id: 'k1', state: 'seals' })]) })
  for (const { values, places } of encryption.json.keys) {
    expect(values).toBe((Object.values(places) as number[]).reduce((sum, count) => sum + count, 0))
  }
  expect(encryption.json.keys.find(({ id }: { id: string }) => id === 'test').values).toBeGreaterThan(0)
  const signing = await lab.call('GET', '/api/v1/signing-keys')
  const [active, next] = signing.json.items
  expect([active.state, active.becomes, next.state, next.becomes]).toEqual(['active', 'retiring', 'next', 'active'])
  expect(Date.parse(active.changes_at) - Date.parse(active.since)).toBe(30 * DAY)
  expect(signing.text).not.toMatch(/"d"|private/)
  const key = await lab.keyFor(['admin'], await lab.anotherOrganization())
  expect((await lab.call('GET', '/api/v1/admin/keys', { key })).status).toBe(403)
  expect((await lab.call('GET', '/api/v1/signing-keys', { key })).status).toBe(403)
})
