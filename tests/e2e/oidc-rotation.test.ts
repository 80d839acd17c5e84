import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Application, startApplication } from '../../packages/lab/src/application.ts'
import { chromiumPath, launchBrowser, signInAndAllow } from '../../packages/lab/src/browser.ts'
import { followLink } from '../../packages/lab/src/end-user.ts'
import { at, type JsonClient, textAt } from '../../packages/lab/src/http.ts'
import { OIDC_CLIENT, type OidcProcess, startOidcProcess } from '../../packages/lab/src/oidc-process.ts'
import { ServerProcess } from '../../packages/lab/src/server-process.ts'

const ACCESS_SECONDS = 120

// A real authorization server, a real browser, a real Evergrant server: each in a process of its own.
describe.skipIf(!chromiumPath())('npm oidc-provider with rotation on', () => {
  let browser: Browser
  let application: Application
  let server: ServerProcess
  let issuer: OidcProcess
  let api: JsonClient
  let connection = ''

  beforeAll(async () => {
    application = await startApplication()
    server = await ServerProcess.start()
    issuer = await startOidcProcess({ redirectUris: [`${server.url}/connect/callback/e2e`], accessSeconds: ACCESS_SECONDS })
    api = await server.client()
    browser = await launchBrowser()
    const made = await api.post('/integrations', {
      provider: 'oidc',
      slug: 'e2e',
      name: 'OIDC under test',
      client_id: OIDC_CLIENT.clientId,
      client_secret: OIDC_CLIENT.clientSecret,
      scopes: ['openid', 'offline_access'],
      variables: { issuer: issuer.issuer },
      settings: { reuse: 'P4', return_urls: [application.returnUrl] },
    })
    expect(made.status, made.text).toBe(201)
  })
  afterAll(async () => {
    await browser?.close()
    await issuer?.stop()
    await server?.dispose()
    await application?.stop()
  })

  async function consent(link: string, account: string): Promise<unknown> {
    const returned = await followLink(browser, { link, returnUrl: application.returnUrl, consent: (page) => signInAndAllow(page, account) })
    const completed = await api.post('/connect/complete', { ...returned, owner: 'user-1' })
    expect(completed.status, completed.text).toBe(200)
    return completed.body
  }

  async function readToken(): Promise<{ token: string; generation: unknown }> {
    const reply = await api.get(`/connections/${connection}/token`)
    expect(reply.status, reply.text).toBe(200)
    return { token: textAt(reply, 'access_token'), generation: at(reply.body, 'generation') }
  }

  async function whoAmI(token: string): Promise<{ status: number; body: unknown }> {
    const response = await fetch(`${issuer.issuer}/me`, { headers: { authorization: `Bearer ${token}` } })
    return { status: response.status, body: await response.json() }
  }

  test('a person connects in a browser and the token works', async () => {
    const session = await api.post('/connect/sessions', { integration: 'e2e', owner: 'user-1', return_url: application.returnUrl })
    expect(session.status, session.text).toBe(201)
    const completed = await consent(textAt(session, 'url'), 'ada')
    expect(completed).toMatchObject({ created: true, owner: 'user-1', account: 'ada' })
    connection = String(at(completed, 'connection_id'))
    const { token, generation } = await readToken()
    expect(generation).toBe(1)
    expect(await whoAmI(token)).toMatchObject({ status: 200, body: { sub: 'ada' } })
  })

  test('three rotations make three new tokens, and the server saw no reuse', async () => {
    const seen = [(await readToken()).token]
    for (let round = 1; round <= 3; round += 1) {
      const refreshed = await api.post(`/connections/${connection}/refresh`)
      expect(refreshed.status, refreshed.text).toBe(200)
      const { token, generation } = await readToken()
      expect(generation).toBe(round + 1)
      expect(await whoAmI(token)).toMatchObject({ status: 200 })
      seen.push(token)
    }
    expect(new Set(seen).size).toBe(4)
    expect(await issuer.state()).toMatchObject({ tokenRequests: 4, refused: 0, grants: [{ account: 'ada', exchanges: 1, refreshes: 3, revokedBy: null }] })
  })

  test('revoked at the server: the connection needs a reconnect and says why', async () => {
    const [grant] = (await issuer.state()).grants
    expect(await issuer.revoke(grant?.id ?? '')).toBe(true)
    const refused = await api.post(`/connections/${connection}/refresh`)
    expect(refused.status, refused.text).toBe(409)
    expect(refused.headers.get('content-type')).toContain('application/problem+json')
    expect(refused.body).toMatchObject({ code: 'connection_revoked', action: 'reconnect', needs_reauth: true })
    const shown = await api.get(`/connections/${connection}`)
    expect(shown.body).toMatchObject({ id: connection, status: 'needs_reauth' })
    expect(await api.get(`/connections/${connection}/token`)).toMatchObject({ status: 409, body: { code: 'connection_revoked' } })
  })

  test('another account cannot repair it, the same account can, under the same id', async () => {
    const wrong = await api.post(`/connections/${connection}/reconnect`, { return_url: application.returnUrl })
    const page = await (await browser.newContext()).newPage()
    await page.goto(textAt(wrong, 'url'))
    await page.click('button.primary')
    await signInAndAllow(page, 'grace')
    await page.waitForURL((url) => url.href.startsWith(server.url))
    expect(await page.textContent('h1')).toContain('different')
    await page.context().close()
    expect((await api.get(`/connections/${connection}`)).body).toMatchObject({ status: 'needs_reauth' })

    const right = await api.post(`/connections/${connection}/reconnect`, { return_url: application.returnUrl })
    const completed = await consent(textAt(right, 'url'), 'ada')
    expect(completed).toMatchObject({ connection_id: connection, created: false, account: 'ada' })
    const { token } = await readToken()
    expect(await whoAmI(token)).toMatchObject({ status: 200, body: { sub: 'ada' } })
    expect((await api.get(`/connections/${connection}`)).body).toMatchObject({ id: connection, status: 'active' })
  })

  test('nothing that was printed on the way holds a token or the client secret', async () => {
    const { token } = await readToken()
    const printed = server.output()
    expect(printed).not.toContain(token)
    expect(printed).not.toContain(OIDC_CLIENT.clientSecret)
  })
})
