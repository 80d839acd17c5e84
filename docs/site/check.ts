// npm run docs:check [-- --shots <folder>]: serves the built site below a path, as any file server would, and looks at it in Chromium.
// Every page of the sidebar must answer; those that are looked at must ask nobody else, log no error, fit their screen and draw their diagrams.
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser } from 'playwright-core'
import { launchBrowser } from '../../packages/lab/src/browser.ts'
import { linksOf, sidebarOf } from './sidebar.ts'
import { stagedPages } from './stage.ts'

const BASE = '/evergrant/'
const root = fileURLToPath(new URL('../..', import.meta.url))
const dist = fileURLToPath(new URL('.vitepress/dist', import.meta.url))
const shots = process.argv.includes('--shots') ? process.argv[process.argv.indexOf('--shots') + 1] : undefined
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
}
const LOOKED_AT = ['', 'guides/start.html', 'reference/http.html', 'concepts/flows.html', 'troubleshooting.html', 'providers/strava.html']

const complaints: string[] = []
const server = createServer((request, response) => {
  const path = decodeURIComponent((request.url ?? '/').split('?')[0] ?? '/')
  let file = path.startsWith(BASE) ? join(dist, path.slice(BASE.length)) : ''
  if (file !== '' && existsSync(file) && statSync(file).isDirectory()) file = join(file, 'index.html')
  if (file === '' || !existsSync(file)) return void response.writeHead(404).end()
  response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' }).end(readFileSync(file))
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

const links = linksOf(sidebarOf(stagedPages(root)))
for (const link of links) {
  const path = link.endsWith('/') ? link.slice(1) : `${link.slice(1)}.html`
  const { status } = await fetch(`${origin}${BASE}${path}`)
  if (status !== 200) complaints.push(`${link} answers ${status}`)
}

const browser = await launchBrowser()
let looks = 0
try {
  for (const [width, height] of [
    [1280, 800],
    [390, 844],
  ] as const)
    for (const dark of [false, true]) await look(browser, width, height, dark)
} finally {
  await browser.close()
  server.close()
}
for (const complaint of complaints) console.error(complaint)
console.log(JSON.stringify({ pages: links.length, looks, complaints: complaints.length }))
process.exitCode = complaints.length === 0 ? 0 : 1

async function look(by: Browser, width: number, height: number, dark: boolean): Promise<void> {
  const context = await by.newContext({ viewport: { width, height }, colorScheme: dark ? 'dark' : 'light' })
  const page = await context.newPage()
  const where = (): string => `${page.url().slice(origin.length)} at ${width} ${dark ? 'dark' : 'light'}`
  page.on('request', (request) => {
    if (!request.url().startsWith(origin) && !/^(data|blob):/.test(request.url())) complaints.push(`${where()}: asks ${request.url()}`)
  })
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`${where()}: ${message.text()}`)
  })
  page.on('pageerror', (error) => complaints.push(`${where()}: ${error.message}`))
  const shot = async (name: string): Promise<void> => {
    if (shots === undefined) return
    mkdirSync(shots, { recursive: true })
    await page.screenshot({ path: join(shots, `${name}-${width}-${dark ? 'dark' : 'light'}.png`) })
  }
  for (const path of LOOKED_AT) {
    await page.goto(`${origin}${BASE}${path}`, { waitUntil: 'networkidle' })
    looks += 1
    const sideways = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
    if (sideways > 0) complaints.push(`${where()}: ${sideways} pixels wider than the screen`)
    if (path.includes('flows')) {
      // Each is drawn by itself, one after the other; until then its text is there.
      const drawn = page.waitForFunction(() => document.querySelector('.diagram svg') !== null && document.querySelector('.diagram-text') === null, undefined, {
        timeout: 60_000,
      })
      await drawn.catch(() => complaints.push(`${where()}: a diagram was not drawn`))
    }
    await shot(path === '' ? 'home' : path.replaceAll('/', '-').replace('.html', ''))
  }
  await page.keyboard.press('Control+k')
  await page.locator('.VPLocalSearchBox input').fill('redirect uri')
  await page
    .locator('.VPLocalSearchBox .result')
    .first()
    .waitFor({ timeout: 15_000 })
    .catch(() => complaints.push(`${where()}: the search finds nothing`))
  await shot('search')
  await context.close()
}
