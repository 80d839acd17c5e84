import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newId, type OrganizationId } from '../../packages/evergrant/src/core/ids.ts'
import { systemEntropy } from '../../packages/evergrant/src/system.ts'
import { type ConnectBench, startConnectBench } from '../../packages/evergrant/src/testing/connect-bench.ts'
import { api } from '../../packages/evergrant/src/testing/connect-visitor.ts'
import { chromiumPath, consentAtPractice, launchBrowser } from '../../packages/lab/src/browser.ts'
import { freePort } from '../../packages/lab/src/free-port.ts'

/** The flow in real browsers: two contexts of one Chromium are two browsers to a server. */
describe.skipIf(chromiumPath() === null)('connect in real browsers', () => {
  let bench: ConnectBench
  let browser: Browser
  let organization: OrganizationId
  let key: string
  const contexts: BrowserContext[] = []

  beforeAll(async () => {
    const port = await freePort()
    organization = newId('org', systemEntropy)
    bench = await startConnectBench({ publicUrl: `http://localhost:${port}`, tryItAs: organization })
    ;({ key } = await bench.organization('Acme Reports', organization))
    await bench.integration(organization, 'practice', { name: 'Practice Provider', settings: { returnUrls: [`${bench.publicUrl}/try/return`] } })
    await bench.app.listen({ port, host: '127.0.0.1' })
    browser = await launchBrowser()
  }, 60_000)

  afterAll(async () => {
    await browser?.close()
    await bench?.close()
  })

  async function visitor(options: Parameters<Browser['newContext']>[0] = {}): Promise<Page> {
    const context = await browser.newContext(options)
    contexts.push(context)
    return context.newPage()
  }

  async function link(owner = 'ada@example.com'): Promise<string> {
    const made = await api(bench, key, 'connect/sessions', { integration: 'practice', owner, return_url: `${bench.publicUrl}/try/return` })
    expect(made.status).toBe(201)
    return String(made.body['url'])
  }

  /** Goes to the provider's consent page, and to the callback's address without opening it. */
  async function callbackAddress(page: Page, url: string, account: string): Promise<string> {
    await page.goto(url)
    await page.click('button:has-text("Continue to")')
    let address = ''
    await page.route('**/decision', async (route) => {
      const answer = await route.fetch({ maxRedirects: 0 })
      address = answer.headers()['location'] ?? ''
      await route.fulfill({ contentType: 'text/html', body: '<h1>Stopped here</h1>' })
    })
    await consentAtPractice(page, account)
    await page.waitForSelector('text=Stopped here')
    expect(address).toContain('/connect/callback/practice?')
    return address
  }

  test('the newcomer connects, refreshes, loses the grant and repairs the same connection', async () => {
    const page = await visitor()
    await page.goto(`${bench.publicUrl}/try`)
    await page.click('button:has-text("Connect practice account")')
    await page.click('button:has-text("Continue to Practice Provider")')
    await consentAtPractice(page, 'newcomer')
    await page.waitForSelector('text=Connected.')
    const id = await page.textContent('dd.mono')
    await page.click('button:has-text("Refresh now")')
    await page.waitForSelector('text=the generation went up')
    await page.click('button:has-text("Expire it at the provider")')
    await page.click('button:has-text("Ask again after a 401")')
    await page.waitForSelector('text=renewed, once')
    await page.click('button:has-text("Revoke at the provider")')
    await page.click('button:has-text("Refresh now")')
    await page.waitForSelector('.badge:has-text("needs_reauth")')
    expect(await page.textContent('main')).toContain('connection_revoked')
    await page.click('button:has-text("Reconnect")')
    await page.click('button:has-text("Continue to")')
    await consentAtPractice(page, 'newcomer')
    await page.waitForSelector('text=Connected again')
    expect(await page.textContent('dd.mono')).toBe(id)
    expect(await page.textContent('.badge')).toBe('active')
  }, 60_000)

  test('the callback of one browser, opened in another, stores nothing and says why (S1)', async () => {
    const [attacker, victim] = [await visitor(), await visitor()]
    const url = await link('attacker')
    const address = await callbackAddress(attacker, url, 'victim-account')
    const before = bench.practice.control.counts('p4').exchange
    const answer = await victim.goto(address)
    expect(answer?.status()).toBe(403)
    expect(await victim.textContent('h1')).toBe('This was started in another browser')
    expect(bench.practice.control.counts('p4').exchange).toBe(before)
  }, 30_000)

  test('a victim with a flow of their own still cannot finish the one of an attacker (S1)', async () => {
    const [attacker, victim] = [await visitor(), await visitor()]
    const address = await callbackAddress(attacker, await link('attacker-2'), 'victim-2')
    await callbackAddress(victim, await link('victim-2'), 'victim-2')
    expect((await victim.goto(address))?.status()).toBe(403)
  }, 30_000)

  test('with cookies cleared on the way, the callback is refused with the remedy (S2)', async () => {
    const page = await visitor()
    const address = await callbackAddress(page, await link(), 'no-cookie')
    await page.context().clearCookies()
    expect((await page.goto(address))?.status()).toBe(403)
    expect(await page.textContent('main')).toContain('allow cookies for this site')
  }, 30_000)

  test('a flow inside a frame of another site gets nowhere (S2, S21)', async () => {
    const page = await visitor()
    const url = await link()
    await page.route('http://evil.localhost/**', (route) => route.fulfill({ contentType: 'text/html', body: `<iframe id="f" src="${url}"></iframe>` }))
    await page.goto('http://evil.localhost/')
    await page.waitForLoadState('networkidle')
    const frame = page.frames().find((one) => one !== page.mainFrame())
    expect(
      await frame
        ?.locator('button')
        .count()
        .catch(() => 0),
    ).toBe(0)
  }, 30_000)

  test('a form of another site cannot press the Continue button (S1)', async () => {
    const page = await visitor()
    const url = await link('forged')
    await page.route('http://evil.localhost/**', (route) =>
      route.fulfill({ contentType: 'text/html', body: `<form method="post" action="${url}"><button>Win</button></form>` }),
    )
    await page.goto('http://evil.localhost/')
    await page.click('button')
    await page.waitForSelector('text=only works on its own page')
    expect((await bench.connect.byLink(url.split('/').at(-1) ?? ''))?.state).toBe('open')
  }, 30_000)

  test('the owner of another browser session cannot complete with a code that is not theirs (S7)', async () => {
    const page = await visitor()
    const url = await link('somebody-else')
    await page.goto(url)
    await page.click('button:has-text("Continue to")')
    await consentAtPractice(page, 'not-mine')
    await page.waitForURL('**/try/return**')
    // The page that plays the application vouches for its own user, who is not the owner of this link.
    expect(await page.textContent('body')).toContain('connect_owner_mismatch')
    expect((await bench.connect.byLink(url.split('/').at(-1) ?? ''))?.state).toBe('burned')
  }, 30_000)

  test('no code, state or link reaches the provider or the application in a Referer, and none stays in an address (S15)', async () => {
    const page = await visitor()
    const referers: string[] = []
    page.on('request', (request) => {
      const referer = request.headers()['referer']
      if (referer !== undefined && !request.url().includes('/style.css')) referers.push(`${new URL(request.url()).port} ${referer}`)
    })
    await page.goto(await link('referer'))
    await page.click('button:has-text("Continue to")')
    const providerPort = new URL(page.url()).port
    await consentAtPractice(page, 'referer', 'deny')
    await page.waitForSelector('h1:has-text("Access was not granted")')
    expect(page.url()).not.toMatch(/code=|state=|error=/)
    expect(referers.filter((line) => line.startsWith(providerPort) && line.includes('/connect/'))).toEqual([])
    expect(referers.join()).not.toMatch(/code=/)
  }, 30_000)

  test('every page works without a script, in a narrow and a wide window, by keyboard alone', async () => {
    for (const width of [390, 1_280]) {
      const page = await visitor({ javaScriptEnabled: false, viewport: { width, height: 800 } })
      const complaints: string[] = []
      page.on('console', (message) => void (message.text().includes('Content Security Policy') && complaints.push(message.text())))
      await page.goto(await link(`keyboard-${width}`))
      expect(await page.locator('h1').count()).toBe(1)
      await page.keyboard.press('Tab')
      await page.keyboard.press('Enter')
      await page.waitForURL('**/authorize**')
      await consentAtPractice(page, 'keys', 'deny')
      await page.waitForSelector('h1:has-text("Access was not granted")')
      const box = await page.locator('.card').boundingBox()
      expect((box?.x ?? -1) >= 0 && (box?.x ?? 0) + (box?.width ?? 0) <= width).toBe(true)
      await page.keyboard.press('Tab')
      await page.keyboard.press('Enter')
      await page.waitForURL('**/authorize**')
      expect(complaints).toEqual([])
    }
  }, 60_000)

  test('no page has a script, a message channel or a handler (S22)', async () => {
    const page = await visitor()
    for (const address of [bench.publicUrl, await link('scripts'), `${bench.publicUrl}/connect/problem/connect_failed`]) {
      await page.goto(address)
      expect(await page.locator('script').count()).toBe(0)
      expect(await page.content()).not.toMatch(/postMessage| on[a-z]+=/)
    }
  }, 30_000)
})
