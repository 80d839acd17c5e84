// 1,000 events to a receiver that fails half of the time and is killed twice: each arrives, each is signed.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { newId } from '../core/ids.ts'
import { SECOND } from '../core/time.ts'
import { systemEntropy } from '../system.ts'
import { createApiLab } from '../testing/api-lab.ts'
import { freePort } from '../testing/free-port.ts'

const EVENTS = 1_000
const KILLED_AFTER = [250, 600]

const folder = mkdtempSync(join(tmpdir(), 'evergrant-storm-'))
const log = join(folder, 'received')
let receiver: ChildProcess | null = null
afterAll(() => {
  receiver?.kill('SIGKILL')
  rmSync(folder, { recursive: true })
})

/** Taken from the system, and free again. */
test('1,000 events reach a receiver that fails half of the time and is killed twice, each at least once and signed', async () => {
  const lab = await createApiLab()
  const port = await freePort()
  const created = await lab.call('POST', '/api/v1/webhooks', { body: { name: 'storm', url: `http://127.0.0.1:${port}/hooks`, types: ['connection.suspect'] } })
  expect(created.status).toBe(201)
  let [verified, kills] = [0, 0]
  const start = async (): Promise<void> => {
    const child = fork(new URL('../testing/webhook-receiver.ts', import.meta.url), [String(port), created.json.secret, log, String(kills + 7)])
    receiver = child
    child.on('message', (verdict) => {
      if (verdict !== 'ready') verified += 1
      const limit = KILLED_AFTER[kills]
      if (limit === undefined || verified < limit || receiver !== child) return
      kills += 1
      receiver = null
      child.kill('SIGKILL')
    })
    await once(child, 'message')
  }
  await start()
  const sent: string[] = []
  for (let count = 0; count < EVENTS; count += 1) {
    const [id, at] = [newId('evt', systemEntropy), lab.time.clock.wall()]
    const common = { organization: lab.organization, actor: { kind: 'system', id: null }, connection: null, subject: `storm ${count}` } as const
    await lab.store.events.append({ ...common, id, type: 'connection.suspect', at, data: { n: count } })
    sent.push(id)
  }
  while (await lab.alertChores.watch.readEvents()) await lab.time.advance(0)
  const { webhooks } = lab.services
  const endpoint = created.json.id
  const left = async () => (await webhooks.deliveries(lab.organization, endpoint, 'waiting', { limit: 1, cursor: null })).page.items.length
  while ((await left()) > 0) {
    if (await lab.alertChores.deliveries.run()) continue
    await lab.alertChores.deliveries.settled()
    // Down: whatever is due fails, the circuit opens, time goes on, and then it comes back.
    if (receiver === null) await start()
    await lab.time.advance(30 * SECOND)
  }
  const lines = readFileSync(log, 'utf8').trim().split('\n')
  const taken = lines.filter((line) => line.startsWith('taken ')).map((line) => line.slice('taken '.length))
  expect(kills).toBe(KILLED_AFTER.length)
  expect(lines.filter((line) => line.startsWith('forged'))).toEqual([])
  expect([...new Set(taken)].sort()).toEqual(sent.sort())
  expect(lines.length).toBeGreaterThan(1.5 * EVENTS)
  const failed = await webhooks.deliveries(lab.organization, endpoint, 'failed', { limit: 1, cursor: null })
  expect(failed.page.items).toEqual([])
}, 180_000)
