import { mkdirSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import Fastify from 'fastify'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { violationsOf } from '../../packages/console/dev/judge.ts'
import { accentSheet } from '../../packages/evergrant/src/http/connect/accent-sheet.ts'
import { towardsProvider } from '../../packages/evergrant/src/http/connect/hosted-answers.ts'
import { sendPage } from '../../packages/evergrant/src/http/connect/page-frame.ts'
import { STYLESHEET } from '../../packages/evergrant/src/http/connect/stylesheet.ts'
import { en } from '../../packages/evergrant/src/http/connect/words/en.ts'
import { wordsOf } from '../../packages/evergrant/src/http/connect/words/languages.ts'
import { chromiumPath, consentAtPractice, launchBrowser } from '../../packages/lab/src/browser.ts'
import { textAt } from '../../packages/lab/src/http.ts'
import { Workbench } from '../../packages/lab/src/workbench.ts'
import { BRANDED, gallery, PLAIN } from './connect-gallery.ts'

/** A folder: every page that is judged is also kept as a picture. */
const PICTURES = process.env['EVERGRANT_PICTURES']
/** Each theme is judged at one width and each width in one theme. A brand brings colours, so those are judged with it in both themes. */
const LOOKS = [
  { scheme: 'light', width: 390, lang: 'de', brand: PLAIN },
  { scheme: 'dark', width: 1_280, lang: 'en', brand: PLAIN },
  { scheme: 'dark', width: 390, lang: 'de', brand: BRANDED },
  { scheme: 'light', width: 1_280, lang: 'ja', brand: BRANDED },
  // The widest has nothing that the one before it has not: it is only for pictures.
  ...((process.env['EVERGRANT_PICTURE_WIDTHS'] ?? '').includes('1920')
    ? ([
        { scheme: 'light', width: 1_920, lang: 'en', brand: BRANDED },
        { scheme: 'dark', width: 1_920, lang: 'fr', brand: PLAIN },
      ] as const)
    : []),
] as const

const names = [...gallery({ words: en, brand: PLAIN, here: '/' }).keys()]

/** The pages themselves, with the headers that they are sent with. */
function served() {
  const app = Fastify()
  app.get('/connect/style.css', (_request, reply) => reply.type('text/css').send(STYLESHEET))
  app.get('/connect/ended.js', (_request, reply) => reply.type('text/javascript').send(''))
  app.get<{ Params: { file: string } }>('/connect/accent/:file', (request, reply) =>
    reply.type('text/css').send(accentSheet(`#${request.params.file.slice(0, 6)}`)),
  )
  app.get<{ Params: { lang: string; brand: string; name: string } }>('/:lang/:brand/:name', (request, reply) => {
    const { lang, brand, name } = request.params
    const page = gallery({ words: wordsOf(lang) ?? en, brand: brand === 'branded' ? BRANDED : PLAIN, here: '/connect/x' }).get(name)
    if (page === undefined) throw new Error(`there is no page ${name}`)
    return sendPage(reply, page, towardsProvider('http://localhost'))
  })
  return app
}

describe.skipIf(chromiumPath() === null)('every page and every failure', () => {
  const app = served()
  let browser: Browser
  let url = ''
  beforeAll(async () => {
    url = await app.listen({ port: 0, host: '127.0.0.1' })
    browser = await launchBrowser()
    if (PICTURES !== undefined) mkdirSync(PICTURES, { recursive: true })
  }, 60_000)
  afterAll(async () => {
    await browser?.close()
    await app.close()
  })

  test.each(LOOKS)('is accessible, fits and keeps its policy: $scheme, $width pixels, $lang', { timeout: 600_000 }, async ({ scheme, width, lang, brand }) => {
    const context = await browser.newContext({ colorScheme: scheme, viewport: { width, height: 900 } })
    const page = await context.newPage()
    const reported: string[] = []
    page.on('console', (message) => void (/Content Security Policy/i.test(message.text()) && reported.push(message.text())))
    for (const name of names) {
      const kind = brand === BRANDED ? 'branded' : 'plain'
      await page.goto(`${url}/${lang}/${kind}/${name}`)
      expect(await violationsOf(page, brand === PLAIN ? 'everything' : 'colours'), name).toEqual([])
      expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), name).toBe(0)
      if (PICTURES !== undefined) await page.screenshot({ path: join(PICTURES, `${name}-${lang}-${scheme}-${width}-${kind}.png`), fullPage: true })
    }
    expect(reported).toEqual([])
    await context.close()
  })
})

/** The server as it is shipped, and a person whose browser runs no script. */
describe.skipIf(chromiumPath() === null)('without a script', () => {
  let bench: Workbench
  let browser: Browser
  const application = createServer((_request, response) => response.end('the application'))
  let returnUrl = ''
  beforeAll(async () => {
    bench = await Workbench.start({ timeScale: 1, profiles: { p0: 'P0', p4: 'P4' } })
    browser = await launchBrowser()
    await new Promise<void>((resolve) => application.listen(0, '127.0.0.1', resolve))
    const address = application.address()
    returnUrl = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/connected`
    for (const slug of ['p0', 'p4']) {
      const changed = await bench.api.call('PATCH', `/integrations/${slug}`, { body: { settings: { return_urls: [returnUrl] } } })
      expect(changed.status, changed.text).toBe(200)
    }
  }, 60_000)
  afterAll(async () => {
    await browser?.close()
    await bench?.dispose()
    application.close()
  })

  test('somebody chooses a provider, turns it down, chooses another, allows it and is back at the application: all in German', {
    timeout: 120_000,
  }, async () => {
    const made = await bench.api.post('/connect/sessions', { owner: 'ada', return_url: returnUrl })
    expect(made.status, made.text).toBe(201)
    const context = await browser.newContext({ javaScriptEnabled: false, locale: 'de-DE', viewport: { width: 390, height: 800 } })
    const page = await context.newPage()
    await page.goto(textAt(made, 'url'))
    expect(await page.textContent('h1')).toContain('Was möchten Sie mit')
    await page.click('ul.choices a:has-text("p0")')
    await page.click('button:has-text("Weiter zu")')
    await consentAtPractice(page, 'ada', 'deny')
    expect(await page.textContent('h1')).toBe('Der Zugriff wurde nicht erlaubt')
    await page.click('a:has-text("Etwas anderes wählen")')
    await page.click('ul.choices a:has-text("p4")')
    await page.click('button:has-text("Weiter zu")')
    await consentAtPractice(page, 'ada')
    const back = new URL(page.url())
    expect(`${back.origin}${back.pathname}`).toBe(returnUrl)
    const proof = { session: back.searchParams.get('session'), code: back.searchParams.get('code'), owner: 'ada' }
    const done = await bench.api.post('/connect/complete', proof)
    expect(done.status, done.text).toBe(200)
    const status = await bench.api.get(`/connect/sessions/${proof.session}/status`)
    expect(status.body).toMatchObject({ state: 'completed', connection_id: textAt(done, 'connection_id') })
    await context.close()
  })

  test('with one, the page that ends a reconnect tells our other tabs and closes a window that was opened for it', { timeout: 120_000 }, async () => {
    const held = await bench.hold('p4')
    const made = await bench.api.post(`/connections/${held.connection}/reconnect`, {})
    const context = await browser.newContext()
    const opener = await context.newPage()
    await opener.goto(`${new URL(textAt(made, 'url')).origin}/connect/nothing`)
    await opener.evaluate(() => {
      const heard = globalThis as never as { heard: Promise<unknown> }
      heard.heard = new Promise((resolve) => {
        new BroadcastChannel('evergrant-connect').onmessage = ({ data }) => resolve(data)
      })
    })
    const opened = context.waitForEvent('page')
    await opener.evaluate((url) => void globalThis.open(url, 'reconnect', 'popup'), textAt(made, 'url'))
    const popup = await opened
    await popup.click('button:has-text("Continue to")')
    const closed = popup.waitForEvent('close')
    await consentAtPractice(popup, held.account)
    expect(await opener.evaluate(() => (globalThis as never as { heard: Promise<unknown> }).heard)).toEqual({ sessionId: textAt(made, 'id') })
    await closed
    await context.close()
  })
})
