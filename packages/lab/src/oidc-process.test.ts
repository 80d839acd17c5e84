import { createHash, randomBytes } from 'node:crypto'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chromiumPath, launchBrowser, signInAndAllow } from './browser.ts'
import { OIDC_CLIENT, type OidcProcess, startOidcProcess } from './oidc-process.ts'

const REDIRECT_URI = 'http://127.0.0.1:9/callback'

describe.skipIf(!chromiumPath())('the OIDC server of the lab', () => {
  let server: OidcProcess
  let browser: Browser
  beforeAll(async () => {
    server = await startOidcProcess({ redirectUris: [REDIRECT_URI], accessSeconds: 5 })
    browser = await launchBrowser()
  })
  afterAll(async () => {
    await browser?.close()
    await server?.stop()
  })

  async function token(form: Record<string, string>): Promise<{ status: number; body: Record<string, string> }> {
    const basic = Buffer.from(`${OIDC_CLIENT.clientId}:${OIDC_CLIENT.clientSecret}`).toString('base64')
    const response = await fetch(`${server.issuer}/token`, { method: 'POST', headers: { authorization: `Basic ${basic}` }, body: new URLSearchParams(form) })
    return { status: response.status, body: (await response.json()) as Record<string, string> }
  }

  /** Consent in a browser of its own; resolves with the first token answer. */
  async function connect(account: string) {
    const verifier = randomBytes(32).toString('base64url')
    const parameters = new URLSearchParams({
      client_id: OIDC_CLIENT.clientId,
      redirect_uri: REDIRECT_URI,
      response_type: 'code',
      scope: 'openid offline_access',
      prompt: 'consent',
      state: 'state-1',
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
    })
    const context = await browser.newContext()
    const page = await context.newPage()
    await page.goto(`${server.issuer}/auth?${parameters}`)
    const back = page.waitForRequest((request) => request.url().startsWith(REDIRECT_URI))
    await signInAndAllow(page, account).catch(() => undefined)
    const code = new URL((await back).url()).searchParams.get('code') ?? ''
    await context.close()
    return await token({ grant_type: 'authorization_code', code, redirect_uri: REDIRECT_URI, code_verifier: verifier })
  }

  const refresh = (refreshToken: string | undefined) => token({ grant_type: 'refresh_token', refresh_token: refreshToken ?? '' })

  test('rotates at every refresh, and a reuse ends the grant', async () => {
    const first = await connect('ada')
    expect(first).toMatchObject({ status: 200, body: { expires_in: 5 } })
    const second = await refresh(first.body['refresh_token'])
    expect(second.status).toBe(200)
    expect(second.body['refresh_token']).not.toBe(first.body['refresh_token'])
    expect((await refresh(first.body['refresh_token'])).body).toMatchObject({ error: 'invalid_grant' })
    expect((await refresh(second.body['refresh_token'])).body).toMatchObject({ error: 'invalid_grant' })
    const { grants } = await server.state()
    expect(grants).toMatchObject([{ account: 'ada', exchanges: 1, refreshes: 1, revokedBy: 'server' }])
  })

  test('a revocation on command ends the grant', async () => {
    const first = await connect('grace')
    const { grants } = await server.state()
    const grant = grants.find(({ account }) => account === 'grace')
    expect(await server.revoke(grant?.id ?? '')).toBe(true)
    expect((await refresh(first.body['refresh_token'])).body).toMatchObject({ error: 'invalid_grant' })
    expect(await server.revoke('nobody')).toBe(false)
  })
})
