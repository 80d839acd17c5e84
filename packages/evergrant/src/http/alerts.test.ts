// From what happened to who was told, over the whole API with the real store and real requests.
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhook } from 'standardwebhooks'
import { afterEach, expect, test } from 'vitest'
import { newId } from '../core/ids.ts'
import { DAY, HOUR, MINUTE, SECOND } from '../core/time.ts'
import { systemEntropy } from '../system.ts'
import { type ApiLab, createApiLab } from '../testing/api-lab.ts'
import { newMember } from '../testing/people.ts'

const QUIET = { from: '22:00', to: '07:00', time_zone: 'Europe/Berlin' }
const SECRETS = ['planted-access-secret-1', 'planted-refresh-secret-2', 'planted-metadata-secret-3']
const open: (() => void)[] = []
afterEach(() => {
  for (const close of open.splice(0)) close()
})

interface Told {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** Takes everything, or answers as it is told. */
async function receiver(answers: number[] = []) {
  const told: Told[] = []
  const server = createServer((request, reply) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      told.push({ path: request.url ?? '', headers: request.headers, text: Buffer.concat(chunks).toString('utf8') })
      reply.writeHead(answers.shift() ?? 200, { 'retry-after': '120' }).end('the answer')
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  open.push(
    () => server.closeAllConnections(),
    () => server.close(),
  )
  return { told, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

async function breakOne(lab: ApiLab, owner: string, more: Record<string, unknown> = {}): Promise<string> {
  const body = { integration: 'scripted', owner, access_token: SECRETS[0], expires_at: '2020-01-01T00:00:00Z', account: owner, ...more }
  const imported = await lab.call('POST', '/api/v1/connections', { body: { ...body, metadata: { note: SECRETS[2], email: `${owner}@example.com` } } })
  expect(imported.status, imported.text).toBe(201)
  expect((await lab.call('GET', `/api/v1/connections/${imported.json.id}/token`)).status).toBe(409)
  return String(imported.json.id)
}

/** Every chore, until none has anything to do. */
async function work({ alertChores }: ApiLab): Promise<void> {
  const { watch, deliveries, notifier, letters } = alertChores
  for (let round = 0; round < 3; round += 1) {
    await watch.readEvents()
    await watch.look()
    while (await deliveries.run()) await deliveries.settled()
    await notifier.run()
    await letters.run()
  }
}

async function newWebhook(lab: ApiLab, url: string, types?: readonly string[]) {
  const created = await lab.call('POST', '/api/v1/webhooks', { body: { name: 'app', url: `${url}/hooks`, ...(types === undefined ? {} : { types }) } })
  expect(created.status, created.text).toBe(201)
  return created.json
}

test('an application hears at once that a connection needs its owner, with the link, and without any secret', async () => {
  const lab = await createApiLab()
  lab.time.setWall(Date.now())
  const { told, url } = await receiver()
  const hook = await newWebhook(lab, url)
  const id = await breakOne(lab, 'ada')
  await work(lab)
  const types = told.map(({ text }) => JSON.parse(text).type)
  expect(types).toContain('connection.needs_reauth')
  const one = told[types.indexOf('connection.needs_reauth')]
  expect(new Webhook(hook.secret).verify(one?.text ?? '', one?.headers as Record<string, string>)).toMatchObject({
    data: { connection: { id, owner: 'ada', status: 'needs_reauth' }, details: { code: 'connection_expired' } },
  })
  expect(JSON.parse(one?.text ?? '').data.reconnect_url).toMatch(new RegExp(`^https://evergrant\\.example/connect/repair/${id}\\.`))
  const log = await lab.call('GET', `/api/v1/webhooks/${hook.id}/deliveries`)
  expect(log.json.items[0]).toMatchObject({ state: 'delivered', tries: [{ status: 200, answer: 'the answer' }] })
  const everything = [...told.map(({ text }) => text), log.text, (await lab.call('GET', '/api/v1/webhooks')).text].join('\n')
  for (const secret of [...SECRETS, hook.secret]) expect(everything).not.toContain(secret)
})

test('what was not taken is sent again under the same id, not before Retry-After; the log tells each try', async () => {
  const lab = await createApiLab()
  const { told, url } = await receiver([503])
  const hook = await newWebhook(lab, url, ['connection.needs_reauth'])
  await breakOne(lab, 'ada')
  await work(lab)
  expect(told).toHaveLength(1)
  await lab.time.advance(119 * SECOND)
  await work(lab)
  expect(told).toHaveLength(1)
  await lab.time.advance(20 * SECOND)
  await work(lab)
  expect(new Set(told.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
  expect(told).toHaveLength(2)
  const [delivery] = (await lab.call('GET', `/api/v1/webhooks/${hook.id}/deliveries`)).json.items
  expect(delivery).toMatchObject({ state: 'delivered', attempts: 2, tries: [{ status: 503 }, { status: 200 }] })
  expect((await lab.call('POST', `/api/v1/deliveries/${delivery.id}/replay`)).json).toMatchObject({ state: 'waiting' })
  await work(lab)
  expect(told).toHaveLength(3)
  expect((await lab.call('POST', `/api/v1/webhooks/${hook.id}/replay`, { body: { since: '2020-01-01T00:00:00Z' } })).json).toEqual({ deliveries: 1 })
  await work(lab)
  expect(told).toHaveLength(4)
})

test('an endpoint that takes nothing is left alone, told of to operators, and closes its circuit with the first that it takes', async () => {
  const lab = await createApiLab()
  const answers = Array.from({ length: 200 }, () => 500)
  const { told, url } = await receiver(answers)
  const hook = await newWebhook(lab, url, ['connection.needs_reauth'])
  for (let count = 0; count < 8; count += 1) await breakOne(lab, `owner-${count}`)
  await work(lab)
  while ((await lab.call('GET', `/api/v1/webhooks/${hook.id}`)).json.state !== 'open') {
    await lab.time.advance(3 * MINUTE)
    await work(lab)
  }
  const before = told.length
  await work(lab)
  expect(told).toHaveLength(before)
  for (let count = 0; count < 8; count += 1) {
    await lab.time.advance(3 * MINUTE)
    await work(lab)
  }
  const failing = async () =>
    (await lab.call('GET', '/api/v1/alerts?state=open')).json.items.filter((alert: { kind: string }) => alert.kind === 'delivery_failing')
  expect(await failing()).toMatchObject([{ subject: hook.id, title: 'The webhook app takes nothing' }])
  answers.length = 0
  expect((await lab.call('POST', `/api/v1/webhooks/${hook.id}/enable`)).json.state).toBe('active')
  await work(lab)
  expect((await lab.call('GET', `/api/v1/webhooks/${hook.id}/deliveries?state=waiting`)).json.items).toEqual([])
  await work(lab)
  expect(await failing()).toEqual([])
}, 30_000)

test('an alert of a kind that was switched off is over when what it tells of is well', async () => {
  const lab = await createApiLab()
  const answers = Array.from({ length: 50 }, () => 500)
  const { url } = await receiver(answers)
  const hook = await newWebhook(lab, url, ['connection.needs_reauth'])
  await breakOne(lab, 'ada')
  for (let count = 0; count < 8; count += 1) {
    await work(lab)
    await lab.time.advance(3 * MINUTE)
  }
  const failing = async () =>
    (await lab.call('GET', '/api/v1/alerts?state=open')).json.items.filter((alert: { kind: string }) => alert.kind === 'delivery_failing')
  expect(await failing()).toHaveLength(1)
  await lab.call('PUT', '/api/v1/alert-rules', { body: { items: [{ kind: 'delivery_failing', enabled: false }] } })
  answers.length = 0
  await lab.call('POST', `/api/v1/webhooks/${hook.id}/enable`)
  await work(lab)
  await work(lab)
  expect(await failing()).toEqual([])
}, 30_000)

test('while a secret is rotated both sign; afterwards the old one does not', async () => {
  const lab = await createApiLab()
  lab.time.setWall(Date.now())
  const { told, url } = await receiver()
  const hook = await newWebhook(lab, url)
  const rotated = await lab.call('POST', `/api/v1/webhooks/${hook.id}/rotate-secret`, { body: { overlap_seconds: 60 } })
  expect(rotated.json.secret).not.toBe(hook.secret)
  expect((await lab.call('POST', `/api/v1/webhooks/${hook.id}/test`)).json).toMatchObject({ state: 'delivered', type: 'webhook.tested' })
  await lab.time.advance(61 * SECOND)
  await lab.call('POST', `/api/v1/webhooks/${hook.id}/test`)
  const signatures = told.map(({ headers }) => String(headers['webhook-signature']).split(' ').length)
  expect(signatures).toEqual([2, 1])
  const [first, second] = told
  const verify = (secret: string, one: Told | undefined) => new Webhook(secret).verify(one?.text ?? '', one?.headers as Record<string, string>)
  verify(hook.secret, first)
  verify(rotated.json.secret, first)
  verify(rotated.json.secret, second)
  expect(() => verify(hook.secret, second)).toThrow()
})

test('connections that broke alike are one alert in one message; when all are well it is over by itself', async () => {
  const lab = await createApiLab()
  const { told, url } = await receiver()
  const channel = await lab.call('POST', '/api/v1/channels', { body: { kind: 'slack', name: 'ops', url: `${url}/services/T/B/planted-slack-secret` } })
  expect(channel.status, channel.text).toBe(201)
  const ids = [await breakOne(lab, 'ada'), await breakOne(lab, 'ben')]
  await work(lab)
  const list = await lab.call('GET', '/api/v1/alerts?state=open')
  expect(list.json.items).toMatchObject([
    {
      kind: 'connection_needs_reauth',
      count: 2,
      state: 'open',
      title: 'Scripted needs to be reconnected: 2 connections',
      filter: 'status=needs_reauth&integration=scripted&code=connection_expired',
    },
  ])
  expect(told).toHaveLength(1)
  expect(told[0]?.text).toContain('2 connections')
  for (const text of [list.text, channel.text, (await lab.call('GET', '/api/v1/channels')).text, told[0]?.text ?? ''])
    for (const secret of [...SECRETS, 'planted-slack-secret']) expect(text).not.toContain(secret)
  for (const id of ids) await lab.call('POST', `/api/v1/connections/${id}/disconnect`)
  await work(lab)
  expect((await lab.call('GET', '/api/v1/alerts')).json.items).toMatchObject([{ state: 'resolved', resolved_by: 'healed', total: 2 }])
  expect(told).toHaveLength(2)
  expect(told[1]?.text).toContain('Resolved: ')
})

test('what is healed before the quiet hours end is never told', async () => {
  const lab = await createApiLab()
  lab.time.setWall(Date.UTC(2026, 0, 15, 23))
  const { told, url } = await receiver()
  const quiet_hours = { from: '22:00', to: '07:00', time_zone: 'UTC' }
  await lab.call('POST', '/api/v1/channels', { body: { kind: 'slack', name: 'ops', url, quiet_hours } })
  const [healed, stays] = [await breakOne(lab, 'ada'), await breakOne(lab, 'ben', { integration: 'scripted' })]
  await work(lab)
  await lab.call('POST', `/api/v1/connections/${healed}/disconnect`)
  await lab.call('POST', `/api/v1/connections/${stays}/disconnect`)
  await work(lab)
  await lab.time.advance(9 * HOUR)
  await work(lab)
  expect(told).toEqual([])
  expect((await lab.call('GET', '/api/v1/alerts?state=resolved')).json.items).toHaveLength(1)
})

test('a person takes an alert on, puts it off, and ends it', async () => {
  const lab = await createApiLab()
  await breakOne(lab, 'ada')
  await work(lab)
  const { id } = (await lab.call('GET', '/api/v1/alerts')).json.items[0]
  expect((await lab.call('POST', `/api/v1/alerts/${id}/acknowledge`)).json.state).toBe('acknowledged')
  const until = new Date(lab.time.clock.wall() + HOUR).toISOString()
  expect((await lab.call('POST', `/api/v1/alerts/${id}/snooze`, { body: { until } })).json).toMatchObject({ state: 'snoozed', snoozed_until: until })
  expect((await lab.call('POST', `/api/v1/alerts/${id}/snooze`, { body: { until: '2020-01-01T00:00:00Z' } })).json.field).toBe('/until')
  expect((await lab.call('POST', `/api/v1/alerts/${id}/resolve`)).json).toMatchObject({ state: 'resolved', resolved_by: expect.stringMatching(/^api_key/) })
  expect((await lab.call('POST', `/api/v1/alerts/${id}/resolve`)).status).toBe(200)
  expect((await lab.call('POST', `/api/v1/alerts/${id}/acknowledge`)).status).toBe(409)
  const foreign = await lab.keyFor(['admin'], await lab.anotherOrganization())
  for (const path of ['acknowledge', 'resolve']) expect((await lab.call('POST', `/api/v1/alerts/${id}/${path}`, { key: foreign })).status).toBe(404)
  expect((await lab.call('GET', `/api/v1/alerts/${id}`, { key: foreign })).status).toBe(404)
})

test('an end user gets one letter for one cause, only where the organization wants it, and none when it is healed', async () => {
  const lab = await createApiLab()
  await breakOne(lab, 'silent')
  await work(lab)
  expect(lab.letters).toEqual([])
  expect((await lab.call('PATCH', '/api/v1/settings', { body: { owner_mail: true, application_name: 'Runlog' } })).status).toBe(200)
  const id = await breakOne(lab, 'ada')
  await work(lab)
  await lab.call('GET', `/api/v1/connections/${id}/token`)
  await lab.call('POST', `/api/v1/connections/${id}/refresh`)
  await work(lab)
  expect(lab.letters.map(({ to, subject }) => [to, subject])).toEqual([['ada@example.com', 'Scripted needs to be reconnected']])
  expect(lab.letters[0]?.text).toContain(`https://evergrant.example/connect/repair/${id}.`)
  expect(lab.letters[0]?.html).toContain(`https://evergrant.example/connect/repair/${id}.`)
  const healed = await breakOne(lab, 'ben')
  await lab.call('POST', `/api/v1/connections/${healed}/disconnect`)
  await work(lab)
  expect(lab.letters).toHaveLength(1)
})

test('a database that goes away after one letter costs nobody else theirs', async () => {
  const lab = await createApiLab()
  await lab.call('PATCH', '/api/v1/settings', { body: { owner_mail: true } })
  for (const owner of ['ada', 'ben', 'cleo']) await breakOne(lab, owner)
  await lab.alertChores.watch.readEvents()
  const { alerts } = lab.store
  const settle = alerts.settleLetter
  alerts.settleLetter = () => {
    alerts.settleLetter = settle
    return Promise.reject(new Error('away'))
  }
  await expect(lab.alertChores.letters.run()).rejects.toThrow('away')
  await work(lab)
  expect(lab.letters.map(({ to }) => to).sort()).toEqual(['ada@example.com', 'ben@example.com', 'cleo@example.com'])
})

test('a letter goes to whose connection it is, and not to who has the id that its owner is called by', async () => {
  const lab = await createApiLab()
  await lab.call('PATCH', '/api/v1/settings', { body: { owner_mail: true } })
  const ana = await newMember(lab, { role: 'member', organization: lab.organization, externalId: 'ana', email: 'ana@example.com' })
  for (const owner of [ana.id, 'ana']) {
    const body = { integration: 'scripted', owner, access_token: SECRETS[0], expires_at: '2020-01-01T00:00:00Z', account: owner }
    const { json } = await lab.call('POST', '/api/v1/connections', { body })
    expect((await lab.call('GET', `/api/v1/connections/${json.id}/token`)).status).toBe(409)
    await work(lab)
    expect(lab.letters.map(({ to }) => to)).toEqual(owner === 'ana' ? ['ana@example.com'] : [])
  }
})

test('a provider that is away is one alert after half an hour, and no end user hears of it', async () => {
  const lab = await createApiLab()
  await lab.call('PATCH', '/api/v1/settings', { body: { owner_mail: true } })
  lab.provider.steps.push(...Array.from({ length: 40 }, () => ({ kind: 'unreachable' }) as const))
  await lab.time.advance(2 * HOUR)
  await lab.call('POST', `/api/v1/connections/${lab.connection}/refresh`)
  await work(lab)
  const open = async () => (await lab.call('GET', '/api/v1/alerts?state=open')).json.items
  expect(await open()).toEqual([])
  await lab.time.advance(31 * MINUTE)
  await work(lab)
  expect(await open()).toMatchObject([{ kind: 'refresh_failing', count: 1 }])
  expect(lab.letters).toEqual([])
  lab.provider.steps.length = 0
  await lab.time.advance(2 * HOUR)
  await lab.call('POST', `/api/v1/connections/${lab.connection}/refresh`)
  await work(lab)
  expect(await open()).toEqual([])
})

test('the next outage is told also after one that a person called over while it lasted', async () => {
  const lab = await createApiLab()
  const open = async () => (await lab.call('GET', '/api/v1/alerts?state=open')).json.items
  const refreshed = async () => {
    await lab.time.advance(2 * HOUR)
    await lab.call('POST', `/api/v1/connections/${lab.connection}/refresh`)
    await work(lab)
  }
  const outage = async () => {
    lab.provider.steps.push(...Array.from({ length: 40 }, () => ({ kind: 'unreachable' }) as const))
    await refreshed()
    await lab.time.advance(31 * MINUTE)
    await work(lab)
  }
  await outage()
  const [{ id }] = await open()
  expect((await lab.call('POST', `/api/v1/alerts/${id}/resolve`)).status).toBe(200)
  await work(lab)
  expect(await open()).toEqual([])
  lab.provider.steps.length = 0
  await refreshed()
  await outage()
  expect(await open()).toMatchObject([{ kind: 'refresh_failing', count: 1 }])
})

test('rules have defaults, and a change names the field that is wrong', async () => {
  const lab = await createApiLab()
  const rules = (await lab.call('GET', '/api/v1/alert-rules')).json.items
  expect(rules).toHaveLength(10)
  const put = (item: Record<string, unknown>) => lab.call('PUT', '/api/v1/alert-rules', { body: { items: [item] } })
  expect((await put({ kind: 'expires_soon', threshold: 3, channels: [] })).json.items).toContainEqual(
    expect.objectContaining({ id: 'expires_soon', threshold: 3, channels: [] }),
  )
  expect((await lab.call('GET', '/api/v1/alert-rules')).json.items).toContainEqual(expect.objectContaining({ id: 'expires_soon', threshold: 3 }))
  const wrong = [{ threshold: 31 }, { minutes: 5 }, { notify_owner: true }, { channels: ['chn_01990000-0000-7000-8000-000000000000'] }]
  const fields = await Promise.all(wrong.map(async (change) => (await put({ kind: 'expires_soon', ...change })).json.field))
  expect(fields).toEqual(['/items/0/threshold', '/items/0/minutes', '/items/0/notify_owner', '/items/0/channels'])
})

test('two people who change different rules at the same moment both have their way', async () => {
  const lab = await createApiLab()
  const put = (item: Record<string, unknown>) => lab.call('PUT', '/api/v1/alert-rules', { body: { items: [item] } })
  const answers = await Promise.all([put({ kind: 'expires_soon', threshold: 3 }), put({ kind: 'clone_detected', enabled: false })])
  expect(answers.map(({ status }) => status)).toEqual([200, 200])
  const rules = (await lab.call('GET', '/api/v1/alert-rules')).json.items
  expect(rules).toContainEqual(expect.objectContaining({ id: 'expires_soon', threshold: 3 }))
  expect(rules).toContainEqual(expect.objectContaining({ id: 'clone_detected', enabled: false }))
})

test('a rule whose only channel was deleted tells every channel, says so, and can be written back as it is read', async () => {
  const lab = await createApiLab()
  const { told, url } = await receiver()
  const ids: string[] = []
  for (const name of ['kept', 'dropped'])
    ids.push((await lab.call('POST', '/api/v1/channels', { body: { kind: 'slack', name, url: `${url}/${name}` } })).json.id)
  const rule = async () => (await lab.call('GET', '/api/v1/alert-rules')).json.items.find(({ id }: { id: string }) => id === 'connection_needs_reauth')
  const put = (channels: unknown) => lab.call('PUT', '/api/v1/alert-rules', { body: { items: [{ kind: 'connection_needs_reauth', channels }] } })
  await put([ids[1]])
  expect((await lab.call('DELETE', `/api/v1/channels/${ids[1]}`)).status).toBe(204)
  expect((await rule()).channels).toBeNull()
  await breakOne(lab, 'ada')
  await work(lab)
  expect(told.map(({ path }) => path)).toEqual(['/kept'])
  expect((await put((await rule()).channels)).status).toBe(200)
  await put([])
  expect((await rule()).channels).toEqual([])
})

test('a webhook that a channel tells of alerts through is deleted after that channel, and not before it', async () => {
  const lab = await createApiLab()
  const { id: webhook } = await newWebhook(lab, 'https://app.example.com')
  const channel = (await lab.call('POST', '/api/v1/channels', { body: { kind: 'webhook', name: 'pager', webhook } })).json.id
  const refused = await lab.call('DELETE', `/api/v1/webhooks/${webhook}`)
  expect([refused.status, refused.json.code, refused.json.detail]).toEqual([409, 'conflict', expect.stringContaining('The channel "pager"')])
  await lab.call('DELETE', `/api/v1/channels/${channel}`)
  expect((await lab.call('DELETE', `/api/v1/webhooks/${webhook}`)).status).toBe(204)
})

test('what happens to those whose alerts are among many hundreds of open ones is told as ever, and every alert that is over is closed', async () => {
  const lab = await createApiLab()
  const { watch } = lab.alertChores
  const suspected = async (installation: string, type: 'installation.clone_suspected' | 'installation.retired' = 'installation.clone_suspected') => {
    const common = { organization: lab.organization, actor: { kind: 'system', id: null }, connection: null } as const
    await lab.store.events.append({ id: newId('evt', systemEntropy), ...common, type, at: lab.time.clock.wall(), subject: installation, data: {} })
  }
  const many = Array.from({ length: 520 }, (_, index) => `ins_${index}`)
  for (const installation of many) await suspected(installation)
  for (let more = true; more; ) more = await watch.readEvents()
  const open = async () => {
    let count = 0
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: { items: unknown[]; cursor: string | null } = (
        await lab.call('GET', `/api/v1/alerts?state=open&limit=200${cursor === '' ? '' : `&cursor=${cursor}`}`)
      ).json
      count += page.items.length
      cursor = page.cursor
    }
    return count
  }
  expect(await open()).toBe(520)
  const { told, url } = await receiver()
  await newWebhook(lab, url, ['installation.*'])
  for (const installation of ['ins_519', 'ins_0']) await suspected(installation)
  await suspected('ins_518', 'installation.retired')
  await work(lab)
  expect(await lab.store.alerts.pending(10)).toEqual([])
  expect(told).toHaveLength(3)
  expect(await open()).toBe(519)
})

const REFUSED = [
  ['/api/v1/webhooks', { name: 'a', url: 'ftp://app.example/' }, '/url'],
  ['/api/v1/webhooks', { name: 'a', url: 'https://user:pass@app.example/' }, '/url'],
  ['/api/v1/webhooks', { name: 'a', url: 'http://app.example/' }, '/url'],
  ['/api/v1/channels', { kind: 'slack', name: 'a' }, '/url'],
  ['/api/v1/channels', { kind: 'email', name: 'a', to: ['not an address'] }, '/to/0'],
  [
    '/api/v1/channels',
    { kind: 'push', name: 'a', subscription: { endpoint: 'https://push.example/1', keys: { p256dh: 'x', auth: 'y' } } },
    '/subscription/keys',
  ],
  ['/api/v1/channels', { kind: 'webhook', name: 'a' }, '/webhook'],
  [
    '/api/v1/channels',
    { kind: 'email', name: 'a', to: ['a@example.com'], quiet_hours: { from: '22:00', to: '07:00', time_zone: 'Nowhere' } },
    '/quiet_hours/time_zone',
  ],
] as const

test('what cannot work is refused, and the field is named', async () => {
  const lab = await createApiLab()
  for (const [path, body, field] of REFUSED) expect((await lab.call('POST', path, { body })).json, JSON.stringify(body)).toMatchObject({ status: 400, field })
})

test('the test button says what came of it, and the key for browsers is one key', async () => {
  const lab = await createApiLab()
  const { url } = await receiver([200, 404])
  const { id } = (await lab.call('POST', '/api/v1/channels', { body: { kind: 'slack', name: 'ops', url } })).json
  expect((await lab.call('POST', `/api/v1/channels/${id}/test`)).json).toEqual({ ok: true, detail: null })
  expect((await lab.call('POST', `/api/v1/channels/${id}/test`)).json).toEqual({ ok: false, detail: '404' })
  expect((await lab.call('GET', '/api/v1/channels')).json.items).toMatchObject([{ last_error: '404', enabled: true }])
  const keys = await Promise.all([1, 2].map(async () => (await lab.call('GET', '/api/v1/console/push-key')).json.public_key))
  expect(Buffer.from(keys[0], 'base64url')).toHaveLength(65)
  expect(keys[0]).toBe(keys[1])
})

test('what an endpoint took and did not take stands in the history, and who was told counts once however many ways', async () => {
  const lab = await createApiLab()
  const { url } = await receiver([500, 200, 200])
  for (const name of ['one', 'two']) await lab.call('POST', '/api/v1/webhooks', { body: { name, url: `${url}/${name}`, types: ['connection.needs_reauth'] } })
  await breakOne(lab, 'ada')
  await work(lab)
  await lab.time.advance(3 * MINUTE)
  await work(lab)
  const series = async (names: string) => {
    const answer = await lab.call('GET', `/api/v1/metrics/history?series=${names}`)
    expect(answer.status, answer.text).toBe(200)
    return Object.fromEntries(
      answer.json.series.map(({ name, points }: { name: string; points: [string, number][] }) => [name, points.reduce((sum, [, value]) => sum + value, 0)]),
    )
  }
  expect(await series('deliveries_ok,deliveries_failed,reconnect_notified')).toEqual({ deliveries_ok: 2, deliveries_failed: 1, reconnect_notified: 1 })
  await breakOne(lab, 'nobody-was-told-of')
  expect(await series('reconnect_notified')).toEqual({ reconnect_notified: 1 })
})

test('a digest ends with the figures of the day before; a letter at once does not', async () => {
  const lab = await createApiLab()
  const channel = { kind: 'email', to: ['ops@example.com'] }
  await lab.call('PATCH', '/api/v1/settings', { body: { digest: true } })
  const daily = await lab.call('POST', '/api/v1/channels', { body: { ...channel, name: 'daily' } })
  expect(daily.json.digest).toBe(true)
  expect((await lab.call('POST', '/api/v1/channels', { body: { ...channel, to: ['now@example.com'], name: 'now', digest: false } })).json.digest).toBe(false)
  await breakOne(lab, 'ada')
  await work(lab)
  const figures = {
    refreshes_ok: 1_204,
    refreshes_failed: 3,
    reads: 18,
    connections: { active: 9, degraded: 0, needs_reauth: 1, blocked: 0 },
    ending: { day: 0, week: 2 },
  }
  await lab.time.advance(DAY)
  const common = { organization: lab.organization, actor: { kind: 'system', id: null }, connection: null, subject: null } as const
  await lab.store.events.append({ ...common, id: newId('evt', systemEntropy), type: 'report.daily', at: lab.time.clock.wall(), data: figures })
  await work(lab)
  const of = (to: string) => lab.letters.find((letter) => letter.to === to)?.text ?? ''
  expect(of('ops@example.com')).toContain('The day before\n1,204 refreshes went well, 3 did not. Tokens were read 18 times.')
  expect(of('now@example.com')).toContain('Console:')
  expect(of('now@example.com')).not.toContain('The day before')
})

test('a mail channel hears on a quiet morning that all is well, once, where it asked for that, and what is open otherwise', async () => {
  const lab = await createApiLab()
  const mail = (to: string, more: object) =>
    lab.call('POST', '/api/v1/channels', { body: { kind: 'email', name: to, to: [to], digest: true, quiet_hours: QUIET, ...more } })
  lab.time.setWall(Date.UTC(2026, 10, 20, 12))
  expect((await mail('every@example.com', { digest_when_well: true })).json).toMatchObject({ digest: true, digest_when_well: true })
  const quiet = (await mail('quiet@example.com', {})).json
  expect(quiet.digest_when_well).toBe(false)
  const { notifier } = lab.alertChores
  const letters = () => lab.letters.map(({ to, subject }) => [to, subject])
  const at = async (...time: Parameters<typeof Date.UTC>) => {
    lab.time.setWall(Date.UTC(...time))
    await Promise.all([notifier.runDaily(), notifier.runDaily()])
  }
  await at(2026, 10, 20, 13)
  // Eight o'clock in Berlin is seven in UTC.
  await at(2026, 10, 21, 6, 59)
  expect(letters()).toEqual([])
  await at(2026, 10, 21, 7, 15)
  await at(2026, 10, 21, 7, 30)
  expect(letters()).toEqual([['every@example.com', expect.stringContaining('All is well')]])
  await at(2026, 10, 22, 20)
  expect(letters()).toHaveLength(1)
  await breakOne(lab, 'ada')
  await work(lab)
  await lab.call('PATCH', `/api/v1/channels/${quiet.id}`, { body: { digest_when_well: true } })
  await at(2026, 10, 23, 7, 15)
  expect(
    letters()
      .slice(1)
      .map(([to]) => to),
  ).toEqual(['every@example.com', 'quiet@example.com'])
  expect(lab.letters.at(-1)?.subject).not.toContain('All is well')
  await lab.call('PATCH', `/api/v1/channels/${quiet.id}`, { body: { digest: false } })
  expect((await lab.call('GET', '/api/v1/channels')).json.items.find(({ id }: { id: string }) => id === quiet.id)).toMatchObject({
    digest: false,
    digest_when_well: false,
  })
})
