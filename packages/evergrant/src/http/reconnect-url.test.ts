import { expect, test } from 'vitest'
import { createApiLab } from '../testing/api-lab.ts'

async function withConnection(more: Record<string, unknown> = {}) {
  const lab = await createApiLab({ record: { api: { base: 'https://api.example.com/v1' } } })
  const imported = await lab.call('POST', '/api/v1/connections', {
    body: { integration: 'scripted', owner: 'ada', access_token: 'at', expires_at: '2020-01-01T00:00:00Z', ...more },
  })
  expect(imported.status, imported.text).toBe(201)
  return { lab, id: String(imported.json.id) }
}

test('reads, refreshes and calls through the proxy carry the link when only the owner can help', async () => {
  const { lab, id } = await withConnection({ account: '42', account_label: 'ada@example.com' })
  const read = await lab.call('GET', `/api/v1/connections/${id}/token`)
  expect(read).toMatchObject({ status: 409, json: { code: 'connection_expired', title: 'Scripted needs to be reconnected', needs_reauth: true } })
  expect(read.json.reconnect_url).toMatch(new RegExp(`^https://evergrant\\.example/connect/repair/${id}\\.`))
  const others = await Promise.all([
    lab.call('POST', `/api/v1/connections/${id}/refresh`),
    lab.call('GET', `/api/v1/proxy/${id}/notes`),
    lab.call('GET', `/api/v1/connections/${id}`),
  ])
  expect(others.map(({ json }) => json.reconnect_url)).toEqual([read.json.reconnect_url, read.json.reconnect_url, read.json.reconnect_url])
  expect(others[2]?.json.fault.text).toBe('Access for ada@example.com has expired. Syncing is paused; nothing was deleted.')
})

test('a refresh that finds nothing left to renew records the end and gives the link at once', async () => {
  const { lab, id } = await withConnection({ account: '42' })
  const refused = await lab.call('POST', `/api/v1/connections/${id}/refresh`)
  expect(refused).toMatchObject({ status: 409, json: { code: 'connection_expired', needs_reauth: true } })
  expect(refused.json.reconnect_url).toContain(`/connect/repair/${id}.`)
  expect((await lab.call('GET', `/api/v1/connections/${id}`)).json).toMatchObject({ status: 'needs_reauth', reconnect_url: refused.json.reconnect_url })
})

test('without a known account there is no link; the problem says how to make one', async () => {
  const { lab, id } = await withConnection()
  const read = await lab.call('GET', `/api/v1/connections/${id}/token`)
  expect(read.json).toMatchObject({ code: 'connection_expired', needs_reauth: true, reconnect_url: null })
  expect(read.json.detail).toContain(`POST /api/v1/connections/${id}/reconnect`)
  expect(read.text).not.toMatch(/\{[PAT]\}/)
  expect((await lab.call('GET', `/api/v1/connections/${id}`)).json).toMatchObject({ status: 'needs_reauth', reconnect_url: null })
})

test('trouble that passes by itself carries no link', async () => {
  const { lab, id } = await withConnection({ account: '43', refresh_token: 'rt' })
  lab.provider.steps.push({ kind: 'unreachable' })
  const read = await lab.call('GET', `/api/v1/connections/${id}/token`)
  expect(read.json).toMatchObject({ needs_reauth: false, reconnect_url: null })
  expect((await lab.call('GET', `/api/v1/connections/${id}`)).json.reconnect_url).toBeNull()
})

test('another organization gets no link', async () => {
  const { lab, id } = await withConnection({ account: '44' })
  await lab.call('GET', `/api/v1/connections/${id}/token`)
  const key = await lab.keyFor(['admin'], await lab.anotherOrganization())
  for (const url of [`/api/v1/connections/${id}`, `/api/v1/connections/${id}/token`, `/api/v1/proxy/${id}/notes`]) {
    const answer = await lab.call('GET', url, { key })
    expect(answer).toMatchObject({ status: 404, json: { reconnect_url: null } })
    expect(answer.text).not.toContain('/connect/repair/')
  }
})

test('a connection says in which modes it can be reconnected: by a link where its account is known, and in none once it is disconnected', async () => {
  const modesOf = async ({ lab, id }: Awaited<ReturnType<typeof withConnection>>) => (await lab.call('GET', `/api/v1/connections/${id}`)).json.reconnect_modes
  const known = await withConnection({ account: '45' })
  expect(await modesOf(known)).toEqual(['link', 'verified', 'signed_in'])
  expect(await modesOf(await withConnection())).toEqual(['verified', 'signed_in'])
  await known.lab.call('DELETE', `/api/v1/connections/${known.id}`)
  expect(await modesOf(known)).toEqual([])
})
