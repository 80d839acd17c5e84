import { afterEach, expect, test } from 'vitest'
import type { OrganizationId } from '../core/ids.ts'
import { DAY } from '../core/time.ts'
import { createApiLab } from '../testing/api-lab.ts'
import { createRestoreLab, HOME, type RestoreLab } from '../testing/restore-lab.ts'
import { restoreRoutes } from './routes/restore.ts'

const labs: RestoreLab[] = []
afterEach(async () => {
  for (const lab of labs.splice(0)) await lab.close()
})

/** The routes over a database that was taken back behind a rotation; its journal is gone. */
async function restored(ofAnother = false) {
  const it = await createRestoreLab({ reuse: 'P4' })
  labs.push(it)
  await it.backup()
  await it.engine().refresh(it.lab.organization, it.lab.connection)
  it.lab.journal.records.splice(0)
  await it.restart('copy')
  let operators: OrganizationId = it.lab.organization
  const service: Parameters<typeof restoreRoutes>[1] = {
    mustOperate: (...args) => it.restore(operators).mustOperate(...args),
    status: () => it.restore(operators).status(),
    confirm: (...args) => it.restore(operators).confirm(...args),
  }
  const api = await createApiLab({ app: { routes: [(app) => restoreRoutes(app, service)] } })
  if (!ofAnother) operators = api.organization
  return { it, api }
}

test('an operator reads why the database is not trusted, and what needs a reconnect', async () => {
  const { it, api } = await restored()
  const status = await api.call('GET', '/api/v1/admin/restore')
  expect(status.status).toBe(200)
  expect(status.json).toMatchObject({
    trust: 'restored',
    era: 1,
    home: HOME,
    behind: [{ connection: it.lab.connection, owner: 'owner-1', integration: 'scripted', marked_generation: 2, stored_generation: 1, mended: false }],
    waiting_for: [],
    rolling_forward: [],
    absent: [],
  })
  expect(status.json.reason).toContain('tick')
})

test('only an admin of the default organization decides, with a word that exists', async () => {
  const { it, api } = await restored(true)
  const confirm = '/api/v1/admin/restore/confirm'
  expect(await api.call('POST', confirm, { key: null, body: { as: 'restored' } })).toMatchObject({ status: 401 })
  expect(await api.call('POST', confirm, { key: await api.keyFor(['connections:write']), body: { as: 'restored' } })).toMatchObject({ status: 403 })
  // The lab's organization is not the operator's.
  expect(await api.call('GET', '/api/v1/admin/restore')).toMatchObject({ status: 403, json: { code: 'forbidden' } })
  expect(await api.call('POST', confirm, { body: { as: 'restored' } })).toMatchObject({ status: 403, json: { code: 'forbidden' } })
  const wrong = await api.call('POST', confirm, { body: { as: 'trusted' } })
  expect(wrong.json.detail).toBe('The body is not valid at `/as`: it must be one of ["restored","original","clone"].')
  for (const body of [{}, { as: 'trusted' }, { as: null }, []]) expect((await api.call('POST', confirm, { body })).status).toBe(400)
  expect(it.trust().known().trusted).toBe('restored')
})

test('a database that is trusted already says that nothing was changed, so that a copy that nobody noticed is not taken for ended', async () => {
  const { api } = await restored()
  const confirm = (as: string) => api.call('POST', '/api/v1/admin/restore/confirm', { body: { as } })
  const first = await api.call('POST', '/api/v1/admin/restore/confirm', { body: { as: 'restored', give_up_rolling: true } })
  expect(first.json).toMatchObject({ trust: 'trusted', changed: true, ended: 1 })
  for (const as of ['restored', 'clone']) expect((await confirm(as)).json).toMatchObject({ trust: 'trusted', changed: false, ended: 0 })
})

test('a connection shows when its grant ends for good', async () => {
  const lifetimes = { refreshAbsoluteSeconds: 100 * 86_400, absoluteFrom: 'consent' } as const
  const api = await createApiLab({ reuse: 'P4', record: { lifetimes } })
  const consentedAt = new Date(api.time.clock.wall() - 10 * DAY)
  const made = await api.call('POST', '/api/v1/connections', {
    body: { integration: 'scripted', owner: 'ada', account: 'other', access_token: 'at', refresh_token: 'rt', consented_at: consentedAt.toISOString() },
  })
  expect(made.status, made.text).toBe(201)
  const { json } = await api.call('GET', `/api/v1/connections/${made.json.id}`)
  expect(json.ends_at).toBe(new Date(consentedAt.getTime() + 100 * DAY).toISOString())
  expect((await api.call('GET', `/api/v1/connections/${api.connection}`)).json.ends_at).toBe(null)
})
