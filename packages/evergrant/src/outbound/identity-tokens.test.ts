import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { expect, test } from 'vitest'
import type { JsonObject } from '../core/json.ts'
import { createIdentityTokenVerifier } from './identity-tokens.ts'

const ISSUER = 'https://issuer.example'

/** The issuer publishes its keys at `keysAt`. */
async function issuerWith(keysAt: string) {
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const asked: string[] = []
  const fetchJson = async (url: string): Promise<JsonObject> => {
    asked.push(url)
    if (url === `${ISSUER}/.well-known/openid-configuration`) return { issuer: ISSUER, jwks_uri: keysAt }
    return { keys: [{ ...(await exportJWK(publicKey)), kid: 'one' }] } as JsonObject
  }
  const token = await new SignJWT({ iss: ISSUER }).setProtectedHeader({ alg: 'ES256', kid: 'one' }).sign(privateKey)
  return { asked, verify: () => createIdentityTokenVerifier({ client: { fetchJson }, clock: { mono: () => 0 } }).verify(token, ISSUER) }
}

test('a token is believed by the keys that its issuer publishes, wherever these are, as long as nobody on the way can replace them', async () => {
  const elsewhere = await issuerWith('https://keys.example/jwks')
  expect((await elsewhere.verify()).kind).toBe('signed')
  const plain = await issuerWith('http://keys.example/jwks')
  expect(await plain.verify()).toEqual({ kind: 'refused', why: 'The `jwks_uri` of the issuer is not https.' })
  expect(plain.asked).toEqual([`${ISSUER}/.well-known/openid-configuration`])
})
