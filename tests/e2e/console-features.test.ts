// What operators seldom do, each once in a real browser; and a whole journey in which nothing but the keyboard is touched.
import { createECDH, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { becomeOwner, type DemoServer, PERSON, startDemoServer } from '../../packages/console/dev/demo-server.ts'
import { apiOf, type DemoWorld, fillWorld } from '../../packages/console/dev/demo-world.ts'
import { tooWide, watchPolicy } from '../../packages/console/dev/judge.ts'
import { chromiumPath, launchBrowser } from '../../packages/lab/src/browser.ts'
import { at, JsonClient, textAt } from '../../packages/lab/src/http.ts'
import { until } from '../../packages/lab/src/until.ts'

/** A picture of one pixel. */
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
const base64url = (bytes: Buffer): string => bytes.toString('base64url')
/** More than are believed at once. */
const ENDED_AT_ONCE = 8

interface Pushed {
  readonly headers: IncomingHttpHeaders
  readonly bytes: number
}

describe.skipIf(chromiumPath() === null)('features of the console', () => {
  const policy: string[] = []
  const pushed: Pushed[] = []
  let server: DemoServer
  let world: DemoWorld
  let api: JsonClient
  let browser: Browser
  let context: BrowserContext
  let page: Page
  let pushService: Server

  beforeAll(async () => {
    server = await startDemoServer({ EVERGRANT_DANGEROUS_PRIVATE_HOSTS: '127.0.0.1,localhost' })
    browser = await launchBrowser()
    context = await browser.newContext({ viewport: { width: 1280, height: 900 } })
    await context.grantPermissions(['notifications'], { origin: server.url })
    page = await context.newPage()
    await watchPolicy(page, (report) => policy.push(report))
    await becomeOwner(page, server)
    world = await fillWorld(server)
    api = apiOf(server)
    pushService = createServer((request, response) => {
      let bytes = 0
      request.on('data', (piece: Buffer) => {
        bytes += piece.length
      })
      request.on('end', () => {
        pushed.push({ headers: request.headers, bytes })
        response.writeHead(201).end()
      })
    })
    await new Promise<void>((resolve) => pushService.listen(0, '127.0.0.1', resolve))
  }, 180_000)
  afterAll(async () => {
    await browser?.close()
    world?.close()
    await server?.stop()
    pushService?.close()
  })

  const open = async (path: string): Promise<void> => {
    await page.goto(`${server.url}/console/${path}`)
    await page.waitForSelector('main h1:not(.unseen)')
  }

  test('a logo is uploaded, shown in the preview, and stands on the connect page', { timeout: 60_000 }, async () => {
    await open('settings?tab=branding')
    await page.setInputFiles('input[type=file]', { name: 'logo.png', mimeType: 'image/png', buffer: Buffer.from(PIXEL, 'base64') })
    await page.waitForSelector('button:has-text("Take the logo away")')
    await page.locator('main button:has-text("Save")').first().click()
    await until('the logo is stored', async () => String(at((await api.get('/settings')).body, 'logo')).endsWith(PIXEL))
    const link = textAt(await api.post(`/connections/${world.broken}/reconnect`, {}), 'url')
    const connect = await context.newPage()
    await watchPolicy(connect, (report) => policy.push(report))
    await connect.goto(link)
    expect(await connect.locator(`img[src$="${PIXEL}"]`).evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(1)
    await connect.close()
  })

  test('a ready project is downloaded as a zip file that holds the address of this server', { timeout: 60_000 }, async () => {
    await open(`agents/${world.agent}?tab=enrol`)
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('button:has-text("Download a ready project")')])
    expect(download.suggestedFilename()).toMatch(/\.zip$/)
    const bytes = readFileSync(await download.path())
    expect(bytes.subarray(0, 2).toString()).toBe('PK')
    expect(bytes.length).toBeGreaterThan(1_000)
  })

  test('this browser subscribes to pushes, and a test reaches its push service encrypted and signed', { timeout: 60_000 }, async () => {
    const keys = createECDH('prime256v1')
    keys.generateKeys()
    const endpoint = `http://127.0.0.1:${(pushService.address() as AddressInfo).port}/push/secret-of-this-browser`
    // Headless Chromium has no push service: what it would answer is given to the page, and everything after it is real.
    await page.addInitScript(
      (subscription) => {
        PushManager.prototype.getSubscription = async () => null
        PushManager.prototype.subscribe = async (options) => {
          ;(window as unknown as { asked: unknown }).asked =
            options?.userVisibleOnly === true && (options.applicationServerKey as ArrayBuffer).byteLength === 65
          return { toJSON: () => subscription } as unknown as PushSubscription
        }
      },
      { endpoint, keys: { p256dh: base64url(keys.getPublicKey()), auth: base64url(randomBytes(16)) } },
    )
    await open('alerts?tab=channels')
    await page.locator('button:has-text("New channel")').first().click()
    await page.selectOption('dialog select', 'push')
    await page.click('dialog button:has-text("Save the channel")')
    await page.waitForSelector('dialog', { state: 'detached' })
    expect(await page.evaluate(() => (window as unknown as { asked: unknown }).asked)).toBe(true)
    await page.click('button[aria-label="Test Push to this browser"]')
    await until('the push arrives', () => pushed.length > 0)
    expect(pushed[0]?.headers).toMatchObject({ 'content-encoding': 'aes128gcm', authorization: expect.stringMatching(/^vapid t=.+, ?k=/) })
    expect(pushed[0]?.bytes).toBeGreaterThan(100)
    expect((await api.get('/channels')).text).not.toContain('secret-of-this-browser')
  })

  test('the push secret of an integration is set, shown once with its whole address, and not shown again', { timeout: 60_000 }, async () => {
    await open('providers')
    await page.click('main a:has-text("Demo: Strava")')
    await page.click('[role=tab]:has-text("Pushes")')
    await page.click('button:has-text("Set the push secret")')
    await page.waitForSelector('dialog:has-text("It is shown this once") pre')
    const secret = (await page.locator('dialog pre').first().textContent()) ?? ''
    expect(secret.length).toBeGreaterThan(20)
    await page.click('dialog button:has-text("I have stored it")')
    await page.waitForSelector('button:has-text("Rotate the push secret")')
    expect(await page.content()).not.toContain(secret)
  })

  test('many grants that end at once are held, and their integration says so until somebody confirms', { timeout: 180_000 }, async () => {
    const control = new JsonClient(`${server.practiceUrl}/control`)
    await control.call('DELETE', '/faults')
    const wave = { provider: 'practice', slug: 'wave', name: 'Wave', client_id: 'practice', client_secret: 'practice-secret', scopes: ['openid'] }
    const integration = textAt(await api.post('/integrations', wave), 'id')
    for (let count = 0; count < ENDED_AT_ONCE; count += 1) {
      const issued = await control.post('/grants', { profile: 'p4', account: `wave-${count}`, access_seconds: 3_600 })
      const tokens = { access_token: textAt(issued, 'access_token'), refresh_token: textAt(issued, 'refresh_token') }
      const expires_at = new Date(Date.now() + 3_600_000).toISOString()
      const made = await api.post('/connections', { integration: 'wave', owner: `wave-${count}`, account: `wave-${count}`, expires_at, ...tokens })
      await control.post('/revoke', { grant: textAt(issued, 'grant') })
      await api.post(`/connections/${textAt(made, 'id')}/refresh`)
    }
    await open(`providers/${integration}`)
    await page.waitForSelector('text=Unusually many grants were refused at once')
    await page.click('button:has-text("They really ended")')
    const asked = new RegExp(`/api/v1/integrations/${integration}(/deaths/confirm)?$`)
    let held: unknown = null
    // It may be carried out before it is shown: the page goes on reading what the decision was answered with.
    await page.route(asked, async (route) => {
      const response = await route.fetch()
      const json = await response.json()
      if (route.request().method() === 'POST') held = json.deaths_held
      await route.fulfill({ response, json: held === null ? json : { ...json, deaths_held: held } })
    })
    await page.click('dialog button:has-text("End ")')
    await page.waitForSelector('text=The decision “confirm” is being carried out')
    await page.unrouteAll({ behavior: 'wait' })
    const ended = async () => (at((await api.get('/connections?integration=wave&status=needs_reauth')).body, 'items') as readonly unknown[]).length
    await until('every end is applied', async () => (await ended()) === ENDED_AT_ONCE, { timeoutMs: 100_000, pollMs: 500 })
    await open(`providers/${integration}`)
    await page.waitForSelector('h2:has-text("Connections")')
    expect(await page.locator('text=Unusually many grants').count()).toBe(0)
  })

  test('each number of what ends soon leads to the time that it names', { timeout: 60_000 }, async () => {
    for (const [text, range] of [
      ['24 hours', 'day'],
      ['7 days', 'week'],
      ['30 days', 'month'],
      ['90 days', 'quarter'],
    ] as const) {
      await open('')
      await page.locator(`main a:has-text("${text}")`).click()
      await page.waitForSelector(`fieldset:has-text("How far ahead") input[value=${range}]:checked`, { state: 'attached' })
    }
  })

  test('a machine that used a connection leads to its own page', { timeout: 60_000 }, async () => {
    await open(`connections/${world.connection}?tab=uses`)
    await page.locator(`main a:has-text("${world.installation}")`).first().click({ timeout: 30_000 })
    await page.waitForSelector('h2:has-text("Healing budget")')
  })

  test('a secret that is shown once outlives Esc and a press beside it', { timeout: 60_000 }, async () => {
    await open('keys')
    await page.click('button:has-text("New key")')
    await page.fill('dialog input[required]', 'kept')
    await page.click('dialog button:has-text("Make the key")')
    await page.waitForSelector('dialog:has-text("It is shown this once") pre')
    await page.keyboard.press('Escape')
    await page.keyboard.press('Escape')
    await page.mouse.click(5, 5)
    expect(await page.locator('dialog pre').first().isVisible()).toBe(true)
    await page.click('dialog button:has-text("I have stored it")')
    await page.waitForSelector('dialog', { state: 'detached' })
  })

  test('the next key begins with no more rights than the first, whatever the one before was given', { timeout: 60_000 }, async () => {
    await open('keys')
    await page.click('button:has-text("New key")')
    await page.check('dialog label:has-text("Everything of the organization")')
    await page.click('dialog button:has-text("Cancel")')
    await page.click('button:has-text("New key")')
    expect(await page.isChecked('dialog label:has-text("Everything of the organization")')).toBe(false)
    await page.click('dialog button:has-text("Cancel")')
  })

  test('the focus is where it was when a button has closed a dialog', { timeout: 60_000 }, async () => {
    await open('keys')
    const focused = () => page.evaluate(() => document.activeElement?.textContent)
    await page.locator('button:has-text("New key")').focus()
    await page.keyboard.press('Enter')
    await page.click('dialog button:has-text("Cancel")')
    await expect.poll(focused).toBe('New key')
    await page.keyboard.press('Enter')
    await page.click('dialog button[aria-label=Close]')
    await expect.poll(focused).toBe('New key')
  })

  test('whoever marks a text in a dialog and lets go outside of it loses nothing; a press outside closes it', { timeout: 60_000 }, async () => {
    await open('keys')
    await page.click('button:has-text("New key")')
    await page.fill('dialog input[required]', 'half of a name')
    const box = await page.locator('dialog input[required]').boundingBox()
    await page.mouse.move((box?.x ?? 0) + 30, (box?.y ?? 0) + 5)
    await page.mouse.down()
    await page.mouse.move(8, 400, { steps: 4 })
    await page.mouse.up()
    expect(await page.inputValue('dialog input[required]')).toBe('half of a name')
    await page.mouse.click(8, 400)
    await page.waitForSelector('dialog', { state: 'detached' })
  })

  test('what is told while a dialog is open stands over it', { timeout: 60_000 }, async () => {
    await open(`alerts/webhooks/${world.webhook}`)
    await page.locator('button[aria-label^="Look at the delivery"]').first().click()
    await page.locator('dialog button[aria-label^="Replay the delivery"]').click()
    await page.click('dialog [aria-live]:has-text("It is sent again") button[aria-label=Dismiss]')
    await page.keyboard.press('Escape')
  })

  test('whoever corrects the name of a webhook that was switched on meanwhile does not switch it off again', { timeout: 60_000 }, async () => {
    const hook = `/webhooks/${world.webhook}`
    await api.call('PATCH', hook, { body: { enabled: false } })
    await open(`alerts${hook}?tab=settings`)
    await page.click('button:has-text("Switch it on")')
    await page.waitForSelector('form input[role=switch]:checked')
    await page.fill('form input[maxlength="100"]', 'Application, corrected')
    await page.click('form button:has-text("Save")')
    const stored = async () => (await api.get(hook)).body
    await until('the name is stored', async () => at(await stored(), 'name') === 'Application, corrected')
    expect(at(await stored(), 'enabled')).toBe(true)
    await api.call('PATCH', hook, { body: { name: 'Application' } })
  })

  test('without a clipboard a link is copied out of its dialog all the same', { timeout: 60_000 }, async () => {
    const plain = await context.newPage()
    await watchPolicy(plain, (report) => policy.push(report))
    // As on plain http that is not this machine.
    await plain.addInitScript(() => {
      Object.defineProperty(navigator, 'clipboard', { value: undefined })
      addEventListener('copy', () => {
        ;(window as unknown as { copied: unknown }).copied = (document.activeElement as HTMLTextAreaElement | null)?.value
      })
    })
    await plain.goto(`${server.url}/console/connections/${world.broken}`)
    await plain.click('button:has-text("Reconnect link")')
    const link = (await plain.locator('dialog pre').textContent()) ?? ''
    // It says so for a moment only.
    await Promise.all([plain.waitForSelector('dialog button:has-text("Copied")'), plain.locator('dialog button:has-text("Copy")').last().click()])
    expect(await plain.evaluate(() => (window as unknown as { copied: unknown }).copied)).toBe(link)
    await plain.close()
  })

  test('what is open about one connection is not carried over to another', { timeout: 60_000 }, async () => {
    const jump = async (id: string): Promise<void> => {
      await page.keyboard.press('Control+k')
      await page.fill('dialog[aria-label=Search] input', id)
      await page.waitForSelector('[cmdk-item]:has-text("Open")')
      await page.keyboard.press('Enter')
      await page.waitForURL(new RegExp(id))
    }
    await open(`connections/${world.paused}`)
    await page.waitForSelector('h1 :text("Paused")')
    await jump(world.broken)
    await page.click('button:has-text("Reconnect link")')
    await page.waitForSelector('dialog pre:has-text("/connect/")')
    await jump(world.paused)
    await page.waitForSelector('h1 :text("Paused")')
    expect(await page.locator('dialog').count()).toBe(0)
  })

  test('an event that nobody knows is said to be none, and so is a search of which nobody knows what it would have found', { timeout: 60_000 }, async () => {
    await open('events?event=evt_01a1ffa6-af64-77d5-b860-760fd28ff795')
    await page.waitForSelector('dialog [role=alert]:has-text("There is no event")')
    await page.keyboard.press('Escape')
    await page.waitForSelector('dialog', { state: 'detached' })
    const asked = /\/api\/v1\/connections\?q=/
    await page.route(asked, (route) =>
      route.fulfill({ status: 403, contentType: 'application/problem+json', body: JSON.stringify({ code: 'role_missing', detail: 'No.' }) }),
    )
    await page.keyboard.press('Control+k')
    await page.fill('dialog input', 'nobody-is-called-that')
    await page.waitForSelector('dialog [role=alert]:has-text("could not be searched")')
    expect(await page.locator('dialog:has-text("Nothing is called that")').count()).toBe(0)
    await page.keyboard.press('Escape')
    await page.unroute(asked)
  })

  test('whoever is asked to confirm who they are finds what they typed as it was', { timeout: 60_000 }, async () => {
    const again = { code: 'reauthentication_required', title: 'Please confirm that it is you', detail: 'This needs a recent proof.' }
    await page.route(/\/api\/v1\/api-keys$/, (route) =>
      route.request().method() === 'POST'
        ? route.fulfill({ status: 403, contentType: 'application/problem+json', body: JSON.stringify(again) })
        : route.continue(),
    )
    await open('keys')
    await page.click('button:has-text("New key")')
    await page.fill('dialog input[required]', 'typed before')
    await page.click('dialog button:has-text("Make the key")')
    const [tab] = await Promise.all([context.waitForEvent('page'), page.click('dialog a:has-text("Confirm")')])
    await tab.fill('input[type=password]', PERSON.password)
    await tab.click('button:has-text("Confirm")')
    await tab.waitForSelector('text=Thank you. You can go on now.')
    await tab.close()
    expect(await page.inputValue('dialog input[required]')).toBe('typed before')
    await page.unroute(/\/api\/v1\/api-keys$/)
    await page.click('dialog button:has-text("Make the key")')
    await page.click('dialog button:has-text("I have stored it")')
    await page.waitForSelector('tr:has-text("typed before")')
  })

  test('a page that was opened paused shows what happened meanwhile as soon as somebody goes on', { timeout: 60_000 }, async () => {
    await new JsonClient(`${server.practiceUrl}/control`).call('DELETE', '/faults')
    await open(`connections/${world.paused}`)
    await page.waitForSelector('h1 :text("Paused")')
    const other = await context.newPage()
    await watchPolicy(other, (report) => policy.push(report))
    // Paused in this tab alone: the first one says when the change has been told to everybody.
    await other.addInitScript(() => {
      const { getItem } = Storage.prototype
      Storage.prototype.getItem = function (key) {
        return key === 'evergrant.console' ? '{"live":false}' : getItem.call(this, key)
      }
    })
    await other.goto(`${server.url}/console/connections/${world.paused}`)
    await other.waitForSelector('h1 :text("Paused")')
    await api.post(`/connections/${world.paused}/resume`)
    await page.waitForSelector('h1 :text("Active")')
    await other.click('header button[title*="Press to go on"]')
    await other.waitForSelector('h1 :text("Active")')
    await other.close()
    await api.post(`/connections/${world.paused}/pause`)
    await page.waitForSelector('h1 :text("Paused")')
  })

  test('a stream that something on the way never lets begin gives way to reading every 10 s', { timeout: 60_000 }, async () => {
    const other = await context.newPage()
    await other.clock.install()
    await other.route(/console\/stream/, () => {})
    await other.goto(`${server.url}/console/`)
    await other.waitForSelector('header button:has-text("Connecting")')
    await other.clock.runFor(60_000)
    await other.waitForSelector('header button:has-text("Every 10 s")')
    await other.close()
  })

  test('on a phone the chosen tab is in sight, every box to tick has one size, and the navigation opens and goes', { timeout: 60_000 }, async () => {
    await page.setViewportSize({ width: 390, height: 844 })
    await open('settings?tab=own')
    const inSight = () =>
      page.locator('[role=tab][aria-selected=true]').evaluate((tab) => {
        const { left, right } = tab.getBoundingClientRect()
        return left >= 0 && right <= innerWidth
      })
    await expect.poll(inSight).toBe(true)
    await open(`agents/${world.agent}?tab=policy`)
    await page.waitForSelector('main label:has-text("and never sees a token")')
    const widths = await page.locator('main input[type=checkbox]').evaluateAll((boxes) => boxes.map((box) => box.getBoundingClientRect().width))
    expect(new Set(widths).size).toBe(1)
    await page.click('button[aria-controls=navigation]')
    await page.click('#navigation a:has-text("Events")')
    await page.waitForURL(/console\/events/)
    await page.waitForSelector('#navigation', { state: 'hidden' })
    await page.setViewportSize({ width: 1_280, height: 900 })
  })

  test('a menu stands in the window, at whatever edge its button is', { timeout: 60_000 }, async () => {
    const edges = () =>
      page.locator('[role=menu]').evaluate((menu) => {
        const { left, right, bottom } = menu.getBoundingClientRect()
        const frame = menu.closest('table')?.parentElement?.getBoundingClientRect()
        return { left: left >= 0, right: right <= innerWidth, bottom: frame === undefined || bottom <= frame.bottom }
      })
    for (const [width, path, button] of [
      [390, 'connections', 'Views'],
      [390, 'events', 'Export'],
      [390, 'connections', 'Columns'],
      [768, 'settings', 'More'],
    ] as const) {
      await page.setViewportSize({ width, height: 844 })
      await open(path)
      await page.click(`main button:has-text("${button}")`)
      await expect.poll(edges, { message: button }).toEqual({ left: true, right: true, bottom: true })
      await page.keyboard.press('Escape')
    }
    await page.setViewportSize({ width: 1_280, height: 900 })
  })

  /** Presses Tab until what has the focus is called that. */
  async function tabTo(name: RegExp): Promise<void> {
    const passed: string[] = []
    for (let count = 0; count < 120; count += 1) {
      await page.keyboard.press('Tab')
      const focused = await page.evaluate(() => {
        const element = document.activeElement
        return element === null || element === document.body ? '' : (element.getAttribute('aria-label') ?? element.textContent ?? '').trim()
      })
      if (name.test(focused)) return
      passed.push(focused)
    }
    throw new Error(`Tab never came to ${name}; it came to ${[...new Set(passed)].join(' | ')}`)
  }

  const press = async (...keys: readonly string[]): Promise<void> => {
    for (const key of keys) await page.keyboard.press(key)
  }

  /** The second of two keys counts for a moment only: it follows the first without waiting for the answer. */
  const chord = async (second: string): Promise<void> => void (await Promise.all([page.keyboard.press('g'), page.keyboard.press(second)]))

  test('by keyboard alone: find what is broken by its id, copy its link, rotate a key, replay a delivery, cut a machine off', {
    timeout: 180_000,
  }, async () => {
    await page.bringToFront()
    await open('')
    await page.locator('main').focus()
    await press('Control+k')
    await page.waitForSelector('dialog input:focus')
    await page.keyboard.type(world.broken)
    await page.waitForSelector(`[cmdk-item]:has-text("${world.broken}")`)
    await press('Enter')
    await page.waitForSelector('text=Its owner must grant again')
    await tabTo(/^Reconnect link$/)
    await press('Enter')
    await page.waitForSelector('dialog pre:has-text("/connect/")')
    await tabTo(/copy/i)
    await press('Escape')
    await page.waitForSelector('dialog', { state: 'detached' })

    await chord('k')
    await page.waitForSelector('table[aria-label="API keys"]')
    await tabTo(/^Rotate Backend$/)
    await press('Enter')
    await page.waitForSelector('dialog h2:has-text("Rotate Backend")')
    await tabTo(/Make the successor/)
    await press('Enter')
    await page.waitForSelector('dialog:has-text("It is shown this once")')
    await tabTo(/I have stored it/)
    await press('Enter')
    await page.waitForSelector('tr:has-text("Backend") :text("Being replaced")')

    await chord('l')
    await page.waitForURL(/console\/alerts/)
    await page.waitForSelector('[role=tab]')
    await tabTo(/^Alerts$/)
    await press('ArrowRight', 'ArrowRight', 'ArrowRight')
    await press('Enter')
    await page.waitForSelector('table[aria-label=Webhooks]')
    await tabTo(/^Application$/)
    await press('Enter')
    await page.waitForSelector('table[aria-label=Deliveries]')
    await tabTo(/^Replay the delivery/)
    await press('Enter')
    await page.waitForSelector('text=It is sent again')

    await open(`agents/installations/${world.installation}`)
    await page.waitForSelector('button:has-text("Cut off")')
    await tabTo(/^Cut off$/)
    await press('Enter')
    await page.waitForSelector('dialog')
    const name = ((await page.locator('main h1').first().textContent()) ?? '').replace(/\s*Active\s*$/, '').trim()
    const label = page.locator('dialog label:has-text("to confirm")')
    await label.waitFor()
    for (let count = 0; count < 12; count += 1) {
      await press('Tab')
      const isIt = await page.evaluate(
        () => document.activeElement instanceof HTMLInputElement && /to confirm/.test(document.activeElement.labels?.[0]?.textContent ?? ''),
      )
      if (isIt) break
    }
    await page.keyboard.type(name)
    await press('Enter')
    await page.waitForSelector('h1 :text("Cut off")', { timeout: 20_000 })
  })

  test('a name of eighty letters without a blank stays in its heading, beside the buttons and on a phone', { timeout: 60_000 }, async () => {
    const name = 'Rindfleischetikettierungsueberwachungsaufgabenuebertragungsgesetzessammlungsband'
    const agent = textAt(await api.post('/agents', { name, owner: textAt(await api.get('/users'), 'items.0.id') }), 'id')
    const grant = { integration: 'notes', owner: `${name}-1`, account: name, access_token: 'demo', expires_at: '2099-01-01T00:00:00Z' }
    const connection = textAt(await api.post('/connections', grant), 'id')
    for (const path of [`agents/${agent}`, `connections/${connection}`, 'agents', 'connections'])
      for (const width of [1280, 390]) {
        await page.setViewportSize({ width, height: 900 })
        await open(path)
        await page.waitForSelector(`main :text("${name}")`)
        expect(await tooWide(page), `${path} at ${width}`).toEqual([])
        expect(await page.locator('main h1').evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth), `${path} at ${width}`).toBe(0)
      }
    await page.setViewportSize({ width: 1280, height: 900 })
  })

  test('where no link can be sent, no button makes one: the page says who reconnects, and how', { timeout: 60_000 }, async () => {
    const books = { provider: 'intuit', slug: 'books', name: 'Books', client_id: 'demo', client_secret: 'demo-secret-of-no-one', scopes: [] }
    await api.post('/integrations', books)
    const grant = { integration: 'books', owner: 'customer-jo', account: '7', access_token: 'demo', expires_at: '2020-01-01T00:00:00Z' }
    const made = await api.post('/connections', grant)
    const id = textAt(made, 'id')
    await api.post(`/connections/${id}/refresh`)
    await open(`connections/${id}`)
    await page.waitForSelector('main :text("Its owner reconnects it from your application")')
    await page.waitForSelector('main :text("Ask customer-jo to open your application")')
    expect(await page.locator('main button:has-text("Reconnect link")').count()).toBe(0)
    await open('')
    const cause = page.locator('main li:has-text("· books")')
    await cause.locator(':text("There is no link for these")').waitFor()
    expect(await cause.locator('button').count()).toBe(0)
  })

  test('nothing of it was against the content policy', () => {
    expect(policy).toEqual([])
  })
})
