// A real browser makes and uses a passkey: what the routes give is what browsers take, and the other way round.
import { expect, test } from 'vitest'
import { createIdentityLab, PASSWORD } from '../../packages/evergrant/src/testing/identity-lab.ts'
import { chromiumPath, launchBrowser } from '../../packages/lab/src/browser.ts'
import { freePort } from '../../packages/lab/src/free-port.ts'

const ANA = 'ana@example.com'

test.skipIf(chromiumPath() === null)('Chromium adds a passkey, signs in with it alone, and uses it as a second step', { timeout: 90_000 }, async () => {
  const port = await freePort()
  const publicUrl = `http://localhost:${port}`
  const lab = await createIdentityLab({ app: { publicUrl }, identity: { publicUrl } })
  await lab.addPerson(ANA)
  await lab.app.listen({ port, host: '127.0.0.1' })
  const browser = await launchBrowser()
  try {
    const page = await (await browser.newContext()).newPage()
    await page.route(`${publicUrl}/blank`, (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>page</title>' }))
    await page.goto(`${publicUrl}/blank`)
    const devtools = await page.context().newCDPSession(page)
    await devtools.send('WebAuthn.enable')
    const options = { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true } as const
    await devtools.send('WebAuthn.addVirtualAuthenticator', { options })
    const outcome = await page.evaluate(
      async ({ email, password }) => {
        const post = async (path: string, body: object, token?: string) => {
          const headers = { 'content-type': 'application/json', 'evergrant-client': '1', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) }
          const answer = await fetch(`/api/v1/${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
          return { status: answer.status, json: await answer.json() }
        }
        const get = async (json: PublicKeyCredentialRequestOptionsJSON) => {
          const credential = await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(json) })
          return (credential as PublicKeyCredential).toJSON()
        }
        const first = await post('auth/login', { email, password })
        const begun = await post('users/me/factors/passkey/options', {}, first.json.access_token)
        const made = await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(begun.json.options) })
        const added = await post(
          'users/me/factors/passkey',
          { ticket: begun.json.ticket, passkey: (made as PublicKeyCredential).toJSON() },
          first.json.access_token,
        )
        const alone = await post('auth/login/passkey/options', {})
        const signedIn = await post('auth/login/passkey', { ticket: alone.json.ticket, passkey: await get(alone.json.options) })
        const step = await post('auth/login', { email, password })
        const second = await post('auth/login/passkey/options', { ticket: step.json.ticket })
        const finished = await post('auth/login/second-factor', { ticket: step.json.ticket, passkey: await get(second.json.options) })
        const again = await post('auth/reauthenticate/passkey/options', {}, finished.json.access_token)
        const proved = await post('auth/reauthenticate', { ticket: again.json.ticket, passkey: await get(again.json.options) }, finished.json.access_token)
        return {
          added: added.status,
          signedIn: signedIn.status,
          step: step.json.code,
          methods: step.json.methods,
          finished: finished.status,
          proved: proved.status,
          cookie: document.cookie,
        }
      },
      { email: ANA, password: PASSWORD },
    )
    // Both cookies are out of a script's reach.
    expect(outcome).toEqual({
      added: 201,
      signedIn: 200,
      step: 'second_factor_required',
      methods: ['passkey', 'recovery_code'],
      finished: 200,
      proved: 200,
      cookie: '',
    })
    const cookies = (await page.context().cookies()).map(({ name, httpOnly, sameSite }) => ({ name, httpOnly, sameSite }))
    expect(cookies.sort((left, right) => (left.name < right.name ? -1 : 1))).toEqual([
      { name: 'evergrant_device', httpOnly: true, sameSite: 'Lax' },
      { name: 'evergrant_session', httpOnly: true, sameSite: 'Lax' },
    ])
  } finally {
    await browser.close()
    await lab.app.close()
  }
})
