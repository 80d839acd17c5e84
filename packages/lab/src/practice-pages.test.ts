import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chromiumPath, consentAtPractice, launchBrowser } from './browser.ts'
import { type PracticeProcess, startPracticeProcess } from './practice-process.ts'

const REDIRECT_URI = 'http://127.0.0.1:9/callback'

describe.skipIf(!chromiumPath())('the pages of the practice provider, without JavaScript', () => {
  let provider: PracticeProcess
  let browser: Browser
  beforeAll(async () => {
    provider = await startPracticeProcess()
    browser = await launchBrowser()
  })
  afterAll(async () => {
    await browser?.close()
    await provider?.stop()
  })

  const authorize = () => {
    const parameters = {
      client_id: 'practice',
      redirect_uri: REDIRECT_URI,
      response_type: 'code',
      state: 's',
      code_challenge: 'x'.repeat(43),
      code_challenge_method: 'S256',
      scope: 'openid notes:read',
    }
    return `${provider.url}/p4/authorize?${new URLSearchParams(parameters)}`
  }

  async function open(url: string, width: number, colorScheme: 'light' | 'dark' = 'light') {
    const context = await browser.newContext({ javaScriptEnabled: false, viewport: { width, height: 900 }, colorScheme })
    const page = await context.newPage()
    await page.goto(url)
    return page
  }

  test.each([
    [1280, 'light' as const],
    [390, 'light' as const],
    [390, 'dark' as const],
  ])('consent and control fit into %i pixels, %s', async (width, scheme) => {
    await provider.control.post('/grants', { profile: 'p4', account: 'somebody-with-a-rather-long-account-name' })
    for (const url of [authorize(), provider.url]) {
      const page = await open(url, width, scheme)
      const box = await page.locator('main').boundingBox()
      expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(width)
      for (const card of await page.locator('.card').all()) {
        const inner = await card.boundingBox()
        expect((inner?.x ?? 0) + (inner?.width ?? 0)).toBeLessThanOrEqual(width)
      }
      await page.context().close()
    }
  })

  test('Allow leads back with a code for the chosen account and the ticked scopes', async () => {
    const page = await open(authorize(), 1280)
    await page.uncheck('input[value="notes:read"]')
    const back = page.waitForRequest((request) => request.url().startsWith(REDIRECT_URI))
    await consentAtPractice(page, 'grace').catch(() => undefined)
    const parameters = new URL((await back).url()).searchParams
    expect([parameters.get('code') !== null, parameters.get('state'), parameters.get('iss')]).toEqual([true, 's', `${provider.url}/p4`])
    await page.context().close()
  })

  test('Deny leads back with access_denied', async () => {
    const page = await open(authorize(), 390)
    const back = page.waitForRequest((request) => request.url().startsWith(REDIRECT_URI))
    await consentAtPractice(page, '', 'deny').catch(() => undefined)
    expect(new URL((await back).url()).searchParams.get('error')).toBe('access_denied')
    await page.context().close()
  })

  test('a newcomer revokes a grant with one press', async () => {
    await provider.control.post('/reset')
    await provider.control.post('/grants', { profile: 'p1', account: 'ada' })
    const page = await open(provider.url, 1280)
    await page.click('text=Revoke this grant')
    expect(await page.textContent('.grid .card')).toContain('ended: owner')
    await page.context().close()
  })
})
