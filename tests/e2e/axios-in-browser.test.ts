// axios on XMLHttpRequest, in Chromium: what the adapters of Node show beside the code holds for the one of browsers.
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { chromiumPath, launchBrowser } from '../../packages/lab/src/browser.ts'
import { openSessionLab, type SessionLab } from '../session-lab.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const PAGE = `
import axios from 'axios'
import { attachEvergrant } from './packages/sdk/src/axios/index.ts'
import { bearerSession, createEvergrant } from './packages/sdk/src/browser/index.ts'
const client = createEvergrant({ baseUrl: location.origin, session: bearerSession({ refreshToken: 'refresh-1' }), coordination: 'none' })
const api = axios.create({ adapter: 'xhr' })
attachEvergrant(api, client)
Object.assign(window, { axios, client, api, ready: client.refresh() })
`
/** What the page offers to the test. */
interface Offered {
  readonly ready: Promise<unknown>
  readonly axios: { isCancel(error: unknown): boolean }
  readonly api: { get(url: string, config?: object): Promise<{ status: number }>; post(url: string, body: unknown): Promise<{ data: { body: string } }> }
}

let browser: Browser
let script: string
let lab: SessionLab
let page: Page

beforeAll(async () => {
  if (chromiumPath() === null) return
  const stdin = { contents: PAGE, resolveDir: root, loader: 'ts' as const }
  const { outputFiles } = await build({ stdin, bundle: true, write: false, format: 'esm', target: 'es2022', platform: 'browser' })
  script = outputFiles[0]?.text ?? ''
  browser = await launchBrowser()
})
afterAll(() => browser?.close())

beforeEach(async () => {
  if (chromiumPath() === null) return
  lab = await openSessionLab()
  page = await browser.newPage()
  await page.route('**/page', (route) =>
    route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>page</title><script type="module" src="/page.js"></script>' }),
  )
  await page.route('**/page.js', (route) => route.fulfill({ contentType: 'text/javascript', body: script }))
  await page.goto(`${lab.url}/page`)
  await page.evaluate(() => (globalThis as never as Offered).ready)
})
afterEach(async () => {
  await page?.close()
  await lab?.close()
})

describe.skipIf(chromiumPath() === null)('over XMLHttpRequest', () => {
  test('five requests that are refused together are answered together, after one refresh', async () => {
    const before = lab.refreshes()
    lab.expire()
    const statuses = await page.evaluate(() => {
      const { api } = globalThis as never as Offered
      return Promise.all([1, 2, 3, 4, 5].map(async () => (await api.get('/things')).status))
    })
    expect(statuses).toEqual([200, 200, 200, 200, 200])
    expect([lab.refreshes() - before, lab.reuses()]).toEqual([1, 0])
  })

  test('a form with a file is whole the second time', async () => {
    lab.expire()
    const body = await page.evaluate(async () => {
      const form = new FormData()
      form.set('file', new Blob(['contents']), 'a.txt')
      return (await (globalThis as never as Offered).api.post('/things', form)).data.body
    })
    expect(body).toContain('contents')
    expect(lab.seen.map(({ status }) => status)).toEqual([401, 200])
  })

  test('a request that waits is cancelled at once, and one that waits too long is too late', async () => {
    const open = lab.holdRefresh()
    lab.expire()
    const [cancelled, late] = await page.evaluate(async () => {
      const { api, axios } = globalThis as never as Offered
      const caller = new AbortController()
      const config = { signal: caller.signal, evergrant: { onQueued: () => caller.abort() } }
      const first = api.get('/things', { timeout: 300 }).catch((error) => error.code)
      const second = api.get('/things', config).catch((error) => axios.isCancel(error))
      setTimeout(() => caller.abort(), 100)
      return [await second, await first]
    })
    open()
    expect([cancelled, late]).toEqual([true, 'ECONNABORTED'])
  })
})
