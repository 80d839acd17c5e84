import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import type { JsonObject } from '../core/json.ts'
import { readHandshake } from '../core/push/handshake.ts'
import { provePush } from '../core/push/prove-push.ts'
import { readPush } from '../core/push/read-push.ts'
import { proofCipher } from '../seal/proof-cipher.ts'
import { shipped } from '../testing/provider-contexts.ts'
import { catalogue } from './index.ts'

const NOW = Date.UTC(2026, 0, 1)
const SECONDS = NOW / 1_000
const SECRET = 'secret-of-the-pushes'
const hex = (text: string) => createHmac('sha256', SECRET).update(text).digest('hex')

interface Example {
  readonly provider: string
  readonly body: JsonObject
  readonly headers?: (body: string) => Record<string, string>
  readonly means?: string
  readonly account: string
  readonly happenedAt?: number | null
}

/** Pushes as the providers document them, with invented values. */
const examples: readonly Example[] = [
  {
    provider: 'strava',
    body: {
      aspect_type: 'update',
      event_time: SECONDS,
      object_id: 134_815,
      object_type: 'athlete',
      owner_id: 134_815,
      subscription_id: 120_475,
      updates: { authorized: 'false' },
    },
    account: '134815',
    happenedAt: NOW,
  },
  {
    provider: 'stripe-connect',
    body: { id: 'evt_1', object: 'event', account: 'acct_1', created: SECONDS, type: 'account.application.deauthorized', data: { object: { id: 'ca_1' } } },
    headers: (body) => ({ 'stripe-signature': `t=${SECONDS},v1=${hex(`${SECONDS}.${body}`)},v0=${'0'.repeat(64)}` }),
    account: 'acct_1',
    happenedAt: NOW,
  },
  {
    provider: 'shopify',
    body: { id: 1, name: 'Acme', domain: 'acme.example', myshopify_domain: 'acme-store.myshopify.com' },
    headers: (body) => ({ 'x-shopify-topic': 'app/uninstalled', 'x-shopify-hmac-sha256': createHmac('sha256', SECRET).update(body).digest('base64') }),
    account: 'acme-store',
  },
  { provider: 'garmin', body: { deregistrations: [{ userId: '4aacafe82427c251df9c9592d0c06768' }] }, account: '4aacafe82427c251df9c9592d0c06768' },
  {
    provider: 'github-app',
    body: { action: 'revoked', sender: { login: 'octocat', id: 21_031_067, type: 'User' } },
    headers: (body) => ({ 'x-github-event': 'github_app_authorization', 'x-hub-signature-256': `sha256=${hex(body)}` }),
    account: '21031067',
  },
  {
    provider: 'sentry',
    body: { action: 'deleted', installation: { uuid: 'a8e5d37a' }, data: { installation: { uuid: 'a8e5d37a', status: 'installed' } } },
    headers: (body) => ({ 'sentry-hook-resource': 'installation', 'sentry-hook-signature': hex(body) }),
    account: 'a8e5d37a',
  },
]

test.each(examples.map((example) => [example.provider, example] as const))('a deauthorization of %s is proven and names its account', (provider, example) => {
  const record = shipped(provider)
  const text = JSON.stringify(example.body)
  const headers = example.headers?.(text) ?? {}
  const push = {
    integration: 'int_1',
    secret: null,
    method: 'POST' as const,
    url: 'https://evergrant.example/hooks/int_1',
    query: {},
    headers,
    body: new TextEncoder().encode(text),
    text,
  }
  const { proof } = record.push ?? { proof: null }
  if (proof === null) throw new Error(`${provider} pushes nothing`)
  expect(provePush(proof, push, [SECRET], NOW, proofCipher)).toEqual({ proven: true, signed: null })
  if (proof.kind !== 'none') expect(provePush(proof, { ...push, body: new TextEncoder().encode(`${text} `) }, [SECRET], NOW, proofCipher).proven).toBe(false)
  const [reading, ...others] = readPush(record, { body: example.body, headers, variables: {} })
  expect(others).toEqual([])
  expect(reading).toMatchObject({ means: example.means ?? 'revoked', account: example.account, happenedAt: example.happenedAt ?? null })
})

test('another subscription than the one of the integration is not heard at Strava, and its other pushes mean nothing', () => {
  const body = examples[0]?.body ?? {}
  const read = (changes: JsonObject, variables: Record<string, string> = {}) =>
    readPush(shipped('strava'), { body: { ...body, ...changes }, headers: {}, variables })
  expect(read({}, { push_subscription: '120475' })).toHaveLength(1)
  expect(read({}, { push_subscription: '1' })).toEqual([])
  expect(read({ object_type: 'activity', updates: { title: 'Lunch ride' } })).toEqual([])
})

test('Strava gets its challenge back', () => {
  const { push } = shipped('strava')
  const query = { 'hub.mode': 'subscribe', 'hub.challenge': '15f7d1a9', 'hub.verify_token': SECRET }
  const ask = { integration: 'int_1', secret: SECRET, method: 'GET' as const, url: '', query, headers: {}, body: new Uint8Array(), text: '' }
  if (push?.handshake == null) throw new Error('Strava tries the address')
  expect(readHandshake(push.handshake, ask, [SECRET])).toMatchObject({ kind: 'echo', answer: { status: 200, body: '{"hub.challenge":"15f7d1a9"}' } })
})

test('a record that pushes has rules, an account for every revocation, and a secret that can be had', () => {
  for (const { id, push } of catalogue) {
    if (push === null) continue
    expect(push.rules.length, id).toBeGreaterThan(0)
    for (const rule of push.rules) if (rule.means === 'revoked') expect(rule.account, id).not.toBeNull()
    for (const rule of push.rules) if (rule.means === 'code') expect(rule.code, id).not.toBeNull()
    if (push.proof.kind !== 'none') expect(push.proof.header, id).not.toBe('')
  }
})
