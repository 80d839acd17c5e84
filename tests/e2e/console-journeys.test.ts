// What operators do in the console, in a real browser against a real server: keys, webhooks, agents, and every view in every state for axe.
import { mkdirSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { becomeOwner, type DemoServer, startDemoServer } from '../../packages/console/dev/demo-server.ts'
import { tooWide, violationsOf, watchPolicy, wear } from '../../packages/console/dev/judge.ts'
import { ROUTES } from '../../packages/console/dev/screens.ts'
import { AgentMachine } from '../../packages/evergrant/src/testing/agent-machine.ts'
import { chromiumPath, launchBrowser } from '../../packages/lab/src/browser.ts'
import { at, JsonClient } from '../../packages/lab/src/http.ts'

/** Every view in every state takes four minutes: without `CONSOLE_WHOLE=1` all of them with data, and some of the others. */
const viewsIn = (state: string): readonly string[] =>
  process.env['CONSOLE_WHOLE'] === '1' || state === 'full' ? PATHS : PATHS.filter((_, index) => index % 5 === 0)
/** A folder: every page that is judged is also kept as a picture. */
const PICTURES = process.env['CONSOLE_PICTURES']

const PATHS = ROUTES.map(({ path }) => path)

interface Delivered {
  readonly id: string
  readonly body: string
}

/** A receiver that refuses until it is told to take. */
class Receiver {
  readonly taken: Delivered[] = []
  refuses = true
  readonly #server: Server

  constructor() {
    this.#server = createServer((request, response) => {
      let body = ''
      request.setEncoding('utf8').on('data', (piece: string) => {
        body += piece
      })
      request.on('end', () => {
        if (!this.refuses) this.taken.push({ id: String(request.headers['webhook-id']), body })
        response.writeHead(this.refuses ? 500 : 204).end(this.refuses ? 'not today' : undefined)
      })
    })
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hooks`
  }

  stop(): void {
    this.#server.close()
  }
}

describe.skipIf(chromiumPath() === null)('journeys of operators', () => {
  const receiver = new Receiver()
  const policy: string[] = []
  const elsewhere: string[] = []
  let server: DemoServer
  let browser: Browser
  let context: BrowserContext
  let page: Page
  let api: JsonClient
  let hook = ''

  beforeAll(async () => {
    if (chromiumPath() === null) return
    hook = await receiver.start()
    server = await startDemoServer({ EVERGRANT_DANGEROUS_PRIVATE_HOSTS: '127.0.0.1,localhost' })
    browser = await launchBrowser()
    context = await browser.newContext({ viewport: { width: 1280, height: 900 } })
    page = await context.newPage()
    await watchPolicy(page, (report) => policy.push(report))
    page.on('request', (request) => {
      if (!request.url().startsWith(server.url) && !/^(?:blob|data):/.test(request.url())) elsewhere.push(request.url())
    })
    await becomeOwner(page, server)
    const { key } = JSON.parse(readFileSync(join(server.data, 'server.json'), 'utf8')) as { readonly key: string }
    api = new JsonClient(`${server.url}/api/v1`, { authorization: `Bearer ${key}` })
  }, 120_000)
  afterAll(async () => {
    await browser?.close()
    await server?.stop()
    receiver.stop()
  })

  const open = async (path: string): Promise<void> => {
    await page.goto(`${server.url}/console/${path}`)
    await page.waitForSelector('main h1:not(.unseen)')
  }

  /** Nothing is being loaded any more. Before the session is known there is a page, too, whose heading nobody sees. */
  const settled = async (): Promise<void> => {
    await page.waitForSelector('main h1:not(.unseen)')
    await page.waitForSelector('main [role=status]:has-text("Loading")', { state: 'detached', timeout: 20_000 })
  }

  /** Every view in both themes. The theme changes colours alone, so the page is not loaded anew for the second. */
  async function judged(state: string): Promise<readonly string[]> {
    const bad: string[] = []
    for (const path of viewsIn(state)) {
      await open(path)
      await settled()
      for (const width of [320, 3_840, 1_280]) {
        await page.setViewportSize({ width, height: 900 })
        for (const element of await tooWide(page)) bad.push(`${path} (${state}) at ${width}: ${element} stands out of the window`)
      }
      for (const theme of ['light', 'dark'] as const) {
        await wear(page, theme)
        for (const text of await violationsOf(page, theme === 'light' ? 'everything' : 'colours')) bad.push(`${path} (${state}, ${theme}): ${text}`)
        if (PICTURES === undefined) continue
        mkdirSync(PICTURES, { recursive: true })
        await page.screenshot({ path: join(PICTURES, `${path.replace(/\W+/g, '-')}-${state}-${theme}.png`), fullPage: true })
      }
    }
    return bad
  }

  test('every view without data fits its window from 320 pixels to 4k and has nothing that axe objects to', { timeout: 600_000 }, async () => {
    expect(await judged('empty')).toEqual([])
  })

  test('a key is made, shown once, and rotated with an overlap, by keyboard alone', { timeout: 120_000 }, async () => {
    await open('events')
    await page.locator('main').focus()
    // The second of the two counts for a moment only.
    await Promise.all([page.keyboard.press('g'), page.keyboard.press('k')])
    await page.waitForURL(/\/console\/keys/)
    await page.waitForSelector('table[aria-label="API keys"], :text("No key yet")')
    await page.locator('button:has-text("New key")').first().focus()
    await page.keyboard.press('Enter')
    await page.locator('dialog input').first().focus()
    await page.keyboard.type('backend')
    await page.keyboard.press('Enter')
    const first = await shownOnce()
    const before = await new JsonClient(`${server.url}/api/v1`, { authorization: `Bearer ${first}` }).get('/organizations/current')
    expect(before.status).toBe(200)
    await page.locator('button[aria-label="Rotate backend"]').focus()
    await page.keyboard.press('Enter')
    await page.waitForSelector('dialog h2:has-text("Rotate backend")')
    await page.locator('dialog button:has-text("Make the successor")').focus()
    await page.keyboard.press('Enter')
    const second = await shownOnce()
    expect(second).not.toBe(first)
    for (const key of [first, second]) {
      const seen = await new JsonClient(`${server.url}/api/v1`, { authorization: `Bearer ${key}` }).get('/organizations/current')
      expect(seen.status).toBe(200)
    }
    await page.waitForSelector('tr:has-text("backend") :text("Being replaced")')
  })

  async function shownOnce(): Promise<string> {
    await page.waitForSelector('dialog:has-text("It is shown this once") pre')
    const secret = (await page.locator('dialog pre').first().textContent()) ?? ''
    await page.locator('dialog button:has-text("I have stored it")').focus()
    await page.keyboard.press('Enter')
    await page.waitForSelector('dialog', { state: 'detached' })
    return secret
  }

  test('a delivery that was not taken is replayed, and the open log shows it without being loaded again', { timeout: 120_000 }, async () => {
    await open('alerts?tab=webhooks')
    await page.locator('button:has-text("New webhook")').first().click()
    await page.fill('dialog input[required]:not([type=url])', 'application')
    await page.fill('dialog input[type=url]', hook)
    await page.fill('dialog textarea', 'integration.*')
    await page.click('dialog button:has-text("Make the webhook")')
    expect(await shownOnce()).toMatch(/^whsec_/)
    await page.click('a:has-text("application")')
    await page.waitForSelector('h1:has-text("application")')
    const made = await api.post('/integrations', { provider: 'github', slug: 'journey', name: 'Journey', client_id: 'x', client_secret: 'y' })
    expect(made.status).toBe(201)
    await page.waitForSelector('table[aria-label=Deliveries] tr:has-text("500")', { timeout: 20_000 })
    await page.evaluate(() => {
      document.body.dataset['kept'] = 'yes'
    })
    receiver.refuses = false
    await page.locator('button[aria-label^="Replay the delivery"]').first().click()
    await page.waitForSelector('table[aria-label=Deliveries] :text("Taken")', { timeout: 20_000 })
    expect(await page.evaluate(() => document.body.dataset['kept'])).toBe('yes')
    expect(receiver.taken.map(({ body }) => JSON.parse(body).type)).toContain('integration.created')
  })

  test('an agent is made, a machine enrols with its code, and cutting it off ends it at once', { timeout: 120_000 }, async () => {
    await open('agents')
    await page.locator('button:has-text("New agent")').first().click()
    await page.fill('dialog input', 'weather')
    await page.click('dialog button:has-text("Make the agent")')
    await page.waitForURL(/agents\/agt_/)
    await page.click('[role=tab]:has-text("Enrol a machine")')
    await page.click('button:has-text("Make an enrolment code")')
    const machine = await AgentMachine.make({
      publicUrl: server.url,
      now: () => Date.now(),
      send: async (method, path, { headers, body }) => {
        const answer = await fetch(server.url + path, {
          method,
          headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        })
        const text = await answer.text()
        return { status: answer.status, headers: Object.fromEntries(answer.headers), text, json: text === '' ? null : JSON.parse(text) }
      },
    })
    const enrolled = await machine.enrol({ code: await shownOnce() })
    expect(enrolled.status, enrolled.text).toBe(200)
    await page.click('[role=tab]:has-text("Installations")')
    await page.locator('table[aria-label=Installations] a').first().click()
    await page.waitForSelector('h2:has-text("Healing budget")')
    const name = ((await page.locator('h1').textContent()) ?? '').replace(/\s*Active\s*$/, '').trim()
    await page.click('button:has-text("Cut off")')
    await page.fill('dialog label:has-text("to confirm") + input', name)
    await page.click('dialog button:has-text("Cut off")')
    await page.waitForSelector('h1 :text("Cut off")', { timeout: 20_000 })
    const refused = await machine.refresh()
    expect(refused.status).toBeGreaterThanOrEqual(400)
  })

  test('a query that is wrong is told where, and a right one finds the event down to its JSON', { timeout: 60_000 }, async () => {
    await open('events')
    await page.fill('input[role=combobox]', 'kind:nothing')
    await page.keyboard.press('Enter')
    await page.waitForSelector('[role=alert]:has-text("kind")')
    await page.fill('input[role=combobox]', 'ty')
    await page.waitForSelector('[role=option]:has-text("type:")')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await page.keyboard.type('integration.created')
    await page.keyboard.press('Enter')
    await page.waitForURL(/q=type/)
    await page.locator('button:has-text("integration.created")').first().click()
    await page.waitForSelector('dialog pre:has-text("\\"type\\": \\"integration.created\\"")')
    await page.keyboard.press('Escape')
  })

  test('every view with data fits its window from 320 pixels to 4k and has nothing that axe objects to', { timeout: 600_000 }, async () => {
    const now = Date.now()
    const rows = Array.from({ length: 40 }, (_, index) => ({
      integration: 'journey',
      owner: `owner-${index}`,
      account: `account-${index}`,
      access_token: `access-${index}`,
      expires_at: new Date(now + (index + 2) * 11 * 3_600_000).toISOString(),
    }))
    const imported = await api.post('/connections/import', rows)
    expect(at(imported.body, 'refused')).toBe(0)
    expect(await judged('full')).toEqual([])
  })

  test('every view whose server fails fits its window, has nothing that axe objects to, and says so', { timeout: 600_000 }, async () => {
    const problem = {
      type: 'about:blank',
      title: 'The database is away',
      status: 503,
      detail: 'Nothing was lost.',
      code: 'store_unavailable',
      action: 'wait',
      request_id: 'r-1',
    }
    await page.route(/\/api\/v1\/(?!auth\/|users\/profile|organizations)/, (route) =>
      route.fulfill({ status: 503, contentType: 'application/problem+json', body: JSON.stringify(problem) }),
    )
    await open('keys')
    await page.waitForSelector('[role=alert]:has-text("r-1")')
    expect(await judged('error')).toEqual([])
    await page.unroute(/\/api\/v1\/(?!auth\/|users\/profile|organizations)/)
  })

  test('nothing broke the content policy, and nothing was asked of anybody else', () => {
    expect(policy).toEqual([])
    expect(elsewhere).toEqual([])
  })
})
