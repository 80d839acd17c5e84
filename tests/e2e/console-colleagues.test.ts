// What somebody sees who leaves a page of the console open while a colleague, or another tab, changes what it shows.
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { becomeOwner, type DemoServer, startDemoServer } from '../../packages/console/dev/demo-server.ts'
import { apiOf } from '../../packages/console/dev/demo-world.ts'
import { chromiumPath, launchBrowser } from '../../packages/lab/src/browser.ts'
import type { JsonClient, JsonReply } from '../../packages/lab/src/http.ts'

/** Less than the minute after which everything is read again anyway. */
const SOON_MS = 30_000
const NOTES = { provider: 'practice', slug: 'notes', name: 'Notes of Acme', client_id: 'practice', client_secret: 'practice-secret', scopes: ['openid'] }
const LIVE = 'header button:has-text("Live")'

describe.skipIf(chromiumPath() === null)('a page of the console that stays open', () => {
  let server: DemoServer
  let api: JsonClient
  let browser: Browser
  let context: BrowserContext
  let page: Page
  let owner: string

  beforeAll(async () => {
    server = await startDemoServer()
    api = apiOf(server)
    browser = await launchBrowser()
    context = await browser.newContext({ viewport: { width: 1280, height: 900 } })
    page = await context.newPage()
    await becomeOwner(page, server)
    owner = ((await api.get('/users')).body as { readonly items: readonly { readonly id: string }[] }).items[0]?.id ?? ''
  }, 180_000)
  afterAll(async () => {
    await browser?.close()
    await server?.stop()
  })

  const open = async (tab: Page, path: string): Promise<void> => {
    await tab.goto(`${server.url}/console/${path}`)
    await tab.waitForSelector('main h1:not(.unseen)')
    await tab.waitForSelector(LIVE)
  }
  const seen = (text: string) => page.locator('main', { hasText: text }).waitFor({ timeout: SOON_MS })
  const put = (path: string, body: object) => api.call('PUT', path, { body })

  test.each<[string, string, string, () => Promise<JsonReply>, string]>([
    ['the keys', 'keys', 'API keys', () => api.post('/api-keys', { name: 'made by a colleague', scopes: ['connections:read'] }), 'made by a colleague'],
    ['the team', 'settings', 'Members', () => api.post('/users/invitations', { email: 'grace@example.com', role: 'viewer' }), 'grace@example.com'],
    ['the audit log', 'settings?tab=audit', 'Audit log', () => api.post('/agents', { name: 'for the audit', owner }), 'agent.created'],
    ['the connect pages', 'settings?tab=branding', 'Connect pages', () => api.call('PATCH', '/settings', { body: { application_name: 'Globex' } }), 'Globex'],
    ['the agents', 'agents', 'Agents', () => api.post('/agents', { name: 'a new program', owner }), 'a new program'],
    ['the rules', 'alerts?tab=rules', 'Rules', () => put('/alert-rules', { items: [{ kind: 'expires_soon', threshold: 23 }] }), 'within 23 days'],
    [
      'the channels',
      'alerts?tab=channels',
      'Channels',
      () => api.post('/channels', { kind: 'email', name: 'Night shift', to: ['night@example.com'] }),
      'Night shift',
    ],
    [
      'the webhooks',
      'alerts?tab=webhooks',
      'Webhooks',
      () => api.post('/webhooks', { name: 'Ledger', url: 'https://hooks.example.com/l', types: ['user.*'] }),
      'Ledger',
    ],
    ['the providers', 'providers', 'Providers', () => api.post('/integrations', NOTES), 'Notes of Acme'],
  ])('%s that somebody looks at show what a colleague does', { timeout: 60_000 }, async (_, path, title, deed, text) => {
    await open(page, path)
    await seen(title)
    const { status, text: answer } = await deed()
    expect(status, answer).toBeLessThan(300)
    await seen(text)
  })

  test('a tab of one organization begins anew when another tab goes to another one', { timeout: 60_000 }, async () => {
    const other = await context.newPage()
    await open(page, 'settings?tab=organization')
    await page.getByLabel('Name', { exact: true }).fill('Globex')
    await page.getByLabel('Name in addresses').fill('globex')
    await page.click('main button:has-text("Make the organization")')
    await page.waitForSelector('header button:has-text("Change the organization")')
    await open(other, 'settings?tab=audit')
    await other.waitForSelector('main :text("agent.created")')

    await page.click('header button:has-text("Change the organization")')
    await page.click('[role=menu] :text("Globex")')
    await page.waitForURL(`${server.url}/console/`)
    await other.waitForURL(`${server.url}/console/`, { timeout: SOON_MS })
    await other.waitForSelector('header button:has-text("Globex")')
    await other.close()
  })
})
