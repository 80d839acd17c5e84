import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import type { ProviderDraft } from '../../providers/define.ts'
import { type ApiLab, createApiLab } from '../../testing/api-lab.ts'

/**
 * What the proxy and everything else that leaves the server must withstand, by the ids of the security test list, and the
 * facts that show it. S34 (targets of webhooks) has none: Evergrant sends no webhooks.
 */
const SHOWN: Readonly<Record<string, readonly (readonly [file: string, fact: string])[]>> = {
  S25: [
    ['../../outbound/address-guard.test.ts', '%s is not public (S25)'],
    ['../../outbound/address-guard.test.ts', '%s leads nowhere (S25)'],
    ['../../outbound/proxy-transport.test.ts', '%s is not_sent (S25, S33)'],
    ['../../outbound/ssrf-oracle.test.ts', 'whatever %s refuses, ours refuses'],
    ['../../outbound/egress.test.ts', '%s is refused by what is written: nobody here looks the name up (S25)'],
  ],
  S26: [
    ['../../outbound/address-guard.test.ts', 'one private answer among public ones refuses the host (S26)'],
    ['../../outbound/address-guard.test.ts', 'a host is looked up once and its addresses are handed on as they were checked (S26)'],
  ],
  S27: [
    ['../../outbound/proxy-transport.test.ts', 'a redirect is handed back, not followed (S27)'],
    ['../../outbound/ssrf-oracle.test.ts', 'a redirect to any of them leads nowhere: none is followed'],
    ['./hardening.test.ts', 'a redirect is the caller’s to follow, and takes no credential with it (S27)'],
  ],
  S28: [
    ['./target.test.ts', '%j is refused (S28)'],
    ['./proxy.test.ts', 'the address of the proxy has one way to be written (S28)'],
    ['./proxy.test.ts', 'the path %s cannot leave the base (S28)'],
    ['./proxy.test.ts', 'the path cannot change the host, and neither can the base header (S28)'],
  ],
  S29: [
    ['./proxy.test.ts', 'the call carries the token and the headers the provider needs, and none of the caller’s credentials (S29)'],
    ['../../outbound/proxy-transport.test.ts', 'hop-by-hop fields, forwarding fields and cookies stay on their side (S29, S30)'],
  ],
  S30: [
    ['./proxy.test.ts', 'cookies, policies and an echoed token do not come back (S30)'],
    ['./proxy.test.ts', 'an echo of the token in the body is masked (S30)'],
    ['./echo-mask.test.ts', 'an echo is masked however the body is cut, here in pieces of %i (S30)'],
  ],
  S31: [
    ['../../outbound/proxy-transport.test.ts', '100 MB stream both ways, and a reader who stops stops the sender (S31)'],
    ['../../outbound/proxy-transport.test.ts', 'an upload may take longer than the deadline, which counts from its end (S31)'],
    ['../../outbound/proxy-transport.test.ts', 'a caller that stops in the middle of its body is not waited for (S31)'],
    ['./hardening.test.ts', 'an answer that is compressed all the same is never unpacked here (S31)'],
    ['./hardening.test.ts', 'an error that never ends is judged by its beginning and streamed on (S31)'],
  ],
  S32: [['../../core/provider/template.test.ts', 'the host value %j never reaches a URL (S32)']],
  S33: [
    ['../../outbound/proxy-transport.test.ts', '%s is not_sent (S25, S33)'],
    ['../../outbound/token-endpoint.test.ts', '%s is refused before anything is sent (S25, S33)'],
  ],
  S35: [
    ['./proxy.test.ts', 'a 401 renews the token once and replays the request with its body (E3)'],
    ['./proxy.test.ts', 'a token refused again is a clear problem and costs no second refresh'],
    ['./proxy.test.ts', 'a body too large to keep is streamed once and never replayed (S35)'],
    ['./proxy.test.ts', 'a POST is never repeated after a 500 (E14)'],
  ],
  S36: [
    ['./proxy.test.ts', 'a key without the scope, and another organization, reach nothing'],
    ['./hardening.test.ts', 'methods beyond the usual seven reach no API (S36)'],
  ],
}

test.each(Object.entries(SHOWN))('%s is shown by facts that exist', (_id, facts) => {
  for (const [file, fact] of facts) expect(readFileSync(new URL(file, import.meta.url), 'utf8')).toContain(fact)
})

/** Something that a test waits for. */
function moment(): { readonly come: Promise<void>; readonly now: () => void } {
  let now = (): void => {}
  const come = new Promise<void>((resolve) => {
    now = resolve
  })
  return { come, now: () => now() }
}

let api: Server | undefined
let lab: ApiLab
let seen: IncomingMessage[]

async function start(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  draft: Partial<NonNullable<ProviderDraft['api']>> = {},
): Promise<void> {
  seen = []
  const server = createServer((request, response) => {
    seen.push(request)
    request.resume().once('end', () => answer(request, response))
  })
  api = server
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = server.address()
  const base = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
  lab = await createApiLab({ record: { api: { ...draft, base } } })
}
afterEach(async () => {
  if (api === undefined) return
  await lab.app.close()
  api.closeAllConnections()
  api.close()
  api = undefined
})

const path = (rest: string): string => `/api/v1/proxy/${lab.connection}/${rest}`
const call = (rest: string, headers: Readonly<Record<string, string>> = {}) => lab.call('GET', path(rest), { headers })
const fine = (_request: IncomingMessage, response: ServerResponse): void => void response.writeHead(200, { 'content-type': 'application/json' }).end('{}')

describe('answers', () => {
  test('a redirect is the caller’s to follow, and takes no credential with it (S27)', async () => {
    await start((_request, response) => response.writeHead(302, { location: 'http://169.254.169.254/' }).end())
    const called = await call('there')
    expect([called.status, called.headers['location'], seen.length]).toEqual([302, 'http://169.254.169.254/', 1])
    expect(called.text + JSON.stringify(called.headers)).not.toContain('at-1')
  })

  test('an answer that is compressed all the same is never unpacked here (S31)', async () => {
    const bomb = gzipSync(Buffer.alloc(20_000_000))
    await start((_request, response) => response.writeHead(400, { 'content-encoding': 'gzip', 'content-type': 'application/json' }).end(bomb))
    await lab.app.listen({ port: 0, host: '127.0.0.1' })
    const [address] = lab.app.addresses()
    const asking = request({
      port: typeof address === 'object' ? address.port : 0,
      path: path('bomb'),
      headers: { authorization: `Bearer ${await lab.keyFor(['proxy'])}` },
    })
    const [answer]: [IncomingMessage] = (await once(asking.end(), 'response')) as [IncomingMessage]
    let bytes = 0
    for await (const chunk of answer) bytes += (chunk as Buffer).length
    expect([answer.headers['content-encoding'], bytes]).toEqual(['gzip', bomb.length])
    expect(seen[0]?.headers['accept-encoding']).toBe('identity')
  })

  test('an error that never ends is judged by its beginning and streamed on (S31)', async () => {
    const ended = moment()
    await start((_request, response) => {
      response.writeHead(400)
      const more = (): void => {
        if (!response.destroyed) response.write(Buffer.alloc(64 * 1_024), more)
      }
      response.once('close', () => ended.now()).on('error', () => {})
      more()
    })
    await lab.app.listen({ port: 0, host: '127.0.0.1' })
    const [address] = lab.app.addresses()
    const asking = request({
      port: typeof address === 'object' ? address.port : 0,
      path: path('endless'),
      headers: { authorization: `Bearer ${await lab.keyFor(['proxy'])}` },
    })
    const [answer]: [IncomingMessage] = (await once(asking.end(), 'response')) as [IncomingMessage]
    expect(answer.statusCode).toBe(400)
    await once(answer, 'readable')
    asking.destroy()
    await ended.come
  })
})

describe('what a record says about calls', () => {
  const amazon: Partial<NonNullable<ProviderDraft['api']>> = {
    required: [
      { header: 'Amazon-Advertising-API-Scope', except: ['/v2/profiles', '/amc/'], meaning: 'The id of an advertising profile, from GET /v2/profiles.' },
    ],
  }

  test('a header that only the caller can know is asked for by its name, with where its value comes from', async () => {
    await start(fine, amazon)
    for (const rest of ['v2/campaigns?x=1', 'v2/profiles-of-others', 'v2/%70rofiles']) {
      const called = await call(rest)
      expect([called.status, called.json.code, called.json.field]).toEqual([400, 'invalid_request', 'Amazon-Advertising-API-Scope'])
      expect(called.json.detail).toBe('Scripted needs the header `Amazon-Advertising-API-Scope` here: The id of an advertising profile, from GET /v2/profiles.')
    }
    expect(seen).toEqual([])
    for (const rest of ['v2/profiles', 'v2/profiles/7?y=2', 'amc/instances']) expect((await call(rest)).status).toBe(200)
    expect((await call('v2/campaigns', { 'amazon-advertising-api-scope': '42' })).status).toBe(200)
    expect(seen.at(-1)?.headers['amazon-advertising-api-scope']).toBe('42')
  })

  test('a token that belongs into the query goes there, in place of what the caller wrote', async () => {
    await start(fine, { authorization: { header: 'Authorization', prefix: 'Bearer ', query: 'access_token' } })
    await call('me?fields=id%2Cname&access_token=forged&%61ccess_token=too')
    expect(seen[0]?.url).toBe('/me?fields=id%2Cname&access_token=at-1')
    expect(seen[0]?.headers.authorization).toBeUndefined()
    await call('me')
    expect(seen[1]?.url).toBe('/me?access_token=at-1')
  })

  test('a 401 that is not about the token is handed on and renews nothing', async () => {
    await start(
      (_request, response) => response.writeHead(401, { 'content-type': 'application/json' }).end('{"code":"UNAUTHORIZED","details":"no such profile"}'),
      {
        answers: [{ status: [401], where: { details: '/profile/' }, means: 'not_about_the_token' }],
      },
    )
    const called = await call('v2/campaigns')
    expect([called.status, called.headers['evergrant-verdict'], seen.length]).toEqual([401, 'not_about_the_token', 1])
    expect(lab.provider.presented).toEqual([])
  })

  test('methods beyond the usual seven reach no API (S36)', async () => {
    await start(fine)
    await lab.app.listen({ port: 0, host: '127.0.0.1' })
    const [address] = lab.app.addresses()
    const key = await lab.keyFor(['proxy'])
    for (const method of ['TRACE', 'PROPFIND', 'PURGE']) {
      const asking = request({ port: typeof address === 'object' ? address.port : 0, method, path: path('x'), headers: { authorization: `Bearer ${key}` } })
      const [answer]: [IncomingMessage] = (await once(asking.end(), 'response')) as [IncomingMessage]
      answer.resume()
      expect([400, 404, 405]).toContain(answer.statusCode)
    }
    expect(seen).toEqual([])
  })
})
