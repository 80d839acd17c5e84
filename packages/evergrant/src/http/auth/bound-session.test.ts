import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose'
import { beforeEach, describe, expect, test } from 'vitest'
import { MINUTE } from '../../core/time.ts'
import { systemEntropy } from '../../system.ts'
import { testSeal } from '../../testing/seal.ts'
import { createSessionLab, type SessionLab } from '../../testing/session-lab.ts'

const BASE = 'https://evergrant.example'
const VALIDATE = `${BASE}/api/v1/auth/validate`
const DEVICES = `${BASE}/api/v1/users/me/sessions`
const REFRESH = `${BASE}/api/v1/auth/refresh`

let lab: SessionLab
let holder: Awaited<ReturnType<typeof keyHolder>>
beforeEach(async () => {
  lab = await createSessionLab()
  holder = await keyHolder()
})

async function keyHolder() {
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  const jwk = await exportJWK(publicKey)
  const prove = (htm: string, htu: string, accessToken?: string): Promise<string> =>
    new SignJWT({
      htm,
      htu,
      jti: systemEntropy.uuid(),
      iat: Math.floor(lab.time.clock.wall() / 1_000),
      ...(accessToken === undefined ? {} : { ath: testSeal().digest(accessToken) }),
    })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
      .sign(privateKey)
  return { thumbprint: await calculateJwkThumbprint(jwk, 'sha256'), prove }
}

const open = () =>
  lab.services.sessions.open({
    user: lab.ana,
    organization: lab.organization,
    mode: 'bearer',
    methods: ['pwd'],
    keyThumbprint: holder.thumbprint,
    address: null,
    userAgent: null,
  })

const get = (url: string, authorization: string, dpop?: string) =>
  lab.call('GET', url.slice(BASE.length), { key: null, headers: { authorization, ...(dpop === undefined ? {} : { dpop }) } })

describe('a session that is bound to a key (S50)', () => {
  test('lets nobody in with its access token alone', async () => {
    const { accessToken } = await open()
    for (const answer of [await get(DEVICES, `Bearer ${accessToken}`), await get(DEVICES, `DPoP ${accessToken}`)]) {
      expect([answer.status, answer.json.code]).toEqual([401, 'dpop_proof_invalid'])
      expect(answer.headers['www-authenticate']).toBe('DPoP error="invalid_dpop_proof", algs="ES256 EdDSA"')
    }
  })

  test('lets its holder in, once for each proof', async () => {
    const { accessToken } = await open()
    const proof = await holder.prove('GET', DEVICES, accessToken)
    expect((await get(DEVICES, `DPoP ${accessToken}`, proof)).status).toBe(200)
    expect((await get(DEVICES, `DPoP ${accessToken}`, proof)).json.code).toBe('dpop_proof_invalid')
    expect((await get(`${DEVICES}?x=1`, `DPoP ${accessToken}`, await holder.prove('GET', DEVICES, accessToken))).status).toBe(200)
  })

  test('refuses the proof of another key, another method and another address', async () => {
    const { accessToken } = await open()
    const thief = await keyHolder()
    const proofs = [
      await thief.prove('GET', DEVICES, accessToken),
      await holder.prove('DELETE', DEVICES, accessToken),
      await holder.prove('GET', VALIDATE, accessToken),
      await holder.prove('GET', DEVICES),
    ]
    for (const proof of proofs) expect((await get(DEVICES, `DPoP ${accessToken}`, proof)).status).toBe(401)
    const two = `${await holder.prove('GET', DEVICES, accessToken)}, ${await holder.prove('GET', DEVICES, accessToken)}`
    expect((await get(DEVICES, `DPoP ${accessToken}`, two)).json.code).toBe('dpop_proof_invalid')
  })

  test('is renewed by its holder alone, and a try of somebody else does not end it', async () => {
    const { refreshCredential } = await open()
    const refresh = (dpop?: string) =>
      lab.call('POST', '/api/v1/auth/refresh', { key: null, body: { refresh_token: refreshCredential }, headers: dpop === undefined ? {} : { dpop } })
    const [without, other] = [await refresh(), await refresh(await (await keyHolder()).prove('POST', REFRESH))]
    expect([without.json.code, other.json.code]).toEqual(['dpop_proof_invalid', 'dpop_proof_invalid'])
    expect(without.text + other.text).not.toContain('egr_1.')
    const answer = await refresh(await holder.prove('POST', REFRESH))
    expect([answer.status, answer.json.token_type, answer.json.generation]).toEqual([200, 'DPoP', 2])
  })

  test('is neither moved on nor ended by a stolen credential without the key, however old that is', async () => {
    const first = await open()
    const refresh = async (text: string, proven: boolean) =>
      lab.call('POST', '/api/v1/auth/refresh', {
        key: null,
        body: { refresh_token: text },
        headers: proven ? { dpop: await holder.prove('POST', REFRESH) } : {},
      })
    const second = (await refresh(first.refreshCredential, true)).json.refresh_token
    const third = (await refresh(second, true)).json.refresh_token
    await lab.time.advance(10 * MINUTE)
    const before = await lab.store.sessions.get(first.signedIn.session.id)
    for (const stolen of [first.refreshCredential, second, third]) expect((await refresh(stolen, false)).json.code).toBe('dpop_proof_invalid')
    expect(await lab.store.sessions.get(first.signedIn.session.id)).toEqual(before)
    expect((await refresh(third, true)).json.generation).toBe(4)
  })

  test('is signed out by its holder, and by nobody who copied the credential without the key', async () => {
    const { refreshCredential, accessToken } = await open()
    const url = `${BASE}/api/v1/auth/logout`
    const signOut = (scope: string, headers: Readonly<Record<string, string>> = {}) =>
      lab.call('POST', '/api/v1/auth/logout', { key: null, body: { refresh_token: refreshCredential, scope }, headers })
    const stolen = { dpop: await (await keyHolder()).prove('POST', url) }
    for (const scope of ['here', 'others', 'everywhere'])
      for (const headers of [{}, stolen]) expect((await signOut(scope, headers)).json.code).toBe('dpop_proof_invalid')
    expect((await get(VALIDATE, `Bearer ${accessToken}`)).status).toBe(200)
    expect((await signOut('here', { dpop: await holder.prove('POST', url) })).json).toEqual({ signed_out: 1 })
    expect((await signOut('here')).json).toEqual({ signed_out: 0 })
  })

  test('may be checked by whoever was shown its access token', async () => {
    const { accessToken } = await open()
    expect((await get(VALIDATE, `Bearer ${accessToken}`)).json).toMatchObject({ active: true })
  })
})
