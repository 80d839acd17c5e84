import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { chromiumPath, launchBrowser } from '../../../lab/src/browser.ts'
import type { Evergrant } from './create.ts'
import { forget, times } from './testing/browser-lab.ts'
import { createStrictServer, type Jar, type StrictServer } from './testing/strict-server.ts'

declare global {
  var client: Evergrant
}

interface Site {
  readonly server: StrictServer
  readonly origin: string
  /** Cookies that set-cookie was sent for. */
  close(): Promise<void>
}

let bundle: string
let browser: Browser
const sites: Site[] = []
const there = chromiumPath() !== null

beforeAll(async () => {
  if (!there) return
  const entry = fileURLToPath(new URL('./index.ts', import.meta.url))
  const result = await build({ entryPoints: [entry], bundle: true, minify: true, format: 'esm', write: false, platform: 'browser', target: 'es2022' })
  bundle = result.outputFiles[0]!.text
  browser = await launchBrowser()
})
afterAll(async () => {
  await browser?.close()
  for (const site of sites) await site.close()
})

/** The strict server behind a socket, the page beside it, and a second origin at `/elsewhere`'s end that records what it is sent. */
async function openSite(): Promise<Site & { readonly leaked: (string | undefined)[] }> {
  const leaked: (string | undefined)[] = []
  const elsewhere = createServer((request, response) => {
    if (request.method !== 'OPTIONS') leaked.push(request.headers.authorization)
    response.writeHead(200, { 'access-control-allow-origin': '*', 'access-control-allow-headers': '*' }).end('elsewhere')
  })
  const http = createServer((request, response) => void answer(request, response))
  for (const each of [elsewhere, http]) await once(each.listen(0, '127.0.0.1'), 'listening')
  const portOf = (each: typeof http): number => (each.address() as AddressInfo).port
  const origin = `http://127.0.0.1:${portOf(http)}`
  const server = createStrictServer(Date.now, { base: origin, api: origin })

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '/'
    if (path === '/')
      return void response.writeHead(200, { 'content-type': 'text/html' }).end(`<script type="module">
      import { createEvergrant, cookieSession } from '/bundle.js'
      // What a tab gives the others before it goes on alone is ten times as much: a busy machine may need it to tell them.
      const after = (ms, task) => {
        const timer = setTimeout(task, 10 * ms)
        return () => clearTimeout(timer)
      }
      globalThis.client = createEvergrant({ baseUrl: '', session: cookieSession(), clock: { after } })</script>`)
    if (path === '/bundle.js') return void response.writeHead(200, { 'content-type': 'text/javascript' }).end(bundle)
    if (path === '/redirect') return void response.writeHead(302, { location: `http://127.0.0.1:${portOf(elsewhere)}/` }).end()
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const before = /evergrant_session=([^;]+)/.exec(request.headers.cookie ?? '')?.[1] ?? null
    const jar: Jar = { cookie: before }
    const method = request.method ?? 'GET'
    const body = method === 'GET' ? null : Buffer.concat(chunks)
    const inner = new Request(`${origin}${path}`, { method, headers: request.headers as Record<string, string>, body, credentials: 'include' })
    const outer = await server.fetchOf(jar)(inner)
    const cookie = jar.cookie === before ? {} : { 'set-cookie': `evergrant_session=${jar.cookie ?? ''}; HttpOnly; SameSite=Lax; Path=/` }
    response.writeHead(outer.status, { ...Object.fromEntries(outer.headers), ...cookie }).end(Buffer.from(await outer.arrayBuffer()))
  }
  const close = async (): Promise<void> => {
    for (const each of [elsewhere, http]) {
      each.closeAllConnections()
      each.close()
    }
  }
  const site = { server, origin, close, leaked }
  sites.push(site)
  return site
}

async function openTabs(site: Site, context: BrowserContext, count: number): Promise<Page[]> {
  const pages: Page[] = []
  for (let tab = 0; tab < count; tab += 1) {
    const page = await context.newPage()
    await page.goto(site.origin)
    await page.waitForFunction(() => 'client' in globalThis)
    pages.push(page)
  }
  return pages
}

async function signedInTabs(site: Site, context: BrowserContext, count: number): Promise<Page[]> {
  const pages = await openTabs(site, context, count)
  await pages[0]!.evaluate(() => client.signIn({ email: 'usr_ana@example.com', password: 'right' }))
  for (const page of pages) await page.evaluate(() => client.refresh())
  site.server.expireTokens()
  forget(site.server)
  return pages
}

const fiveRequests = (page: Page): Promise<number[]> =>
  page.evaluate(() => Promise.all([1, 2, 3, 4, 5].map((call) => client.fetch(`/${call}`).then(({ status }) => status))))

test.skipIf(!there)('C50: five real tabs with five requests each cost one refresh', async () => {
  const site = await openSite()
  const pages = await signedInTabs(site, await browser.newContext(), 5)
  expect((await Promise.all(pages.map(fiveRequests))).flat()).toEqual(times(25, () => 200))
  expect(site.server.counts).toMatchObject({ refreshes: 1, reuses: 0 })
})

test.skipIf(!there)('C50: five real tabs without locks, channel and storage are all answered', async () => {
  const site = await openSite()
  const context = await browser.newContext()
  await context.addInitScript(() => {
    for (const name of ['BroadcastChannel', 'localStorage']) Object.defineProperty(globalThis, name, { value: undefined })
    Object.defineProperty(navigator, 'locks', { value: undefined })
  })
  const pages = await signedInTabs(site, context, 5)
  expect((await Promise.all(pages.map(fiveRequests))).flat()).toEqual(times(25, () => 200))
  expect(site.server.counts.refreshes).toBeLessThanOrEqual(5)
  expect(site.server.counts.reuses).toBe(0)
})

test.skipIf(!there)('C51: a real tab that is closed during its refresh signs nobody out', async () => {
  const site = await openSite()
  const [one, other] = await signedInTabs(site, await browser.newContext(), 2)
  let arrived = (): void => {}
  const asked = new Promise<void>((resolve) => {
    arrived = resolve
  })
  site.server.onRefresh(async (commit) => {
    const late = commit()
    arrived()
    await new Promise((resolve) => setTimeout(resolve, 200))
    return late
  })
  one!.evaluate(() => client.fetch('/a')).catch(() => {})
  await asked
  await one!.close()
  expect(await fiveRequests(other!)).toEqual(times(5, () => 200))
  expect(site.server.counts.reuses).toBe(0)
})

test.skipIf(!there)('C54: a real tab learns at once that another one signed out', async () => {
  const site = await openSite()
  const [one, other] = await signedInTabs(site, await browser.newContext(), 2)
  await one!.evaluate(() => client.signOut())
  await other!.waitForFunction(() => client.getState().status === 'signed_out')
  // By the other one, and not by the server.
  expect(site.server.counts).toMatchObject({ refreshes: 0, refused: 0 })
})

test.skipIf(!there)('C60 and C61: Chromium sends replayed bodies byte by byte, over HTTP/1.1 as well', async () => {
  const site = await openSite()
  const [page] = await signedInTabs(site, await browser.newContext(), 1)
  const send = (kind: string): Promise<string> =>
    page!.evaluate(async (which) => {
      const form = new FormData()
      form.set('file', new Blob(['bytes']), 'a.txt')
      const init = (body: BodyInit): RequestInit => ({ method: 'POST', body })
      const calls: Record<string, () => Promise<Response>> = {
        json: () => client.fetch('/a', init('{"a":1}')),
        form: () => client.fetch('/a', init(form)),
        blob: () => client.fetch('/a', init(new Blob(['blob']))),
        request: () => client.fetch(new Request('/a', init('whole'))),
      }
      return (await calls[which]!()).text()
    }, kind)
  for (const kind of ['json', 'form', 'blob', 'request']) {
    site.server.expireTokens()
    site.server.sent.length = 0
    const echoed = await send(kind)
    const bodies = site.server.sent.filter(({ url }) => url.endsWith('/a')).map(({ body }) => body)
    expect(bodies).toHaveLength(2)
    expect(new Set([...bodies, echoed]).size).toBe(1)
  }
})

test.skipIf(!there)('C66: a redirect to another origin does not take the token along', async () => {
  const site = await openSite()
  const [page] = await signedInTabs(site, await browser.newContext(), 1)
  expect(await page!.evaluate(() => client.fetch('/redirect').then((response) => response.text()))).toBe('elsewhere')
  expect(site.leaked).toEqual([undefined])
})
