import { beforeEach, expect, test } from 'vitest'
import { openVolatileStore, type VolatileStore } from '../../store/memory/volatile-store.ts'
import { systemEntropy } from '../../system.ts'
import { createManualTime, type ManualTime } from '../../testing/manual-time.ts'
import { SYSTEM_ACTOR } from '../audit/event.ts'
import { newId } from '../ids.ts'
import { RestoreService } from './restore-service.ts'

const organization = newId('org', systemEntropy)
const actor = { kind: 'api_key', id: 'key_1' } as const

let time: ManualTime
let store: VolatileStore
beforeEach(() => {
  time = createManualTime()
  store = openVolatileStore({ clock: time.clock, timers: time.timers })
})

async function joins(id: string, kind: 'server' | 'command'): Promise<void> {
  const identity = { id, incarnation: id }
  await store.nodes.join(identity, 0)
  await store.nodes.tell(identity, { ids: ['k1'], seals: 'k1', journal: {} }, { kind, publicUrl: 'https://evergrant.example.com' })
}

async function isRestored(): Promise<void> {
  await store.lineages.open({ instance: systemEntropy.uuid(), home: null })
  const facts = { organization, type: 'database.restored', at: time.clock.wall(), actor: SYSTEM_ACTOR, connection: null, subject: null, data: {} } as const
  await store.lineages.distrust('restored', 'older than it was', { id: newId('evt', systemEntropy), ...facts })
}

test('a command that holds up the confirmation of a restored database is called a command, which ends by itself; a server is not', async () => {
  await joins('node-a', 'server')
  await joins('fresh-folder', 'command')
  await isRestored()
  const { lineages, nodes } = store
  const trust = { refreshed: () => Promise.resolve() }
  const service = new RestoreService({ clock: time.clock, entropy: systemEntropy, lineages, nodes, trust, home: () => Promise.resolve(null), organization })
  expect(await service.status()).toMatchObject({ commands: ['fresh-folder'] })
  await expect(service.confirm(organization, actor, 'restored')).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringMatching(/fresh-folder \(a command of the command line, which ends by itself\)/),
  })
  await expect(service.confirm(organization, actor, 'restored')).rejects.toThrow(/node-a[,.]/)
})
