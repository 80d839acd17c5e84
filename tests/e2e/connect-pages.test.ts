import { mkdirSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import Fastify from 'fastify'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { violationsOf, wear } from '../../packages/console/dev/judge.ts'
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
/**
 * Each is looked at in both themes and at both widths, and judged in full at one of them. A theme and a width change colours and places alone, so no page
 * is loaded anew for them.
 */
const LOOKS = [
  { kind: 'plain', lang: 'de', width: 390 },
  { kind: 'branded', lang: 'ja', width: 1_280 },
] as const
/** The widest has nothing that the one before it has not: it is only for pictures. */
const WIDTHS = [390, 1_280, ...((process.env['EVERGRANT_PICTURE_WIDTHS'] ?? '').includes('1920') ? [1_920] : [])]

const names = [...gallery({ words: en, brand: PLAIN, here: '/' }).keys()]

let browser: Browser
beforeAll(async () => {
  if (chromiumPath() !== null) browser = await launchBrowser()
}, 60_000)
afterAll(() => browser?.close())

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
  let url = ''
  beforeAll(async () => {
    url = await app.listen({ port: 0, host: '127.0.0.1' })
    if (PICTURES !== undefined) mkdirSync(PICTURES, { recursive: true })
  }, 60_000)
  afterAll(() => app.close())

  test.each(LOOKS)('is accessible in both themes, fits and keeps its policy: $kind, $lang', { timeout: 600_000 }, async ({ kind, lang, width: judged }) => {
    const context = await browser.newContext()
    const page = await context.newPage()
    const reported: string[] = []
    page.on('console', (message) => void (/Content Security Policy/i.test(message.text()) && reported.push(message.text())))
    for (const name of names) {
      await page.goto(`${url}/${lang}/${kind}/${name}`)
      for (const width of [...WIDTHS.filter((each) => each !== judged), judged]) {
        await page.setViewportSize({ width, height: 900 })
        expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), `${name} at ${width}`).toBe(0)
      }
      for (const theme of ['light', 'dark'] as const) {
        await wear(page, theme)
        expect(await violationsOf(page, theme === 'light' ? 'everything' : 'colours'), `${name} in ${theme}`).toEqual([])
        if (PICTURES !== undefined) await keep(page, judged, (width) => join(PICTURES, `${name}-${lang}-${theme}-${width}-${kind}.png`))
      }
    }
    expect(reported).toEqual([])
    await context.close()
  })
})

async function keep(page: Page, judged: number, path: (width: number) => string): Promise<void> {
  for (const width of [...WIDTHS.filter((each) => each !== judged), judged]) {
    await page.setViewportSize({ width, height: 900 })
    await page.screenshot({ path: path(width), fullPage: true })
  }
}

/** The server as it is shipped, and a person whose browser runs no script. */
describe.skipIf(chromiumPath() === null)('without a script', () => {
  let bench: Workbench
  const application = createServer((_request, response) => response.end('the application'))
  let returnUrl = ''
  beforeAll(async () => {
    bench = await Workbench.start({ timeScale: 1, profiles: { p0: 'P0', p4: 'P4' } })
    await new Promise<void>((resolve) => application.listen(0, '127.0.0.1', resolve))
    const address = application.address()
    returnUrl = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/connected`
    for (const slug of ['p0', 'p4']) {
      const changed = await bench.api.call('PATCH', `/integrations/${slug}`, { body: { settings: { return_urls: [returnUrl] } } })
      expect(changed.status, changed.text).toBe(200)
    }
  }, 60_000)
  afterAll(async () => {
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
