// A master key is changed by an operator in a real browser: the new one is given to the server, and everything is sealed anew while the page watches.
import { randomBytes } from 'node:crypto'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { becomeOwner, type DemoServer, startDemoServer } from '../../packages/console/dev/demo-server.ts'
import { apiOf } from '../../packages/console/dev/demo-world.ts'
import { violationsOf, watchPolicy } from '../../packages/console/dev/judge.ts'
import { chromiumPath, launchBrowser } from '../../packages/lab/src/browser.ts'
import { at } from '../../packages/lab/src/http.ts'

const key = (id: string): string => `${id}:${randomBytes(32).toString('base64')}`
/** Enough that it takes some seconds: the button waits for one, and then the page asks once a second. */
const CONNECTIONS = 16_000
const BATCH = 500

describe.skipIf(chromiumPath() === null)('encryption keys in the console', () => {
  const [first, second] = [key('k1'), key('k2')]
  const policy: string[] = []
  let server: DemoServer
  let browser: Browser
  let page: Page

  beforeAll(async () => {
    server = await startDemoServer({ EVERGRANT_MASTER_KEYS: first })
    browser = await launchBrowser()
    page = await (await browser.newContext({ viewport: { width: 1280, height: 900 } })).newPage()
    await watchPolicy(page, (report) => policy.push(report))
    await becomeOwner(page, server)
    const api = apiOf(server)
    const integration = { provider: 'strava', slug: 'kept', name: 'Kept', client_id: 'c', client_secret: 's' }
    expect((await api.post('/integrations', integration)).status).toBe(201)
    const expires_at = new Date(Date.now() + 30 * 86_400_000).toISOString()
    for (let from = 0; from < CONNECTIONS; from += BATCH) {
      const rows = Array.from({ length: BATCH }, (_, index) => {
        const name = `kept-${from + index}`
        return { integration: 'kept', owner: name, account: name, access_token: `a-${name}`, refresh_token: `r-${name}`, expires_at }
      })
      const imported = await api.post('/connections/import', rows)
      expect(at(imported.body, 'imported'), imported.text).toBe(BATCH)
    }
    await server.restart({ EVERGRANT_MASTER_KEYS: `${second},${first}` })
  }, 240_000)
  afterAll(async () => {
    await browser?.close()
    await server?.stop()
  })

  test('everything is sealed anew while the page tells how far it is, and then the old key can go', { timeout: 240_000 }, async () => {
    await page.goto(`${server.url}/console/keys?tab=encryption`)
    const row = (id: string) => page.locator(`table[aria-label="Encryption keys"] tr:has(code:text-is("${id}"))`)
    await row('k2').locator('text=Seals what is new').waitFor()
    await page.waitForSelector('text=/values are sealed with an older key/')
    await page.evaluate(() => {
      const seen: number[] = []
      Object.assign(window, { seen })
      new MutationObserver(() => {
        const bar = document.querySelector<HTMLProgressElement>('main progress')
        if (bar !== null && bar.value > 0 && bar.value < bar.max && seen.at(-1) !== bar.value) seen.push(bar.value)
      }).observe(document.body, { subtree: true, childList: true, attributes: true })
    })
    await page.click('button:has-text("Seal anew")')
    await page.waitForSelector('main label:has-text("Sealing anew with k2")')
    // Before the page is judged, which keeps it busy for as long as a slow machine needs for the rest.
    await page.waitForFunction(() => (window as unknown as { seen: number[] }).seen.length > 0)
    expect(await violationsOf(page, 'everything')).toEqual([])
    await page.waitForSelector('text=k1 seals nothing any more', { timeout: 180_000 })
    const seen = await page.evaluate(() => (window as unknown as { seen: number[] }).seen)
    expect(seen).toEqual([...seen].sort((left, right) => left - right))
    await page.waitForSelector('main :text("evergrant keys remove k1")')
    await server.restart({ EVERGRANT_MASTER_KEYS: second })
    await page.goto(`${server.url}/console/keys?tab=encryption`)
    await row('k2').waitFor()
    expect(await row('k1').count()).toBe(0)
    expect(policy).toEqual([])
  })
})
