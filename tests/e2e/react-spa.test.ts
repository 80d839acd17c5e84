import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chromiumPath, consentAtPractice, launchBrowser } from '../../packages/lab/src/browser.ts'
import { type RunningProcess, startNode } from '../../packages/lab/src/child-process.ts'
import { freePort, freePortPair } from '../../packages/lab/src/free-port.ts'
import { at, JsonClient } from '../../packages/lab/src/http.ts'

const EXAMPLE = fileURLToPath(new URL('../../examples/react-spa/', import.meta.url))
/** Where pictures of the pages go; nowhere without it. */
const PICTURES = process.env['EVERGRANT_PICTURES']
const EXPIRED = { 'evergrant-auth': 'expired', 'www-authenticate': 'Bearer error="invalid_token"', 'content-type': 'application/problem+json' }

// `npm run example`, as the tutorial has it, and a person with a browser.
describe.skipIf(chromiumPath() === null)('the example application', () => {
  let running: RunningProcess
  let data: string
  let practice: JsonClient
  let browser: Browser
  let context: BrowserContext
  let page: Page
  let started: { readonly url: string; readonly email: string; readonly password: string; readonly evergrantPid: number }

  beforeAll(async () => {
    data = mkdtempSync(join(tmpdir(), 'evergrant-example-'))
    const evergrantPort = await freePortPair()
    const port = await freePort()
    const args = ['--disable-warning=ExperimentalWarning', '--import', `${EXAMPLE}from-sources.mjs`, `${EXAMPLE}start.ts`]
    running = startNode({ args: [...args, '--port', String(port), '--evergrant-port', String(evergrantPort), '--data', data] })
    started = (await running.firstJsonLine()) as unknown as typeof started
    practice = new JsonClient(`${await practiceUrl(evergrantPort)}/control`)
    browser = await launchBrowser()
    context = await browser.newContext({ viewport: { width: 1280, height: 800 } })
    page = await context.newPage()
    page.on('request', (request) => {
      const id = /\/proxy\/(con_[^/]+)\//.exec(request.url())?.[1]
      if (id !== undefined) called.add(id)
    })
  }, 120_000)
  afterAll(async () => {
    await browser?.close()
    await running?.stop()
    rmSync(data, { recursive: true, force: true })
  })

  /** One port above Evergrant: it was free. */
  async function practiceUrl(evergrantPort: number): Promise<string> {
    const beside = `http://127.0.0.1:${evergrantPort + 1}`
    const answered = await fetch(`${beside}/control/state`).catch(() => null)
    if (answered?.ok !== true) throw new Error(`the practice provider is not at ${beside}:\n${running.output()}`)
    return beside
  }

  /** Ids of the connections that the page called through the proxy. */
  const called = new Set<string>()

  async function picture(name: string): Promise<void> {
    if (PICTURES === undefined) return
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      for (const width of [1280, 390]) {
        await page.setViewportSize({ width, height: 800 })
        await page.screenshot({ path: join(PICTURES, `${name}-${width}-${colorScheme}.png`), fullPage: true, animations: 'disabled' })
      }
    }
    await page.setViewportSize({ width: 1280, height: 800 })
  }

  test('somebody signs in with the printed password, and a wrong one is told so', { timeout: 60_000 }, async () => {
    await page.goto(started.url)
    await page.fill('#email', started.email)
    await page.fill('#password', 'not the password of anybody')
    await page.click('button[type=submit]')
    await page.waitForSelector('[role=alert]:has-text("do not belong together")')
    await picture('sign-in-refused')
    await page.fill('#password', started.password)
    await page.click('button[type=submit]')
    await page.waitForSelector('h2:has-text("Your notes")')
    await page.waitForSelector('.notes li')
    expect(await page.textContent('.who')).toContain('Ana')
    // What a script could steal is not there.
    expect(await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]))).not.toMatch(/eyJ|egr_1/)
    await picture('signed-in')
  })

  test('an access token that the API refuses is renewed behind a click', { timeout: 60_000 }, async () => {
    // As the page itself counts them: a request that may outlive its page is not always announced to a debugger.
    const refreshes = () => page.evaluate(() => performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('/auth/refresh')).length)
    const before = await refreshes()
    await page.route('**/api/notes', (route) => route.fulfill({ status: 401, headers: EXPIRED, body: '{"code":"access_token_expired","action":"retry"}' }), {
      times: 1,
    })
    await page.fill('#text', 'Written with a token that was out')
    await page.click('button:has-text("Add")')
    await page.waitForSelector('.notes li:has-text("Written with a token that was out")')
    expect(await refreshes()).toBe(before + 1)
    expect(await page.locator('.notes li:has-text("Written with a token")').count()).toBe(1)
    await page.reload()
    await page.waitForSelector('.notes li:has-text("Written with a token that was out")')
  })

  test('the notebook is connected at the practice provider, and its notes come through the proxy', { timeout: 60_000 }, async () => {
    await page.click('button:has-text("Connect your notebook")')
    await page.waitForURL('**/connect/**')
    await page.click('button.primary')
    await consentAtPractice(page, 'ana')
    await page.waitForSelector('.notes li:has-text("Practice makes perfect")')
    expect(new URL(page.url()).origin).toBe(started.url)
    expect(page.url()).not.toMatch(/code|token/)
    await picture('connected')
  })

  test('the grant ends at the provider: the banner says so, and Reconnect heals it under the same id', { timeout: 60_000 }, async () => {
    const { body } = await practice.get('/grants?profile=p4')
    const grants: unknown = at(body, 'grants')
    const live = Array.isArray(grants) ? grants.find((grant: unknown) => at(grant, 'account') === 'ana' && at(grant, 'state') === 'live') : undefined
    expect((await practice.post('/revoke', { grant: at(live, 'id') })).status).toBe(200)
    await page.click('button:has-text("Read again")')
    const banner = page.locator('.evergrant-banner')
    await banner.locator('text=Practice').first().waitFor()
    await picture('needs-reconnect')

    const [popup] = await Promise.all([context.waitForEvent('page'), page.locator('button:has-text("Reconnect")').first().click()])
    await popup.waitForSelector('button.primary')
    await popup.click('button.primary')
    await consentAtPractice(popup, 'ana')
    await page.waitForFunction(() => document.querySelector('button')?.ownerDocument.body.textContent?.includes('Reconnect Practice') === false, null, {
      timeout: 30_000,
    })
    await page.click('button:has-text("Read again")')
    await page.waitForSelector('.notes li:has-text("Practice makes perfect")')
    expect([...called]).toHaveLength(1)
    await picture('healed')
  })

  test('a sign-out in one tab reaches the other', { timeout: 60_000 }, async () => {
    const other = await context.newPage()
    await other.goto(started.url)
    await other.waitForSelector('h2:has-text("Your notes")')
    await page.click('button:has-text("Sign out")')
    await other.waitForSelector('#password')
    await page.waitForSelector('#password')
  })
  // Last: nothing starts Evergrant again.
  test('Evergrant is killed: the page says so, keeps what is on it, and signs nobody out', { timeout: 60_000 }, async () => {
    await page.fill('#email', started.email)
    await page.fill('#password', started.password)
    await page.click('button[type=submit]')
    await page.waitForSelector('.notes li:has-text("Practice makes perfect")')
    process.kill(started.evergrantPid, 'SIGKILL')
    await page.click('button:has-text("Read again")')
    await page.waitForSelector('.problem:has-text("The server cannot be reached. You are still signed in")')
    expect(await page.locator('.notes li:has-text("Practice makes perfect")').count()).toBe(1)
    await page.fill('#text', 'Written without Evergrant')
    await page.click('button:has-text("Add")')
    await page.waitForSelector('.notes li:has-text("Written without Evergrant")')
    // Another tab would hand its access token over.
    for (const tab of context.pages()) if (tab !== page) await tab.close()
    await page.reload()
    await page.waitForSelector('text=You are still signed in')
    expect(await page.locator('#password').count()).toBe(0)
  })
})
