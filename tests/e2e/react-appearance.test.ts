// The components in a real browser: accessible in both themes and at both widths, under a strict policy, without a style of their own.
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chromiumPath, launchBrowser } from '../../packages/lab/src/browser.ts'

const source = (path: string): string => fileURLToPath(new URL(`../../packages/sdk/src/react/${path}`, import.meta.url))
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js')
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'"
const PAGE_CSS =
  ':root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}body{margin:0;padding:1rem;background:light-dark(#f6f8f9,#12161a);color:light-dark(#1c2127,#e9edf1)}'

let url: string
let browser: Browser
let close: () => void

beforeAll(async () => {
  if (chromiumPath() === null) return
  const { outputFiles } = await build({
    entryPoints: [source('testing/gallery.tsx')],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"production"' },
  })
  const files: Record<string, readonly [type: string, text: string]> = {
    '/page.js': ['text/javascript', outputFiles[0]?.text ?? ''],
    '/styles.css': ['text/css', PAGE_CSS + (await readFile(source('styles.css'), 'utf8'))],
    '/axe.js': ['text/javascript', await readFile(AXE, 'utf8')],
  }
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://page')
    const [language, direction] = [searchParams.get('lang') ?? 'en', searchParams.get('dir') ?? 'ltr']
    const html = `<!doctype html><html lang="${language}" dir="${direction}"><meta charset="utf-8"><title>Acme</title><meta name="viewport" content="width=device-width"><link rel="stylesheet" href="/styles.css"><div id="root"></div><script type="module" src="/page.js"></script></html>`
    const [type, text] = files[pathname] ?? ['text/html', html]
    response.writeHead(200, { 'content-type': `${type}; charset=utf-8`, 'content-security-policy': CSP }).end(text)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  url = typeof address === 'object' ? `http://127.0.0.1:${address?.port}` : ''
  close = () => server.close()
  browser = await launchBrowser()
})
afterAll(async () => {
  await browser?.close()
  close?.()
})

async function open(options: Parameters<Browser['newPage']>[0], query = ''): Promise<{ readonly page: Page; readonly troubles: string[] }> {
  const page = await browser.newPage(options)
  const troubles: string[] = []
  page.on('console', (message) => message.type() === 'error' && troubles.push(message.text()))
  page.on('pageerror', (error) => troubles.push(error.message))
  await page.goto(`${url}/${query}`)
  await page.getByText('Google').first().waitFor()
  return { page, troubles }
}

interface Violation {
  readonly id: string
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[]
}

async function violations(page: Page): Promise<string[]> {
  await page.addScriptTag({ url: '/axe.js' })
  const found: readonly Violation[] = await page.evaluate(async (values) => {
    const { axe } = globalThis as never as { axe: { run(context: Document, options: object): Promise<{ violations: Violation[] }> } }
    return (await axe.run(document, { runOnly: { type: 'tag', values } })).violations
  }, RULES)
  return found.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`))
}

/** A theme changes colours and a width the layout: each theme is judged at one width and each width in one theme. */
const looks = [
  { width: 1280, colorScheme: 'light' },
  { width: 390, colorScheme: 'dark' },
] as const

describe.skipIf(chromiumPath() === null)('every message, badge and button', () => {
  test.each(looks)('is accessible at $width px, $colorScheme', async ({ width, colorScheme }) => {
    const { page, troubles } = await open({ viewport: { width, height: 900 }, colorScheme })
    expect(await violations(page)).toEqual([])
    expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0)
    expect(troubles).toEqual([])
    await page.close()
  })

  test.each(['?lang=de', '?lang=ja', '?dir=rtl'])('is accessible as %s', async (query) => {
    const { page } = await open({ viewport: { width: 390, height: 900 } }, query)
    expect(await violations(page)).toEqual([])
    expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0)
    await page.close()
  })

  test('is judged by something that sees a text too pale', async () => {
    const { page } = await open({ viewport: { width: 390, height: 900 } })
    await page.evaluate(() => document.documentElement.style.setProperty('--evergrant-muted', '#c8c8c8'))
    expect((await violations(page)).map((text) => text.split(':')[0])).toContain('color-contrast')
    await page.close()
  })

  test('is reached by keyboard, with a focus that is seen, and moves less for those who ask', async () => {
    const { page } = await open({ viewport: { width: 1280, height: 900 }, reducedMotion: 'reduce' })
    await page.keyboard.press('Tab')
    const focused = await page.evaluate(() => {
      const { outlineStyle, outlineWidth, transitionDuration } = getComputedStyle(document.activeElement ?? document.body)
      return { tag: document.activeElement?.tagName, outlineStyle, outlineWidth, transitionDuration }
    })
    expect(focused).toEqual({ tag: 'BUTTON', outlineStyle: 'solid', outlineWidth: '2px', transitionDuration: '0s' })
    await page.close()
  })

  test('keeps its borders and icons in forced colours', async () => {
    const { page } = await open({ viewport: { width: 390, height: 900 }, forcedColors: 'active' })
    const widths = await page.evaluate(() =>
      [...document.querySelectorAll('.evergrant-primary, .evergrant-secondary')].map((button) => getComputedStyle(button).borderTopWidth),
    )
    expect(new Set(widths)).toEqual(new Set(['1px']))
    await page.close()
  })
})
