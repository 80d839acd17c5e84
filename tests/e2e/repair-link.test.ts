import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chromiumPath, consentAtPractice, launchBrowser } from '../../packages/lab/src/browser.ts'
import { at, textAt } from '../../packages/lab/src/http.ts'
import { Workbench } from '../../packages/lab/src/workbench.ts'

/** The server as it is shipped, a provider, and a person with a browser: each in a process of its own. */
describe.skipIf(chromiumPath() === null)('a grant that its owner ended at the provider', () => {
  let bench: Workbench
  let browser: Browser

  beforeAll(async () => {
    bench = await Workbench.start({ timeScale: 1, profiles: { p4: 'P4' } })
    browser = await launchBrowser()
  }, 60_000)
  afterAll(async () => {
    await browser?.close()
    await bench?.dispose()
  })

  test('is repaired through the link in the refusal, under the same connection id', { timeout: 60_000 }, async () => {
    const held = await bench.hold('p4', 0)
    expect((await bench.practice.control.post('/revoke', { grant: held.grant })).status).toBe(200)
    const refused = await bench.token(held)
    expect(refused.status, refused.text).toBe(409)
    expect(refused.body).toMatchObject({ code: 'connection_revoked', action: 'reconnect', needs_reauth: true })
    const link = textAt(refused, 'reconnect_url')
    expect(at((await bench.show(held)).body, 'reconnect_url')).toBe(link)

    const page = await (await browser.newContext({ javaScriptEnabled: false })).newPage()
    await page.goto(link)
    expect(await page.textContent('main')).toContain('Nothing was deleted')
    await page.click('button:has-text("Reconnect")')
    await consentAtPractice(page, held.account)
    expect(await page.textContent('h1')).toContain('is connected again')

    const read = await bench.token(held)
    expect(read.status, read.text).toBe(200)
    expect(read.body).toMatchObject({ connection_id: held.connection, status: 'active' })
    expect(await bench.works('p4', textAt(read, 'access_token'))).toBe(200)
    expect(at((await bench.show(held)).body, 'reconnect_url')).toBeNull()
    await page.goto(link)
    expect(await page.textContent('main')).toContain('repaired already')
    expect(bench.server.output()).not.toContain(link.split('.').at(-1))
  })
})
