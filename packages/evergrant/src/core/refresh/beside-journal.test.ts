import { expect, test } from 'vitest'
import { createEngineLab, type EngineLab } from '../../testing/engine-lab.ts'
import type { TokenEndpoint } from '../provider/wire.ts'
import { readAnswerBytes } from './answer-bytes.ts'

const HOUR = 3_600_000

/** Answers without a body: the access token in a header, the refresh token in a cookie. */
function besideEndpoint(): TokenEndpoint & { readonly presented: (string | null)[] } {
  const presented: (string | null)[] = []
  return {
    presented,
    open: () =>
      Promise.resolve({
        close: () => {},
        send: ({ body }) => {
          presented.push(new URLSearchParams(body ?? '').get('refresh_token'))
          const count = presented.length + 1
          const headers = {
            'x-subject-token': `at-${count}`,
            'set-cookie': `site=s; Path=/\nrenewal=rt-${count}; Path=/; Max-Age=86400`,
            'x-other': 'not ours to keep',
          }
          return Promise.resolve({ kind: 'answered' as const, answer: { status: 204, headers, body: new Uint8Array(), text: '' } })
        },
      }),
  }
}

const record = {
  answer: { paths: { accessToken: 'header:X-Subject-Token', refreshToken: 'cookie:renewal' } },
  lifetimes: { accessSeconds: 3_600 },
  account: [],
}

function tokenOf(lab: EngineLab, engine = lab.engine) {
  return engine.token({ organization: lab.organization, connection: lab.connection, minTtlMs: 0, rejectedGeneration: null })
}

test('tokens that stand in a header and a cookie survive a crash in the journal, with nothing else beside them', async () => {
  const lab = await createEngineLab({
    record,
    endpoint: besideEndpoint(),
    ports: (ports) => ({ credentials: { ...ports.credentials, commitGrant: () => new Promise<never>(() => {}) } }),
  })
  await lab.time.advance(HOUR)
  const reading = tokenOf(lab)
  await lab.time.advance(1_000)
  expect((await reading).accessToken).toBe('at-2')
  const [kept] = await lab.journal.pending()
  expect(kept?.headers).toEqual({ 'x-subject-token': 'at-2', 'set-cookie': 'renewal=rt-2; Path=/; Max-Age=86400' })
  const restarted = lab.another({ node: { id: 'node-1', incarnation: 'second' }, credentials: lab.store.credentials })
  expect(await restarted.recover()).toMatchObject({ replayed: 1 })
  expect((await lab.row()).credential).toMatchObject({ generation: 2, suspicion: null })
  expect((await tokenOf(lab, restarted)).accessToken).toBe('at-2')
})

test('the sealed answer has the same headers, and the refresh token of the cookie is presented next', async () => {
  const sealed: (Uint8Array | string)[] = []
  const endpoint = besideEndpoint()
  const lab = await createEngineLab({
    record,
    endpoint,
    ports: (ports) => ({
      seal: {
        ...ports.seal,
        seal: (bytes, context) => {
          if (context.table === 'answer') sealed.push(bytes)
          return ports.seal.seal(bytes, context)
        },
      },
    }),
  })
  for (const token of ['at-2', 'at-3']) {
    await lab.time.advance(HOUR)
    expect((await tokenOf(lab)).accessToken).toBe(token)
  }
  expect(endpoint.presented).toEqual(['rt-1', 'rt-2'])
  expect(sealed.map((bytes) => readAnswerBytes(Buffer.from(bytes)).headers['x-subject-token'])).toEqual(['at-2', 'at-3'])
})

test('an entry of the journal from before there were headers is read as it was written', async () => {
  const lab = await createEngineLab()
  const { credential } = await lab.row()
  await lab.journal.append({
    intent: 'itn_0',
    organization: lab.organization,
    subject: { kind: 'connection', id: lab.connection },
    generation: 1,
    fingerprint: credential.fingerprint,
    sentAt: lab.time.clock.wall(),
    receivedAt: lab.time.clock.wall(),
    httpStatus: 200,
    headers: { 'content-type': 'application/json' },
    body: new TextEncoder().encode('{"access_token":"at-2","refresh_token":"rt-2","expires_in":3600,"account":"ada"}'),
  })
  expect(await lab.engine.recover()).toMatchObject({ replayed: 1 })
  expect((await tokenOf(lab)).accessToken).toBe('at-2')
})
