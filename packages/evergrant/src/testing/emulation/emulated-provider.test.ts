import { generateKeyPairSync } from 'node:crypto'
import { expect, test } from 'vitest'
import { refreshRequest } from '../../core/provider/token-request.ts'
import { catalogue } from '../../providers/index.ts'
import { createKeySigner } from '../../seal/key-signer.ts'
import { contextOf } from '../provider-contexts.ts'
import { cornerRecords } from './corner-records.ts'
import { emulate } from './emulated-provider.ts'
import { fitting, jsonWith } from './example-json.ts'

const client = { id: 'client-1', secret: 'secret-1' }
const zoom = catalogue.find(({ id }) => id === 'zoom') ?? catalogue[0]

test('a request that is not as the record says is noticed: client, method, parameters, an old token', async () => {
  if (zoom === undefined) throw new Error('no record')
  const provider = await emulate(zoom, client, () => Date.now())
  try {
    const url = provider.record.token.url ?? ''
    const basic = `Basic ${Buffer.from('client-1:secret-1').toString('base64')}`
    const post = (headers: Record<string, string>, body: Record<string, string>) => fetch(url, { method: 'POST', headers, body: new URLSearchParams(body) })
    const code = provider.consent(`${provider.record.authorize.url}?client_id=client-1&redirect_uri=x&response_type=code&state=s`)['code'] ?? ''
    const granted = await post({ authorization: basic }, { grant_type: 'authorization_code', code })
    expect([granted.status, provider.problems]).toEqual([200, []])
    const { refresh_token: token } = (await granted.json()) as { readonly refresh_token: string }
    await post({}, { grant_type: 'refresh_token', refresh_token: token })
    expect(provider.problems).toEqual(['refresh: the client does not prove itself: HTTP Basic'])
    const again = await post({ authorization: basic }, { grant_type: 'refresh_token', refresh_token: token })
    expect([again.status, provider.problems.at(-1)]).toEqual([400, 'refresh: an old or unknown token was presented'])
    expect((await fetch(`${url}/nowhere`)).status).toBe(404)
    provider.consent(`${provider.record.authorize.url}?client_id=another`)
    expect(provider.problems).toContain('authorize: it is another client')
    expect(provider.problems).toContain('authorize: state is missing')
  } finally {
    await provider.close()
  }
})

test('a request that is signed with another key, or not at all, is noticed', async () => {
  const [, byKey, byAws] = cornerRecords
  if (byKey === undefined || byAws === undefined) throw new Error('no record')
  const pem = () => generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const known = { id: 'client-1', secret: pem() }
  const sent = async (record: typeof byKey, theirs: typeof known, ours: typeof known) => {
    const provider = await emulate(record, theirs, () => Date.now())
    try {
      const signing = { signer: createKeySigner(), now: () => Date.now(), unique: () => 'unused' }
      const context = await contextOf(provider.record, { clientId: ours.id, clientSecret: ours.secret, signing, variables: { region: 'eu-west-1' } })
      const { method, url, headers, body } = refreshRequest(context, { refreshToken: 'r', scopes: [] })
      await fetch(url, { method, headers, body })
      return provider.problems.filter((problem) => problem.includes('signature'))
    } finally {
      await provider.close()
    }
  }
  expect(await sent(byKey, known, known)).toEqual([])
  expect(await sent(byKey, known, { ...known, secret: pem() })).toEqual(['refresh: the Ed25519 signature does not verify'])
  expect(await sent(byAws, client, client)).toEqual([])
  expect(await sent(byAws, client, { ...client, secret: 'another' })).toEqual(['refresh: the AWS signature is another one'])
})

test('examples of conditions fit them, and paths are made on the way', () => {
  expect(['/^INVALID_(OAUTH)?TOKEN$/', '/^(slow_down|busy)$/i', 'plain', true, 3].map((expected) => fitting(expected))).toEqual([
    'INVALID_TOKEN',
    'slow_down',
    'plain',
    true,
    3,
  ])
  expect(() => fitting('/(?=never)x/')).toThrow('no example is known')
  expect(jsonWith({ a: 1 }, [['b.0.c', 'x']])).toEqual({ a: 1, b: [{ c: 'x' }] })
  expect(jsonWith({}, [['0.id', 'x']])).toEqual([{ id: 'x' }])
})
