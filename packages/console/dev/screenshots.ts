// Pictures of every page at three widths in both themes, in every state, and what axe and the content policy say of each, into data/screenshots (or `--into`),
// with an index.html over all of them. Starts servers of its own. Exits with 1 when something complains.
import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Page, Route } from 'playwright-core'
import { launchBrowser } from '../../lab/src/browser.ts'
import { becomeOwner, startDemoServer } from './demo-server.ts'
import { fillWorld } from './demo-world.ts'
import { type Theme, tooWide, violationsOf, watchPolicy, wear } from './judge.ts'
import { madeUpFigures } from './made-up-figures.ts'
import { indexOf } from './picture-index.ts'
import { details, dialogs, ROUTES, type Screen } from './screens.ts'

const { values } = parseArgs({
  options: {
    into: { type: 'string', default: 'data/screenshots' },
    only: { type: 'string', default: '' },
    widths: { type: 'string', default: '390,1280,1920' },
    themes: { type: 'string', default: 'light,dark' },
    states: { type: 'string', default: 'empty,full,dialog,error,loading' },
    hosted: { type: 'boolean', default: true },
    axe: { type: 'boolean', default: true },
    pages: { type: 'string', default: '3' },
    help: { type: 'boolean', default: false },
  },
  allowNegative: true,
})
if (values.help) {
  console.log(`npm run screenshots -- [options]

  --into DIR        where the pictures and index.html go (data/screenshots)
  --only TEXT       only screens whose name and state hold the text: connections, keys, "overview full"
  --states LIST     of empty, full, dialog, error, loading; none: only the hosted pages
  --widths LIST     390,1280,1920
  --themes LIST     light,dark
  --pages N         browser pages that work at the same time (3)
  --no-axe          no accessibility judgement
  --no-hosted       without the connect, sign-in and account pages

Ends with 1 when axe, the content policy, a script error or a page wider than its window complained.`)
  process.exit(0)
}
const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const into = resolve(values.into)
const widths = values.widths.split(',').map(Number)
const themes = values.themes.split(',') as readonly Theme[]
const states = values.states.split(',')
const complaints: string[] = []
/** Said at once: a whole run takes a while. */
const complain = (text: string): void => {
  complaints.push(text)
  console.error(text)
}
let taken = 0
const NARROW = 600
const API = /\/api\/v1\/(?!auth\/|users\/profile|organizations|console\/stream)/
const AWAY = {
  type: 'about:blank',
  title: 'The database is away',
  status: 503,
  detail: 'The database does not answer. Nothing was lost.',
  code: 'store_unavailable',
  action: 'wait',
  request_id: '565b3515c393-5',
}

/** One state of one page, in every width and theme. */
async function shoot(page: Page, url: string, screen: Screen, state: string): Promise<void> {
  const name = `console-${screen.name}-${state}`
  try {
    for (const width of screen.press === undefined ? [widths[0] ?? 1280] : widths) {
      await page.setViewportSize(sizeOf(width))
      await wear(page, themes[0] ?? 'light')
      await page.goto(`${url}/console/${screen.path}`)
      await page.waitForSelector('main h1:not(.unseen)')
      if (state !== 'loading') await page.waitForSelector('main [role=status]:has-text("Loading")', { state: 'detached', timeout: 20_000 })
      await screen.press?.(page)
      // What opens over a page does not outlive a change of the window everywhere: it is opened at each width.
      for (const at of screen.press === undefined ? widths : [width]) await shootAt(page, name, at)
    }
  } catch (error) {
    complain(`${name}: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`)
  }
}

async function shootAt(page: Page, name: string, width: number): Promise<void> {
  await page.setViewportSize(sizeOf(width))
  const wide = await tooWide(page)
  if (wide.length > 0) complain(`${name} at ${width}: scrolls sideways: ${wide.join(', ')}`)
  for (const theme of themes) {
    await wear(page, theme)
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))))
    await page.screenshot({ path: join(into, `${name}-${width}-${theme}.png`), animations: 'disabled', fullPage: !name.endsWith('-dialog') })
    taken += 1
    if (!values.axe || width === 1_920) continue
    for (const text of await violationsOf(page, theme === themes[0] ? 'everything' : 'colours')) complain(`axe, ${name}, ${width}, ${theme}: ${text}`)
  }
}

function sizeOf(width: number): { width: number; height: number } {
  return { width, height: width < NARROW ? 844 : width < 1_600 ? 800 : 1_080 }
}

async function takeConsole(): Promise<void> {
  const server = await startDemoServer({ EVERGRANT_DANGEROUS_PRIVATE_HOSTS: '127.0.0.1,localhost' })
  const browser = await launchBrowser()
  try {
    const context = await browser.newContext({ locale: 'en-GB', timezoneId: 'Europe/Berlin' })
    context.setDefaultTimeout(10_000)
    const pages: Page[] = []
    for (let count = 0; count < Math.max(1, Number(values.pages)); count += 1) {
      const page = await context.newPage()
      await watchPolicy(page, (report) => complain(`content policy: ${report}`))
      page.on('pageerror', (error) => complain(`error on ${page.url()}: ${error.message}`))
      pages.push(page)
    }
    const [first] = pages
    if (first !== undefined) await becomeOwner(first, server)
    const all = async (screens: readonly Screen[], state: string): Promise<void> => {
      if (!states.includes(state)) return
      const left = screens.filter(({ name }) => `${name} ${state}`.includes(values.only))
      const work = async (page: Page): Promise<void> => {
        for (let screen = left.shift(); screen !== undefined; screen = left.shift()) await shoot(page, server.url, screen, state)
      }
      await Promise.all(pages.map(work))
      console.error(`${state}: done after ${Math.round(performance.now() / 1_000)} s, ${taken} pictures so far`)
    }
    const routeAll = (pattern: RegExp, handler: (route: Route) => unknown) => Promise.all(pages.map((page) => page.route(pattern, handler)))
    await all(ROUTES, 'empty')
    const world = await fillWorld(server)
    await routeAll(/\/api\/v1\/metrics\/history/, (route) => route.fulfill({ json: madeUpFigures(new URL(route.request().url()).searchParams, Date.now()) }))
    await all([...ROUTES, ...details(world)], 'full')
    await all(dialogs(world), 'dialog')
    const failing = [...ROUTES, ...details(world).filter(({ path }) => !path.includes('?'))]
    await routeAll(API, (route) => route.fulfill({ status: 503, contentType: 'application/problem+json', body: JSON.stringify(AWAY) }))
    await all(failing, 'error')
    await Promise.all(pages.map((page) => page.unroute(API)))
    await routeAll(API, () => {})
    await all(failing, 'loading')
    world.close()
  } finally {
    await browser.close()
    await server.stop()
  }
}

/** The pages for people are judged by their own tests, which also take the pictures. */
async function takeHosted(): Promise<void> {
  const files = ['tests/e2e/connect-pages.test.ts', 'tests/e2e/people-pages.test.ts']
  const main = join(ROOT, 'node_modules/vitest/vitest.mjs')
  const child = spawn(process.execPath, [main, 'run', '--reporter=dot', ...files], {
    cwd: ROOT,
    env: { ...process.env, EVERGRANT_PICTURES: into, EVERGRANT_PICTURE_WIDTHS: values.widths },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const code = await new Promise((done) => child.on('exit', done))
  if (code !== 0) complain(`${files.join(' and ')} ended with ${String(code)}: run them by themselves to see why`)
}

mkdirSync(into, { recursive: true })
if (states.some((state) => state !== 'none')) await takeConsole()
if (values.hosted) await takeHosted()
const pictures = readdirSync(into).filter((file) => file.endsWith('.png'))
writeFileSync(join(into, 'index.html'), indexOf(pictures))
console.log(`${into}/index.html: ${pictures.length} pictures, ${taken} of the console now, ${complaints.length} complaints`)
process.exitCode = complaints.length > 0 ? 1 : 0
