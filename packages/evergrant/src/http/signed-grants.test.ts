import { createVerify, generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { decodeJwt } from '../core/provider/base64url.ts'
import type { Reply } from '../testing/answering-endpoint.ts'
import { granted, HOUR, type RecordDraft, readConnection, startMachineLab, tokenOf } from '../testing/machine-lab.ts'

describe('JWT bearer', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const record: RecordDraft = {
    grant: 'jwt_bearer',
    token: {
      url: 'https://provider.example/token',
      clientAuth: 'body',
      signing: { algorithm: 'RS256', header: { kid: '{key_id}' }, claims: { iss: '{issuer}', sub: '{subject}', aud: '{token_url}' }, lifetimeSeconds: 300 },
    },
  }
  const assertionOf = (body: string | null | undefined) => new URLSearchParams(body ?? '').get('assertion') ?? ''

  test("the integration's key signs for a subject, and is itself never sent", async () => {
    const { endpoint, create } = await startMachineLab(record, () => granted('at-1'), { clientSecret: pem })
    expect((await create({ credentials: { subject: 'ada@example.com' } })).status).toBe(201)
    const [request] = endpoint.sent
    const jwt = assertionOf(request?.body)
    const [header, claims, signature] = jwt.split('.')
    expect(
      createVerify('sha256')
        .update(`${header}.${claims}`)
        .verify(publicKey, signature ?? '', 'base64url'),
    ).toBe(true)
    expect(decodeJwt(jwt)?.claims).toMatchObject({ iss: 'client', sub: 'ada@example.com', aud: 'https://provider.example/token' })
    expect(JSON.stringify(request)).not.toContain('client_secret')
    expect(decodeURIComponent(JSON.stringify(request))).not.toContain('PRIVATE KEY')
  })

  test('a connection may bring its own key, and each request is signed anew', async () => {
    const { lab, endpoint, create } = await startMachineLab(record, () => granted('at-1'))
    const { json } = await create({ credentials: { private_key: pem, issuer: 'robot', key_id: 'k1' } })
    await lab.time.advance(HOUR + 1)
    expect((await tokenOf(lab, json.id)).status).toBe(200)
    const [first, second] = endpoint.sent.map(({ body }) => decodeJwt(assertionOf(body)))
    expect(first?.header).toMatchObject({ kid: 'k1', alg: 'RS256' })
    expect([first?.claims.iss, first?.claims.sub]).toEqual(['robot', undefined])
    expect(first?.claims.jti).not.toBe(second?.claims.jti)
  })

  test.each([
    ['a key that is none', { private_key: 'hunter2' }, 'cannot be read as a private key'],
    ['no key at all', { subject: 'ada' }, 'needs a private key'],
  ])('%s is named, also without asking the provider', async (_what, credentials, words) => {
    const { create } = await startMachineLab(record, () => granted('at-1'))
    for (const verify of [true, false]) {
      const refused = await create({ credentials, verify })
      expect([refused.status, refused.json.field]).toEqual([400, '/credentials/private_key'])
      expect(refused.json.detail).toContain(words)
      expect(refused.text).not.toContain('hunter2')
    }
  })

  test("a key of the integration that stops fitting is the operator's trouble, and no reader is told that the request was wrong", async () => {
    const { lab, create } = await startMachineLab(record, () => granted('at-1'), { clientSecret: pem })
    const { json } = await create({ credentials: { subject: 'ada' } })
    // A password beside keys of connections is taken, and this connection has none of its own.
    expect((await lab.call('PATCH', '/api/v1/integrations/scripted', { body: { client_secret: 'a password' } })).status).toBe(200)
    await lab.time.advance(HOUR + 1)
    expect((await tokenOf(lab, json.id)).json).toMatchObject({ status: 503, code: 'client_rejected' })
    const { blocked } = (await lab.call('GET', '/api/v1/integrations/scripted')).json
    expect(blocked).toMatchObject({ code: 'client_rejected', evidence: { provider_text: expect.stringContaining('cannot be read as a private key') } })
    expect(JSON.stringify(blocked)).not.toContain('a password')
    expect((await readConnection(lab, json.id)).status).toBe('blocked')
    await lab.call('PATCH', '/api/v1/integrations/scripted', { body: { client_secret: pem } })
    await lab.time.advance(HOUR)
    expect((await tokenOf(lab, json.id)).status).toBe(200)
  })
})

describe('a client that signs (private_key_jwt)', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const signing = { algorithm: 'ES256', claims: {}, header: {}, lifetimeSeconds: 60 } as const
  const record: RecordDraft = { grant: 'client_credentials', token: { url: 'https://provider.example/token', clientAuth: 'private_key_jwt', signing } }

  test('proves itself with its own key, which is sent nowhere', async () => {
    const { endpoint, create } = await startMachineLab(record, () => granted('at-1'))
    expect((await create({ credentials: { client_id: 'own-client', client_secret: pem } })).status).toBe(201)
    const form = new URLSearchParams(endpoint.sent[0]?.body ?? '')
    const [header, claims, signature] = (form.get('client_assertion') ?? '').split('.')
    expect(
      createVerify('sha256')
        .update(`${header}.${claims}`)
        .verify({ key: publicKey, dsaEncoding: 'ieee-p1363' }, signature ?? '', 'base64url'),
    ).toBe(true)
    expect(decodeJwt(form.get('client_assertion') ?? '')?.claims).toMatchObject({ iss: 'own-client', sub: 'own-client' })
    expect(form.get('grant_type')).toBe('client_credentials')
    expect(form.has('client_secret')).toBe(false)
  })

  test('is told which field holds no key', async () => {
    const { lab, create } = await startMachineLab(record, () => granted('at-1'))
    expect((await lab.call('POST', '/api/v1/integrations', { body: { provider: 'scripted', slug: 'own-keys' } })).status).toBe(201)
    const refused = await create({ credentials: { client_id: 'own-client', client_secret: 'hunter2' } })
    expect([refused.status, refused.json.field]).toEqual([400, '/credentials/client_secret'])
    expect(refused.text).not.toContain('hunter2')
  })
})

describe('an installation', () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  const record: RecordDraft = {
    grant: 'installation',
    variables: { installation_id: { label: 'Installation', pattern: '[0-9]+', example: '42', askedOf: 'connection' } },
    token: {
      url: 'https://provider.example/app/installations/{installation_id}/access_tokens',
      signing: { algorithm: 'RS256', header: {}, claims: { iss: '{client_id}' }, lifetimeSeconds: 600 },
    },
    answer: { paths: { accessToken: 'token', expiresIn: null, expiresAt: 'expires_at', scope: 'permissions' }, expiresAtFormat: 'iso8601' },
    verdicts: [{ status: [404], where: { message: 'Not Found' }, verdict: 'dead' }],
    account: [{ from: 'variable', name: 'installation_id' }],
  }
  const clientSecret = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString()

  test('is its id: it is the account, stands in the URL, and its token is asked for with a JWT of the app', async () => {
    const end = '2026-01-01T01:00:00Z'
    const { lab, endpoint, create } = await startMachineLab(
      record,
      () => ({ status: 201, body: { token: 'ghs_1', expires_at: end, permissions: { contents: 'read' } } }),
      { clientSecret },
    )
    const made = await create({ variables: { installation_id: '42' } })
    expect([made.status, made.json.account.id, made.json.scopes]).toEqual([201, '42', ['contents:read']])
    expect(endpoint.sent[0]?.url).toBe('https://provider.example/app/installations/42/access_tokens')
    expect(decodeJwt(endpoint.sent[0]?.headers.authorization?.slice('Bearer '.length) ?? '')?.claims.iss).toBe('client')
    expect((await tokenOf(lab, made.json.id)).json).toMatchObject({ access_token: 'ghs_1' })
    expect((await create({ variables: { installation_id: '42' } })).json.code).toBe('already_exists')
    expect((await create({ variables: { installation_id: '43' } })).status).toBe(201)
  })

  test('that was removed is told in words that fit', async () => {
    const { lab, endpoint, create } = await startMachineLab(record, () => ({ status: 201, body: { token: 'ghs_1', expires_at: '2026-01-01T01:00:00Z' } }), {
      clientSecret,
    })
    const { json } = await create({ variables: { installation_id: '42' } })
    endpoint.reply = () => ({ status: 404, body: { message: 'Not Found' } })
    await lab.time.advance(2 * HOUR)
    const refused = await tokenOf(lab, json.id)
    expect(refused.json).toMatchObject({ status: 409, code: 'new_credentials_needed' })
    expect(refused.json.detail).toContain('The installation of the app was refused')
  })

  describe('that GitHub does not know', () => {
    const verdicts = [{ status: [404], where: { message: 'Not Found' }, verdict: 'dead', confirm: 'https://provider.example/app' }] as const
    const works: Reply = { status: 201, body: { token: 'ghs_1', expires_at: '2026-01-01T01:00:00Z' } }
    /** The token request is answered with 404, the question about the app with `app`. */
    const asked = async (app: Reply) => {
      const started = await startMachineLab({ ...record, verdicts }, () => works, { clientSecret })
      const { json } = await started.create({ variables: { installation_id: '42' } })
      started.endpoint.reply = ({ url }) => (url.endsWith('/app') ? app : { status: 404, body: { message: 'Not Found' } })
      await started.lab.time.advance(2 * HOUR)
      return { ...started, id: json.id, refused: (await tokenOf(started.lab, json.id)).json }
    }

    test('is over when the same key proves its app', async () => {
      const { lab, id, endpoint, refused } = await asked({ status: 200, body: { id: 1 } })
      expect(refused.code).toBe('new_credentials_needed')
      expect((await readConnection(lab, id)).status).toBe('needs_reauth')
      const [token, question] = endpoint.sent.slice(-2)
      expect([question?.method, question?.url, question?.body]).toEqual(['GET', 'https://provider.example/app', null])
      expect(question?.headers.authorization).toBe(token?.headers.authorization)
    })

    test('lives on when the key is the wrong one: the operator is told, once for all', async () => {
      const { lab, id, endpoint, refused } = await asked({ status: 401, body: { message: 'A JSON web token could not be decoded' } })
      expect([refused.code, refused.needs_reauth]).toEqual(['client_rejected', false])
      expect((await readConnection(lab, id)).status).toBe('blocked')
      const blocked = (await lab.call('GET', '/api/v1/integrations/scripted')).json.blocked
      expect(JSON.stringify(blocked)).toContain('A JSON web token could not be decoded')
      endpoint.reply = () => works
      await lab.time.advance(2 * HOUR)
      await lab.engine.runDue()
      expect((await tokenOf(lab, id)).json).toMatchObject({ access_token: 'ghs_1' })
    })

    test.each<[string, Reply]>([
      ['cannot be asked', null],
      ['has trouble', { status: 502, body: '<html>' }],
      ['does not know that either', { status: 404, body: { message: 'Not Found' } }],
    ])('is asked for again when the provider %s', async (_, app) => {
      const { lab, id, endpoint, refused } = await asked(app)
      expect([refused.status, refused.needs_reauth]).toEqual([503, false])
      expect((await readConnection(lab, id)).status).toBe('degraded')
      endpoint.reply = () => works
      await lab.time.advance(2 * HOUR)
      expect((await tokenOf(lab, id)).json).toMatchObject({ access_token: 'ghs_1', status: 'active' })
    })
  })

  test('needs the key of its app', async () => {
    const { create } = await startMachineLab(record, () => null)
    const refused = await create({ variables: { installation_id: '42' } })
    expect(refused.json).toMatchObject({ status: 400, field: '/integration' })
    expect(refused.json.detail).toContain("the app's private key")
  })
})
