import { beforeAll, describe, expect, test } from 'vitest'
import { APP_ORIGIN, createSessionLab, PAGE, type SessionLab } from '../../testing/session-lab.ts'

let lab: SessionLab
beforeAll(async () => {
  lab = await createSessionLab()
})

const preflight = (origin: string, url = '/api/v1/auth/refresh', headers: Record<string, string> = {}) =>
  lab.app.inject({
    method: 'OPTIONS',
    url,
    headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type,evergrant-client', ...headers },
  })

const accessHeaders = (headers: Record<string, unknown>) => Object.keys(headers).filter((name) => name.startsWith('access-control-'))

describe('a page of a listed origin', () => {
  test('gets leave for its request, with credentials, and for itself alone', async () => {
    const answer = await preflight(APP_ORIGIN)
    expect([answer.statusCode, answer.body]).toEqual([204, ''])
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': APP_ORIGIN,
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
      'access-control-allow-headers': 'content-type,evergrant-client',
      'access-control-max-age': '600',
      vary: 'Origin',
    })
  })

  test('may read what tells a client when to wait and who refused', async () => {
    const { refreshCredential } = await lab.signIn('cookie')
    const answer = await lab.refresh(refreshCredential)
    expect(answer.headers).toMatchObject({ 'access-control-allow-origin': APP_ORIGIN, 'access-control-allow-credentials': 'true', vary: 'Origin' })
    const exposed = String(answer.headers['access-control-expose-headers']).split(', ')
    expect(exposed).toEqual(expect.arrayContaining(['Retry-After', 'Evergrant-Auth', 'Request-Id', 'WWW-Authenticate', 'Date']))
  })

  test('may read refusals, too: of its token, of a body, of a path', async () => {
    const refusals = await Promise.all([
      lab.call('GET', '/api/v1/auth/validate', { key: null, headers: PAGE }),
      lab.call('POST', '/api/v1/auth/refresh', { key: null, headers: PAGE, body: { wrong: 1 } }),
      lab.call('GET', '/api/v1/nothing', { key: null, headers: PAGE }),
    ])
    expect(refusals.map(({ status }) => status)).toEqual([401, 400, 404])
    for (const { headers } of refusals) expect(headers['access-control-allow-origin']).toBe(APP_ORIGIN)
  })

  test('may fetch the keys, and gets no leave for pages that are not the API', async () => {
    expect((await preflight(APP_ORIGIN, '/.well-known/jwks.json')).headers['access-control-allow-origin']).toBe(APP_ORIGIN)
    expect(accessHeaders((await preflight(APP_ORIGIN, '/connect/abc')).headers)).toEqual([])
  })

  test('gets no leave for header names that are none', async () => {
    const answer = await preflight(APP_ORIGIN, '/api/v1/auth/refresh', { 'access-control-request-headers': 'x y, <script>' })
    expect([answer.statusCode, answer.headers['access-control-allow-headers']]).toEqual([204, undefined])
  })
})

describe('an origin that is not listed exactly (S54)', () => {
  test.each([
    ['another site', 'https://evil.example'],
    ['null', 'null'],
    ['a star', '*'],
    ['the listed one as a prefix', `${APP_ORIGIN}.evil.example`],
    ['the listed one as a suffix', 'https://evilapp.evergrant.example'],
    ['a host below it', 'https://x.app.evergrant.example'],
    ['a host above it', 'https://evergrant.example.evil.example'],
    ['plain http', APP_ORIGIN.replace('https', 'http')],
    ['another port', `${APP_ORIGIN}:444`],
    ['its own port, written out', `${APP_ORIGIN}:443`],
    ['a slash behind it', `${APP_ORIGIN}/`],
    ['capitals', APP_ORIGIN.toUpperCase()],
    ['a user before it', 'https://app.evergrant.example@evil.example'],
    ['two of them', `${APP_ORIGIN}, https://evil.example`],
    ['two of them with a space', `https://evil.example ${APP_ORIGIN}`],
    ['an encoded dot', 'https://app%2eevergrant.example'],
    ['a trailing dot', `${APP_ORIGIN}.`],
    ['nothing', ''],
  ])('%s gets no header that lets its page read anything', async (_what, origin) => {
    const asked = await preflight(origin)
    expect([asked.statusCode, accessHeaders(asked.headers)]).toEqual([405, []])
    const answer = await lab.call('GET', '/api/v1/auth/validate', { key: null, headers: { origin } })
    expect([accessHeaders(answer.headers), answer.headers['vary']]).toEqual([[], 'Origin'])
  })
})

test('without a list there is no such header for anybody, and no answer varies', async () => {
  const alone = await createSessionLab({ app: { allowedOrigins: [] } })
  const answer = await alone.call('GET', '/api/v1/auth/validate', { key: null, headers: { origin: APP_ORIGIN } })
  expect([accessHeaders(answer.headers), answer.headers['vary']]).toEqual([[], undefined])
})
