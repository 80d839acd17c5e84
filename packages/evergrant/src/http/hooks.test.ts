import { createHmac, generateKeyPairSync, sign } from 'node:crypto'
import { afterEach, describe, expect, test } from 'vitest'
import { Fault } from '../core/fault/fault.ts'
import { HOUR, MINUTE } from '../core/time.ts'
import { createPushLab, type PushLab, stripeHeader } from '../testing/push-lab.ts'

const UNSIGNED = {
  handshake: { where: { 'hub.mode': 'subscribe' }, token: 'hub.verify_token', echo: { parameter: 'hub.challenge', as: 'hub.challenge' } },
  rules: [
    { where: { object_type: 'athlete', 'updates.authorized': 'false' }, means: 'revoked' as const, account: 'owner_id', at: 'event_time' },
    { where: { object_type: 'activity' }, means: 'changed' as const, account: 'owner_id', facts: { activity: 'object_id' } },
  ],
}
const SIGNED = {
  proof: { kind: 'hmac_sha256' as const, header: 'Stripe-Signature', format: 't={timestamp},v1={signature}', text: '{timestamp}.{body}' },
  rules: [{ where: { type: 'account.application.deauthorized' }, means: 'revoked' as const, account: 'account', at: 'created' }],
}
const SECRET = 'whsec_0123456789abcdef'

let lab: PushLab
afterEach(() => lab.close())

const deauthorized = (account: string, at: number) => JSON.stringify({ type: 'account.application.deauthorized', account, created: Math.floor(at / 1_000) })
const athleteLeft = (account: string, at: number) =>
  JSON.stringify({ object_type: 'athlete', owner_id: account, updates: { authorized: 'false' }, event_time: Math.floor(at / 1_000) })

/** Signs now, at the lab's time. */
function signed(body: string): Record<string, string> {
  return { 'stripe-signature': stripeHeader(body, SECRET, lab.time.clock.wall()) }
}

describe('the address', () => {
  test('a provider that tries it with the right token gets its challenge back, and with another one a refusal', async () => {
    lab = await createPushLab(UNSIGNED)
    const { path, secret } = await lab.register()
    expect(path).toBe(`/hooks/${lab.integration}/${secret}`)
    const ask = (token: string) =>
      lab.call('GET', `${path}?hub.mode=subscribe&hub.challenge=15f7d1a91c1f40f8a748fd134752feb3&hub.verify_token=${token}`, { key: null })
    expect(await ask(secret)).toMatchObject({ status: 200, text: '{"hub.challenge":"15f7d1a91c1f40f8a748fd134752feb3"}' })
    expect((await ask('another')).status).toBe(401)
    expect((await lab.call('GET', path, { key: null })).status).toBe(404)
  })

  test('a wrong secret in the path, an unknown integration and a provider that pushes nothing look alike', async () => {
    lab = await createPushLab(UNSIGNED)
    const { path } = await lab.register()
    const wrong = [
      `${path.slice(0, -1)}${path.endsWith('x') ? 'y' : 'x'}`,
      `/hooks/${lab.integration}`,
      '/hooks/int_019b0000-0000-7000-8000-000000000000',
      '/hooks/strava/abc',
    ]
    for (const url of wrong) expect(await lab.push(url, '{}')).toMatchObject({ status: 404, json: { detail: 'No pushes are taken at this address.' } })
  })

  test('a new secret is told once, and the one before is taken for a day', async () => {
    lab = await createPushLab(UNSIGNED)
    const first = await lab.register()
    const second = await lab.register()
    const known = await lab.call('GET', '/api/v1/integrations/scripted/push')
    expect(known.json).toMatchObject({
      url: `https://evergrant.example/hooks/${lab.integration}/{secret}`,
      proof: 'path',
      secret_from: 'evergrant',
      verifies: true,
    })
    expect(known.text).not.toContain(second.secret)
    expect((await lab.push(first.path, '{}')).status).toBe(200)
    await lab.time.advance(25 * HOUR)
    expect((await lab.push(first.path, '{}')).status).toBe(404)
    expect((await lab.push(second.path, '{}')).status).toBe(200)
  })

  test('a body of more than 256 KB and a body that is no object are refused; a form is read like JSON', async () => {
    lab = await createPushLab({ rules: [{ where: { kind: 'left' }, means: 'revoked', account: 'user' }] })
    const { path } = await lab.register()
    expect((await lab.push(path, JSON.stringify({ text: 'x'.repeat(256 * 1_024) }))).status).toBe(413)
    expect((await lab.push(path, '"text"')).status).toBe(400)
    expect((await lab.push(path, 'kind=left&user=ada', { 'content-type': 'application/x-www-form-urlencoded' })).status).toBe(200)
    expect(await lab.services.pushes.work()).toBe(1)
  })

  test('forged pushes exhaust their sender, and no genuine push suffers', async () => {
    lab = await createPushLab(SIGNED)
    await lab.register(SECRET)
    const url = `/hooks/${lab.integration}`
    const statuses: number[] = []
    for (let count = 0; count < 110; count += 1) statuses.push((await lab.push(url, '{}', { 'stripe-signature': 't=1,v1=00' })).status)
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThan(0)
    const body = deauthorized('nobody', lab.time.clock.wall())
    const genuine = await lab.app.inject({
      method: 'POST',
      url,
      payload: body,
      remoteAddress: '203.0.113.7',
      headers: { 'content-type': 'application/json', ...signed(body) },
    })
    expect(genuine.statusCode).toBe(200)
    expect(await lab.eventsOf('integration.push_refused')).toHaveLength(1)
  })
})

describe('a push without a signature', () => {
  test('ends nothing by its word: a grant that still works is left alone', async () => {
    lab = await createPushLab(UNSIGNED)
    const { path } = await lab.register()
    await lab.time.advance(10 * MINUTE)
    expect((await lab.push(path, athleteLeft('ada', lab.time.clock.wall()))).status).toBe(200)
    await lab.services.pushes.work()
    await lab.time.advance(11 * MINUTE)
    await lab.services.pushes.work()
    expect(lab.api.calls).toBe(2)
    expect(await lab.stateOf(lab.connection)).toBe('active')
    expect((await lab.eventsOf('push.revoked'))[0]?.data).toMatchObject({ proven: false, alive: 1, ended: 0 })
  })

  test('makes us ask: where the provider agrees, exactly the connections of that account end', async () => {
    lab = await createPushLab(UNSIGNED)
    const { path } = await lab.register()
    const other = await lab.connect('bob')
    await lab.time.advance(MINUTE)
    lab.api.status = 401
    lab.provider.familyAlive = false
    await lab.push(path, athleteLeft('ada', lab.time.clock.wall()))
    await lab.services.pushes.work()
    expect([await lab.stateOf(lab.connection), await lab.stateOf(other)]).toEqual(['needs_reauth', 'active'])
    expect((await lab.row()).connection.fault?.evidence.providerCode).toBe('invalid_grant')
    expect((await lab.eventsOf('push.revoked'))[0]).toMatchObject({ connection_id: lab.connection, data: { ended: 1 } })
  })

  test('in a flood asks few times, and a revocation in the middle of it is found at the second look', async () => {
    lab = await createPushLab(UNSIGNED)
    const { path } = await lab.register()
    await lab.time.advance(10 * MINUTE)
    for (let count = 0; count < 20; count += 1) {
      await lab.push(path, athleteLeft('ada', lab.time.clock.wall() + count * 1_000))
      await lab.services.pushes.work()
      await lab.time.advance(100)
    }
    expect(lab.api.calls).toBe(1)
    lab.api.status = 401
    lab.provider.familyAlive = false
    await lab.time.advance(11 * MINUTE)
    await lab.services.pushes.work()
    expect(await lab.stateOf(lab.connection)).toBe('needs_reauth')
  })

  test('is looked into again when nobody can tell now', async () => {
    lab = await createPushLab(UNSIGNED)
    const { path } = await lab.register()
    await lab.time.advance(MINUTE)
    lab.api.status = 503
    await lab.push(path, athleteLeft('ada', lab.time.clock.wall()))
    await lab.services.pushes.work()
    expect(await lab.eventsOf('push.revoked')).toHaveLength(0)
    lab.api.status = 401
    lab.provider.familyAlive = false
    await lab.time.advance(2 * MINUTE)
    await lab.services.pushes.work()
    expect(await lab.stateOf(lab.connection)).toBe('needs_reauth')
  })

  test('asks by a refresh where no call is known', async () => {
    lab = await createPushLab(UNSIGNED, { checks: false })
    const { path } = await lab.register()
    await lab.time.advance(MINUTE)
    lab.provider.familyAlive = false
    await lab.push(path, athleteLeft('ada', lab.time.clock.wall()))
    await lab.services.pushes.work()
    expect(await lab.stateOf(lab.connection)).toBe('needs_reauth')
  })

  test('of somebody unknown is acknowledged and asks nobody', async () => {
    lab = await createPushLab(UNSIGNED)
    const { path } = await lab.register()
    expect((await lab.push(path, athleteLeft('nobody', lab.time.clock.wall()))).status).toBe(200)
    await lab.services.pushes.work()
    expect([lab.api.calls, await lab.stateOf(lab.connection)]).toEqual([0, 'active'])
  })

  test('about a change is an event for the application, once however often it comes within an hour', async () => {
    lab = await createPushLab(UNSIGNED)
    const { path } = await lab.register()
    const body = JSON.stringify({ object_type: 'activity', owner_id: 'ada', object_id: 1360128428 })
    for (let count = 0; count < 3; count += 1) {
      expect((await lab.push(path, body)).status).toBe(200)
      await lab.services.pushes.work()
    }
    const events = await lab.eventsOf('push.changed')
    expect(events).toHaveLength(1)
    expect(events[0]).toMatchObject({ connection_id: lab.connection, data: { activity: '1360128428', proven: false } })
    await lab.time.advance(HOUR)
    await lab.push(path, body)
    await lab.services.pushes.work()
    expect(await lab.eventsOf('push.changed')).toHaveLength(2)
  })

  test('counts only for the subscription that the integration names', async () => {
    const rules = [{ where: { subscription_id: '{push_subscription}', gone: true }, means: 'revoked' as const, account: 'user' }]
    const variables = { push_subscription: { label: 'Subscription', pattern: '[0-9]+|\\*', example: '120475', default: '*', askedOf: 'integration' as const } }
    lab = await createPushLab({ rules }, { record: { variables } })
    const { path } = await lab.register()
    const taken = async (subscription: number) => {
      await lab.push(path, JSON.stringify({ subscription_id: subscription, gone: true, user: `u${subscription}` }))
      return lab.services.pushes.work()
    }
    expect(await taken(1)).toBe(1)
    await lab.call('PATCH', '/api/v1/integrations/scripted', { body: { variables: { push_subscription: '7' } } })
    expect([await taken(2), await taken(7)]).toEqual([0, 1])
  })
})

describe('a signed push', () => {
  test('ends the grant that it proves is over, with its evidence, without asking, and no other', async () => {
    lab = await createPushLab(SIGNED)
    await lab.register(SECRET)
    const other = await lab.connect('bob')
    await lab.time.advance(HOUR)
    const body = deauthorized('ada', lab.time.clock.wall())
    expect((await lab.push(`/hooks/${lab.integration}`, body, signed(body))).status).toBe(200)
    await lab.services.pushes.work()
    expect(lab.api.calls).toBe(0)
    expect([await lab.stateOf(lab.connection), await lab.stateOf(other)]).toEqual(['needs_reauth', 'active'])
    const { fault } = (await lab.row()).connection
    expect(fault).toMatchObject({ code: 'connection_revoked', evidence: { providerCode: 'push', intent: null } })
    await expect(lab.read()).rejects.toMatchObject({ code: 'connection_revoked' })
  })

  test('without its signature, with an old one, and over other bytes is refused', async () => {
    lab = await createPushLab(SIGNED)
    await lab.register(SECRET)
    const url = `/hooks/${lab.integration}`
    await lab.time.advance(HOUR)
    const body = deauthorized('ada', lab.time.clock.wall())
    const old = { 'stripe-signature': stripeHeader(body, SECRET, lab.time.clock.wall() - 6 * MINUTE) }
    const other = { 'stripe-signature': stripeHeader(body, 'whsec_another_one', lab.time.clock.wall()) }
    for (const headers of [{}, old, other]) expect((await lab.push(url, body, headers)).status).toBe(401)
    expect((await lab.push(url, `${body} `, signed(body))).status).toBe(401)
    expect((await lab.push(`${url}/anything`, body, signed(body))).status).toBe(404)
    expect(await lab.services.pushes.work()).toBe(0)
    expect(await lab.stateOf(lab.connection)).toBe('active')
  })

  test('that is repeated after the owner came back ends nothing: a newer consent wins', async () => {
    lab = await createPushLab(SIGNED)
    await lab.register(SECRET)
    await lab.time.advance(HOUR)
    const body = deauthorized('ada', lab.time.clock.wall())
    const headers = signed(body)
    await lab.push(`/hooks/${lab.integration}`, body, headers)
    await lab.services.pushes.work()
    await lab.call('POST', '/api/v1/connections', {
      body: {
        integration: 'scripted',
        owner: 'owner-1',
        account: 'ada',
        access_token: 'at-9',
        refresh_token: 'rt-1',
        expires_at: '2026-02-01T00:00:00Z',
        replace: true,
      },
    })
    expect(await lab.stateOf(lab.connection)).toBe('active')
    await lab.time.advance(MINUTE)
    expect((await lab.push(`/hooks/${lab.integration}`, body, headers)).status).toBe(200)
    await lab.services.pushes.work()
    expect(await lab.stateOf(lab.connection)).toBe('active')
  })

  test('that was late says nothing about the consent that came after it', async () => {
    lab = await createPushLab(SIGNED)
    await lab.register(SECRET)
    await lab.time.advance(HOUR)
    const before = lab.time.clock.wall()
    await lab.time.advance(HOUR)
    await lab.call('POST', '/api/v1/connections', {
      body: {
        integration: 'scripted',
        owner: 'owner-1',
        account: 'ada',
        access_token: 'at-9',
        refresh_token: 'rt-1',
        expires_at: '2026-02-01T00:00:00Z',
        replace: true,
      },
    })
    const body = deauthorized('ada', before)
    await lab.push(`/hooks/${lab.integration}`, body, signed(body))
    await lab.services.pushes.work()
    expect([await lab.stateOf(lab.connection), lab.api.calls]).toEqual(['active', 0])
    expect((await lab.eventsOf('push.revoked'))[0]?.data).toMatchObject({ superseded: 1 })
  })

  test('is asked about when a renewal came after it', async () => {
    lab = await createPushLab(SIGNED)
    await lab.register(SECRET)
    await lab.time.advance(20 * MINUTE)
    const body = deauthorized('ada', lab.time.clock.wall())
    await lab.time.advance(MINUTE)
    await lab.call('POST', `/api/v1/connections/${lab.connection}/refresh`)
    await lab.push(`/hooks/${lab.integration}`, body, signed(body))
    await lab.services.pushes.work()
    expect([await lab.stateOf(lab.connection), lab.api.calls]).toEqual(['active', 0])
    await lab.time.advance(11 * MINUTE)
    await lab.services.pushes.work()
    expect([await lab.stateOf(lab.connection), lab.api.calls]).toEqual(['active', 1])
  })

  test('of many accounts at once cannot end them all: the ends are held', async () => {
    lab = await createPushLab(SIGNED)
    await lab.register(SECRET)
    const all = [lab.connection]
    for (let count = 0; count < 9; count += 1) all.push(await lab.connect(`account-${count}`))
    await lab.time.advance(HOUR)
    for (const account of ['ada', ...Array.from({ length: 9 }, (_, index) => `account-${index}`)]) {
      const body = deauthorized(account, lab.time.clock.wall())
      await lab.push(`/hooks/${lab.integration}`, body, signed(body))
      await lab.services.pushes.work()
    }
    const faults = await Promise.all(all.map(async (id) => (await lab.store.credentials.read(id))?.connection.fault?.code))
    expect(faults).toContain('deaths_held')
    expect((await lab.call('GET', '/api/v1/integrations/scripted')).json.deaths_held).not.toBeNull()
  })

  test('with Ed25519 is checked with the public key, and acknowledged as the provider wants it', async () => {
    const proof = { kind: 'ed25519' as const, header: 'X-Signature-Ed25519', timestampHeader: 'X-Signature-Timestamp', text: '{timestamp}{body}' }
    lab = await createPushLab({
      proof,
      acknowledge: 204,
      rules: [{ where: { 'event.type': 'APPLICATION_DEAUTHORIZED' }, means: 'revoked', account: 'event.data.user.id' }],
    })
    const { publicKey, privateKey } = generateKeyPairSync('ed25519')
    await lab.register(publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex'))
    const body = JSON.stringify({ event: { type: 'APPLICATION_DEAUTHORIZED', data: { user: { id: 'ada' } } } })
    const timestamp = String(Math.floor(lab.time.clock.wall() / 1_000))
    const headers = { 'x-signature-timestamp': timestamp, 'x-signature-ed25519': sign(null, Buffer.from(timestamp + body), privateKey).toString('hex') }
    expect((await lab.push(`/hooks/${lab.integration}`, body, headers)).status).toBe(204)
    expect((await lab.push(`/hooks/${lab.integration}`, body.replace('ada', 'bob'), headers)).status).toBe(401)
    expect(await lab.services.pushes.work()).toBe(1)
  })

  test('in a form field is its own message', async () => {
    const rules = [{ means: 'revoked' as const, account: 'user_id', at: 'issued_at' }]
    lab = await createPushLab({ proof: { kind: 'signed_field', header: 'signed_request' }, rules })
    await lab.register(SECRET)
    const payload = Buffer.from(JSON.stringify({ algorithm: 'HMAC-SHA256', user_id: 'ada', issued_at: 1_767_229_200 })).toString('base64url')
    const signature = createHmac('sha256', SECRET).update(payload).digest('base64url')
    const send = (field: string) => lab.push(`/hooks/${lab.integration}`, `signed_request=${field}`, { 'content-type': 'application/x-www-form-urlencoded' })
    expect((await send(`${signature}.${payload}x`)).status).toBe(401)
    expect((await send(`${signature}.${payload}`)).status).toBe(200)
    expect(await lab.services.pushes.work()).toBe(1)
  })

  test('names its event in a header and its account in a longer text where that is how the provider does it', async () => {
    const proof = { kind: 'hmac_sha256' as const, header: 'X-Shopify-Hmac-Sha256', encoding: 'base64' as const }
    const rules = [{ headers: { 'x-shopify-topic': 'app/uninstalled' }, means: 'revoked' as const, account: 'myshopify_domain', pattern: '^([^.]+)\\.' }]
    lab = await createPushLab({ proof, rules })
    await lab.register(SECRET)
    const send = (body: string, topic: string) =>
      lab.push(`/hooks/${lab.integration}`, body, {
        'x-shopify-topic': topic,
        'x-shopify-hmac-sha256': createHmac('sha256', SECRET).update(body).digest('base64'),
      })
    expect((await send('{"myshopify_domain":"ada.myshopify.com"}', 'shop/update')).status).toBe(200)
    expect(await lab.services.pushes.work()).toBe(0)
    await lab.time.advance(MINUTE)
    lab.provider.familyAlive = false
    lab.api.status = 401
    await send('{"myshopify_domain":"ada.myshopify.com"}', 'app/uninstalled')
    await lab.services.pushes.work()
    expect(await lab.stateOf(lab.connection)).toBe('needs_reauth')
  })
})

describe('a code in a push', () => {
  const CODES = {
    proof: { kind: 'hmac_sha256' as const, header: 'x-signature' },
    rules: [{ where: { action: 'created' }, means: 'code' as const, code: 'code', account: 'uuid', facts: { installation: 'uuid' } }],
  }
  const body = JSON.stringify({ action: 'created', code: 'planted-code', uuid: 'u-1' })
  const headers = { 'x-signature': createHmac('sha256', SECRET).update(body).digest('hex') }

  test('is handed on once, sealed until then, and never told', async () => {
    const delivered: unknown[] = []
    const deliver = async (code: unknown) => {
      delivered.push(code)
      return 'taken' as const
    }
    const codes = { deliver }
    lab = await createPushLab(CODES, { codes })
    await lab.register(SECRET)
    await lab.push(`/hooks/${lab.integration}`, body, headers)
    const [kept] = await lab.store.pushes.take(10, 0)
    expect(new TextDecoder().decode(kept?.code ?? new Uint8Array())).not.toContain('planted-code')
    await lab.services.pushes.work()
    await lab.push(`/hooks/${lab.integration}`, body, headers)
    await lab.services.pushes.work()
    expect(delivered).toMatchObject([{ code: 'planted-code', account: 'u-1', facts: { installation: 'u-1' }, integration: lab.integration }])
    expect((await lab.call('GET', '/api/v1/events')).text).not.toContain('planted-code')
    expect((await lab.eventsOf('push.code'))[0]?.data).toEqual({ taken: true })
  })

  test('is offered again when the flows cannot take it now', async () => {
    let offers = 0
    const deliver = async () => {
      offers += 1
      if (offers === 1) throw new Fault('store_unavailable')
      return 'unknown' as const
    }
    lab = await createPushLab(CODES, { codes: { deliver } })
    await lab.register(SECRET)
    await lab.push(`/hooks/${lab.integration}`, body, headers)
    await lab.services.pushes.work()
    await lab.time.advance(2 * MINUTE)
    await lab.services.pushes.work()
    expect([offers, (await lab.eventsOf('push.code'))[0]?.data]).toEqual([2, { taken: false }])
  })
})

test('each element of a list is a push of its own', async () => {
  lab = await createPushLab({ rules: [{ list: 'deregistrations', means: 'revoked', account: 'userId' }] }, { checks: false })
  const { path } = await lab.register()
  await lab.connect('bob')
  await lab.push(path, JSON.stringify({ deregistrations: [{ userId: 'ada' }, { userId: 'bob' }, { userId: 'nobody' }] }))
  expect(await lab.services.pushes.work()).toBe(3)
})

test('nothing that a push or its secret holds is told in answers, events or the log', async () => {
  lab = await createPushLab(SIGNED)
  await lab.register(SECRET)
  const url = `/hooks/${lab.integration}`
  const body = deauthorized('planted-account', lab.time.clock.wall())
  const answers = [await lab.push(url, body, { 'stripe-signature': 't=1,v1=planted-signature' }), await lab.push(url, body, signed(body))]
  await lab.services.pushes.work()
  const events = (await lab.call('GET', '/api/v1/events')).text
  const told = [
    ...answers.map((answer) => answer.text),
    events,
    JSON.stringify(lab.logged),
    (await lab.call('GET', '/api/v1/integrations/scripted/push')).text,
  ].join('\n')
  for (const planted of [SECRET, 'planted-account', 'planted-signature']) expect(told).not.toContain(planted)
})
