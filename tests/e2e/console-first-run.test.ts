import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { becomeOwner, type DemoServer, startDemoServer } from '../../packages/console/dev/demo-server.ts'
import { watchPolicy } from '../../packages/console/dev/judge.ts'
import { chromiumPath, consentAtPractice, launchBrowser } from '../../packages/lab/src/browser.ts'

const ACCOUNT = 'ada-demo'

// From the link that `npm start` prints to a grant that was broken and mended, and the console that shows it without being loaded again.
describe.skipIf(chromiumPath() === null)('the first run of the console', () => {
  let server: DemoServer
  let browser: Browser
  let context: BrowserContext
  let page: Page
  const policy: string[] = []
  const elsewhere: string[] = []

  beforeAll(async () => {
    server = await startDemoServer()
    browser = await launchBrowser()
    context = await browser.newContext({ viewport: { width: 1280, height: 800 } })
    context.setDefaultTimeout(12_000)
    page = await context.newPage()
    await watchPolicy(page, (report) => policy.push(report))
    page.on('request', (request) => {
      if (!request.url().startsWith(server.url) && !request.url().startsWith('blob:')) elsewhere.push(request.url())
    })
  }, 120_000)
  afterAll(async () => {
    await browser?.close()
    await server?.stop()
  })

  /** The connect pages open in a tab of their own, as at a customer's. */
  async function inNewTab(press: () => Promise<void>): Promise<Page> {
    const [tab] = await Promise.all([context.waitForEvent('page'), press()])
    await tab.waitForURL(/\/connect\//)
    return tab
  }

  async function grant(tab: Page): Promise<void> {
    await tab.locator('form button.primary, form button[type=submit]').first().click()
    await tab.waitForSelector('input[name=other_account]')
    await consentAtPractice(tab, ACCOUNT)
    // A tab that the console opened closes itself when it is done.
    await Promise.race([tab.waitForURL((url) => url.origin === server.url).catch(() => undefined), tab.waitForEvent('close')])
    if (!tab.isClosed()) await tab.close()
  }

  test('the printed link makes the owner and leads to the tour', { timeout: 60_000 }, async () => {
    await becomeOwner(page, server)
    await page.waitForSelector('h1:has-text("See it work")')
    expect(await page.locator('li[aria-current=step] h2').textContent()).toBe('Connect an account')
  })

  test('a practice account is connected, and the tour goes on by itself', { timeout: 60_000 }, async () => {
    await grant(await inNewTab(() => page.click('button:has-text("Connect a practice account")')))
    await page.waitForSelector('li[aria-current=step] h2:has-text("Watch it being renewed")', { timeout: 15_000 })
  })

  test('it is renewed, and the tour sees it', { timeout: 60_000 }, async () => {
    await page.click('button:has-text("Refresh now")')
    await page.waitForSelector('li[aria-current=step] h2:has-text("Break it")', { timeout: 15_000 })
  })

  test('the grant is taken back; the console says what happened and to whom', { timeout: 60_000 }, async () => {
    await page.click('button:has-text("Take the grant back")')
    await page.waitForSelector('li[aria-current=step] h2:has-text("Mend it")', { timeout: 15_000 })
    const overview = await context.newPage()
    await overview.goto(`${server.url}/console/`)
    await overview.waitForSelector('a:has-text("Need their owner") strong:has-text("1")')
    await overview.close()
  })

  test('a pasted id lands on the connection, which explains itself', { timeout: 60_000 }, async () => {
    const href = await page.locator('a:has-text("See why it broke")').getAttribute('href')
    const id = /con_[\w-]+/.exec(href ?? '')?.[0] ?? ''
    expect(id).toMatch(/^con_/)
    await page.keyboard.press('Control+k')
    await page.fill('dialog input', id)
    await page.waitForSelector('[cmdk-item]:has-text("Open")')
    await page.keyboard.press('Enter')
    await page.waitForURL(new RegExp(`/console/connections/${id}`))
    await page.waitForSelector('h2:has-text("Why is it in this state?")')
    await page.waitForSelector('text=Needs its owner')
    await page.locator('ol[aria-label=Timeline] li').nth(2).waitFor()
  })

  test('its owner reconnects in another tab, and the open page heals without being loaded again', { timeout: 60_000 }, async () => {
    await page.click('button:has-text("Reconnect link")')
    const url = await page.locator('dialog pre').textContent()
    await page.keyboard.press('Escape')
    await page.evaluate(() => {
      document.body.dataset['kept'] = 'yes'
    })
    const owner = await browser.newContext()
    const tab = await owner.newPage()
    await tab.goto(url ?? '')
    await tab.locator('form button.primary, form button[type=submit]').first().click()
    await tab.waitForSelector('input[name=other_account]')
    await consentAtPractice(tab, ACCOUNT)
    await tab.waitForURL((to) => to.origin === server.url)
    await page.waitForSelector('h1 :text("Active")', { timeout: 15_000 })
    expect(await page.evaluate(() => document.body.dataset['kept'])).toBe('yes')
    await owner.close()
  })

  test('by keyboard alone: to the list, along its rows, and into one', { timeout: 60_000 }, async () => {
    await page.locator('main').focus()
    // The second of the two counts for a moment only.
    await Promise.all([page.keyboard.press('g'), page.keyboard.press('c')])
    await page.waitForURL(/\/console\/connections$/)
    await page.waitForSelector('tr[data-row]')
    await page.keyboard.press('j')
    await page.keyboard.press('x')
    await page.waitForSelector('text=1 selected')
    await page.keyboard.press('Enter')
    await page.waitForURL(/\/console\/connections\/con_/)
    await page.keyboard.press('Shift+?')
    await page.waitForSelector('dialog h2:has-text("Keyboard")')
    await page.keyboard.press('Escape')
    await page.waitForSelector('dialog', { state: 'detached' })
  })

  test('nothing broke the content policy, and nothing was asked of anybody else', () => {
    expect(policy).toEqual([])
    expect(elsewhere).toEqual([])
  })
})
