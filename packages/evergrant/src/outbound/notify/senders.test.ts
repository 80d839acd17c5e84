// Each sender against a local server that speaks the protocol for real.
import { createDecipheriv, createECDH, hkdfSync, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { importJWK, jwtVerify } from 'jose'
import { SMTPServer } from 'smtp-server'
import { Webhook } from 'standardwebhooks'
import { afterEach, describe, expect, test } from 'vitest'
import { ChannelError, type Message } from '../../core/alert/message.ts'
import { Secret } from '../../core/seal/secret.ts'
import { systemClock, systemTimers } from '../../system.ts'
import { testSeal } from '../../testing/seal.ts'
import { createAddressGuard } from '../address-guard.ts'
import { createSmtpMailer } from '../mail-sender.ts'
import { createProxyTransport } from '../proxy-transport.ts'
import { ownerLetter } from './owner-mail.ts'
import { post } from './post.ts'
import { createTellChannel } from './tell-channel.ts'
import { createVapidKeys } from './vapid-keys.ts'
import { createWebhookSender, signatureOf } from './webhook-sender.ts'

interface Received {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

const open: (() => void)[] = []
afterEach(() => {
  for (const close of open.splice(0)) close()
})

async function serve(answer: (request: Received) => { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string }) {
  const received: Received[] = []
  const server: Server = createServer((request, reply) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const one = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks) }
      received.push(one)
      const { status, headers = {}, body = '' } = answer(one)
      reply.writeHead(status, headers).end(body)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  open.push(() => server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received }
}

function transportOf(development = true) {
  const transport = createProxyTransport({ guard: createAddressGuard({ allowPrivateHosts: [], development }), timers: systemTimers })
  open.push(() => transport.close())
  return { transport, timers: systemTimers }
}

const item = {
  state: 'open',
  severity: 'warning',
  title: 'Google <b>&</b>: 4 connections',
  text: 'The owner has to act & <!channel> reads it.',
  url: 'https://eg.example/console/alerts/alt_1?a=1&b=2',
  runbookUrl: 'https://eg.example/docs/runbooks/connection-needs-reauth',
} as const
const message: Message = { title: item.title, severity: 'warning', items: [item], url: 'https://eg.example/console/alerts' }
const noMail = { send: () => Promise.reject(new Error('no mail here')) }
const noKeys = () => Promise.reject(new Error('no keys here'))

function tellOver(changes: Partial<Parameters<typeof createTellChannel>[0]> = {}) {
  const around = { clock: systemClock, vapid: noKeys, contact: 'https://eg.example', mailer: noMail, application: 'Example' }
  return createTellChannel({ ...transportOf(), ...around, ...changes })
}

describe('webhooks', () => {
  const secret = `whsec_${randomBytes(32).toString('base64')}`
  const older = `whsec_${randomBytes(32).toString('base64')}`

  test('the standardwebhooks package verifies a delivery, with the new secret and with the one before', async () => {
    const { url, received } = await serve(() => ({ status: 200, body: 'thanks' }))
    const body = JSON.stringify({ type: 'connection.needs_reauth', data: { name: 'Zoë' } })
    const send = createWebhookSender(transportOf())
    const outcome = await send({ url: `${url}/hooks`, id: 'evt_1', at: systemClock.wall(), body, secrets: [secret, older].map((text) => new Secret(text)) })
    expect(outcome).toMatchObject({ kind: 'answered', status: 200, text: 'thanks' })
    const headers = received[0]?.headers as Record<string, string>
    for (const one of [secret, older]) expect(new Webhook(one).verify(received[0]?.body.toString() ?? '', headers)).toMatchObject({ data: { name: 'Zoë' } })
    const stranger = new Webhook(`whsec_${randomBytes(32).toString('base64')}`)
    expect(() => stranger.verify(received[0]?.body.toString() ?? '', headers)).toThrow()
    expect(() => new Webhook(secret).verify(`${received[0]?.body.toString()} `, headers)).toThrow()
  })

  test('a redirect is an answer, and nobody goes there', async () => {
    const elsewhere = await serve(() => ({ status: 200 }))
    const { url } = await serve(() => ({ status: 307, headers: { location: elsewhere.url } }))
    const outcome = await createWebhookSender(transportOf())({ url, id: 'evt_1', at: 0, body: '{}', secrets: [new Secret(secret)] })
    expect(outcome).toMatchObject({ kind: 'answered', status: 307 })
    expect(elsewhere.received).toEqual([])
  })

  test.each(['https://127.0.0.1/', 'https://169.254.169.254/latest/meta-data', 'https://[::1]/', 'https://10.0.0.8/', 'https://localhost/'])(
    '%s is refused before anything is sent',
    async (url) => {
      expect(await post({ url, headers: {}, body: Buffer.from('{}') }, transportOf(false))).toEqual({ kind: 'failed', cause: 'private_address' })
    },
  )

  test('a receiver that never answers is given up after 15 seconds', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    open.push(
      () => silent.closeAllConnections(),
      () => silent.close(),
    )
    const { transport } = transportOf()
    const waits: { readonly ms: number; readonly task: () => void }[] = []
    const timers = {
      after: (ms: number, task: () => void) => {
        waits.push({ ms, task })
        return () => {}
      },
    }
    const arrived = once(silent, 'request')
    const outcome = post({ url: `http://127.0.0.1:${(silent.address() as AddressInfo).port}/`, headers: {}, body: Buffer.from('{}') }, { transport, timers })
    await arrived
    expect(waits.map(({ ms }) => ms)).toEqual([15_000])
    for (const { task } of waits) task()
    expect(await outcome).toEqual({ kind: 'failed', cause: 'timeout' })
  })

  test('of an answer without end the beginning is kept', async () => {
    const { url } = await serve(() => ({ status: 500, body: 'x'.repeat(100_000) }))
    const outcome = await post({ url, headers: {}, body: Buffer.from('{}') }, transportOf())
    expect(outcome.kind === 'answered' && outcome.text.length).toBe(8_192)
  })
})

describe('Slack', () => {
  test('an alert is blocks in which names stay names', async () => {
    const { url, received } = await serve(() => ({ status: 200, body: 'ok' }))
    await tellOver()({ kind: 'slack', url: `${url}/services/T/B/secret` }, message)
    const sent = JSON.parse(received[0]?.body.toString() ?? '')
    expect(sent.text).toBe('Google &lt;b&gt;&amp;&lt;/b&gt;: 4 connections')
    expect(sent.blocks[0]).toEqual({ type: 'header', text: { type: 'plain_text', text: item.title, emoji: false } })
    expect(sent.blocks[1].text.text).toContain('&lt;!channel&gt;')
    expect(JSON.stringify(sent.blocks[1])).not.toContain('<!channel>')
    expect(sent.blocks[1].text.text).toContain('<https://eg.example/console/alerts/alt_1?a=1&amp;b=2|Show>')
  })

  test('more than Slack takes is cut, and said so', async () => {
    const { url, received } = await serve(() => ({ status: 200 }))
    await tellOver()({ kind: 'slack', url }, { ...message, items: Array.from({ length: 60 }, () => item) })
    const sent = JSON.parse(received[0]?.body.toString() ?? '')
    expect(sent.blocks.length).toBeLessThanOrEqual(50)
    expect(JSON.stringify(sent.blocks.at(-1))).toContain('and 40 more')
  })

  test.each([
    [404, {}, { gone: true, message: '404' }],
    [429, { 'retry-after': '30' }, { gone: false, retryAfterMs: 30_000 }],
    [500, {}, { gone: false, retryAfterMs: null }],
  ])('an answer %i says whether it is worth another try', async (status, headers, expected) => {
    const { url } = await serve(() => ({ status, headers }))
    const failure = await tellOver()({ kind: 'slack', url }, message).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(ChannelError)
    expect(failure).toMatchObject(expected)
  })
})

describe('push', () => {
  test('a browser decrypts what the push service cannot read, from the key that it subscribed to', async () => {
    const { url, received } = await serve(() => ({ status: 201 }))
    const kept = new Map<string, Uint8Array>()
    const meta = {
      get: async (name: string) => kept.get(name),
      putIfAbsent: async (name: string, value: Uint8Array) => {
        if (!kept.has(name)) kept.set(name, value)
        return kept.get(name) ?? value
      },
    }
    const vapid = createVapidKeys(meta, testSeal())
    const browser = createECDH('prime256v1')
    browser.generateKeys()
    const auth = randomBytes(16)
    const keys = { p256dh: browser.getPublicKey().toString('base64url'), auth: auth.toString('base64url') }
    await tellOver({ vapid })({ kind: 'push', subscription: { endpoint: `${url}/push/abc`, keys } }, message)
    const [sent] = received
    expect(sent?.headers).toMatchObject({ 'content-encoding': 'aes128gcm', ttl: '86400', urgency: 'normal' })
    expect(sent?.body.toString('latin1')).not.toContain('Google')
    expect(JSON.parse(decrypt(sent?.body ?? Buffer.alloc(0), browser, auth))).toEqual({
      title: item.title,
      body: item.text,
      severity: 'warning',
      url: item.url,
    })
    const { publicKey } = await vapid()
    expect(await createVapidKeys(meta, testSeal())()).toEqual(await vapid())
    expect(Buffer.from(kept.get('vapid_keys') ?? []).toString('latin1')).not.toContain((await vapid()).privateKey)
    const [, token = '', key = ''] = /^vapid t=([^,]+), k=(.+)$/.exec(sent?.headers.authorization ?? '') ?? []
    expect(key).toBe(publicKey)
    const point = Buffer.from(key, 'base64url')
    const jwk = { kty: 'EC', crv: 'P-256', x: point.subarray(1, 33).toString('base64url'), y: point.subarray(33).toString('base64url') }
    const { payload } = await jwtVerify(token, await importJWK(jwk, 'ES256'))
    expect(payload).toMatchObject({ aud: url, sub: 'https://eg.example' })
  })

  test('a subscription that the push service forgot is gone', async () => {
    const { url } = await serve(() => ({ status: 410 }))
    const vapid = createVapidKeys({ get: async () => undefined, putIfAbsent: async (_name, value) => value }, testSeal())
    const browser = createECDH('prime256v1')
    const keys = { p256dh: browser.generateKeys().toString('base64url'), auth: randomBytes(16).toString('base64url') }
    await expect(tellOver({ vapid })({ kind: 'push', subscription: { endpoint: url, keys } }, message)).rejects.toMatchObject({ gone: true })
  })
})

/** RFC 8188 and RFC 8291, by hand: one record. */
function decrypt(body: Buffer, browser: ReturnType<typeof createECDH>, auth: Buffer): string {
  const salt = body.subarray(0, 16)
  const idLength = body[20] ?? 0
  const sender = body.subarray(21, 21 + idLength)
  const sealed = body.subarray(21 + idLength)
  const info = Buffer.concat([Buffer.from('WebPush: info\0'), browser.getPublicKey(), sender])
  const secret = Buffer.from(hkdfSync('sha256', browser.computeSecret(sender), auth, info, 32))
  const key = Buffer.from(hkdfSync('sha256', secret, salt, Buffer.from('Content-Encoding: aes128gcm\0'), 16))
  const nonce = Buffer.from(hkdfSync('sha256', secret, salt, Buffer.from('Content-Encoding: nonce\0'), 12))
  const decipher = createDecipheriv('aes-128-gcm', key, nonce)
  decipher.setAuthTag(sealed.subarray(-16))
  const padded = Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()])
  return padded.subarray(0, padded.lastIndexOf(2)).toString('utf8')
}

describe('mail', () => {
  async function mailServer() {
    const letters: { readonly to: readonly string[]; readonly text: string }[] = []
    const server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      onData: (stream, session, done) => {
        const chunks: Buffer[] = []
        stream.on('data', (chunk: Buffer) => chunks.push(chunk))
        stream.on('end', () => {
          letters.push({ to: session.envelope.rcptTo.map(({ address }) => address), text: Buffer.concat(chunks).toString('utf8') })
          done()
        })
      },
    })
    const listening = server.listen(0, '127.0.0.1')
    await once(listening, 'listening')
    open.push(() => server.close())
    const { port } = listening.address() as AddressInfo
    return { letters, mailer: createSmtpMailer({ url: `smtp://127.0.0.1:${port}`, from: 'Evergrant <eg@example.com>' }) }
  }

  test('an alert is a letter of text and HTML for each recipient, and nothing in it is markup that a name brought', async () => {
    const { letters, mailer } = await mailServer()
    await tellOver({ mailer })({ kind: 'email', to: ['a@example.com', 'b@example.com'] }, message)
    expect(letters.map(({ to }) => to).sort()).toEqual([['a@example.com'], ['b@example.com']])
    const text = unfolded(letters[0]?.text ?? '')
    expect(text).toContain('Content-Type: multipart/alternative')
    expect(text).toContain('Warning: Google <b>&</b>: 4 connections')
    expect(text).toContain('Warning: Google &lt;b&gt;&amp;&lt;/b&gt;: 4 connections')
    expect(text).toContain('href="https://eg.example/docs/runbooks/connection-needs-reauth"')
  })

  test('an owner reads what stopped, that nothing is lost, and where to go, in text and in HTML', async () => {
    const { letters, mailer } = await mailServer()
    const url = 'https://eg.example/connect/repair/con_1'
    const news = { provider: 'Strava', account: 'Ana <i>', application: 'Runlog', url, supportEmail: 'help@runlog.example' }
    await mailer.send(ownerLetter('ana@example.com', news))
    const text = unfolded(letters[0]?.text ?? '')
    expect(text).toContain('Subject: Strava needs to be reconnected')
    expect(text.split(url).length).toBeGreaterThanOrEqual(4)
    expect(text).toContain('nothing was deleted')
    expect(text).toContain('Ana &lt;i&gt;')
    expect(text).not.toMatch(/token|invalid_grant|401/)
  })

  test('a mail server that takes nothing is a channel that failed', async () => {
    const mailer = { send: () => Promise.reject(new Error('ECONNECTION')) }
    await expect(tellOver({ mailer })({ kind: 'email', to: ['a@example.com'] }, message)).rejects.toThrow('ECONNECTION')
  })
})

/** Quoted-printable (RFC 2045 section 6.7) as it was written. */
function unfolded(text: string): string {
  return text.replace(/=\r?\n/g, '').replace(/=([0-9A-F]{2})/g, (_found, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

test('a signature of ours is the one that the specification shows', () => {
  const signed = signatureOf('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'msg_p5jXN8AQM9LWM0D4loKWxJek', 1_614_265_330, '{"test": 2432232314}')
  expect(signed).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=')
})
