// Pictures of every page at three widths in both themes, and what axe says of each, into data/screenshots (or `--into`).
// Starts a server of its own with demo data, or uses the one that `--data` names. Exits with 1 when axe or the content policy complains.
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import axe from 'axe-core'
import type { BrowserContext, Page } from 'playwright-core'
import { launchBrowser } from '../../lab/src/browser.ts'
import { becomeOwner, type DemoServer, startDemoServer } from './demo-server.ts'
import { VIEW_PATHS } from './view-paths.ts'

const { values } = parseArgs({
  options: {
    into: { type: 'string', default: 'data/screenshots' },
    only: { type: 'string' },
    widths: { type: 'string', default: '390,1280,1920' },
    themes: { type: 'string', default: 'light,dark' },
  },
})
const SETTLE_MS = 700

async function firstConnection({ data }: DemoServer): Promise<string> {
  const { url, key } = JSON.parse(readFileSync(join(data, 'server.json'), 'utf8')) as { readonly url: string; readonly key: string }
  const listed = (await (await fetch(`${url}/api/v1/connections?limit=1`, { headers: { authorization: `Bearer ${key}` } })).json()) as {
    readonly items: readonly { readonly id: string }[]
  }
  return listed.items[0]?.id ?? ''
}

async function violationsOf(page: Page): Promise<string[]> {
  // Through the debugger, which the content policy does not bind.
  await page.evaluate(`${axe.source}; void 0`)
  const found = (await page.evaluate('axe.run(document, { resultTypes: ["violations"] })')) as {
    readonly violations: readonly { readonly id: string; readonly nodes: readonly { readonly html: string }[] }[]
  }
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html.slice(0, 160) ?? ''} (${nodes.length})`)
}

async function run(): Promise<number> {
  const complaints: string[] = []
  const server = await startDemoServer()
  const seeded = spawn(process.execPath, [fileURLToPath(new URL('./seed.ts', import.meta.url)), '--data', server.data], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  await new Promise((resolve) => seeded.on('exit', resolve))
  const browser = await launchBrowser()
  try {
    const context = await browser.newContext()
    const page = await context.newPage()
    page.on('console', (message) => {
      if (message.text().includes('Content Security Policy')) complaints.push(`content policy: ${message.text().slice(0, 200)}`)
    })
    page.on('pageerror', (error) => complaints.push(`error on ${page.url()}: ${error.message}`))
    await becomeOwner(page, server)
    const connection = await firstConnection(server)
    const paths = {
      overview: '',
      connections: 'connections',
      'connections-none': 'connections?q=nobody-is-called-that',
      connection: `connections/${connection}`,
      welcome: 'welcome',
      'not-found': 'nowhere',
      ...VIEW_PATHS,
    }
    mkdirSync(values.into, { recursive: true })
    for (const [name, path] of Object.entries(paths)) {
      if (values.only !== undefined && !name.includes(values.only)) continue
      complaints.push(...(await shoot(context, page, `${server.url}/console/${path}`, name)))
    }
  } finally {
    await browser.close()
    await server.stop()
  }
  for (const complaint of complaints) console.error(complaint)
  console.log(`${values.into}: done, ${complaints.length} complaints`)
  return complaints.length
}

async function shoot(_context: BrowserContext, page: Page, url: string, name: string): Promise<string[]> {
  const complaints: string[] = []
  await page.goto(url)
  await page.waitForSelector('h1:not(.unseen)')
  for (const theme of values.themes.split(',')) {
    await page.evaluate((chosen) => {
      document.documentElement.dataset['theme'] = chosen
    }, theme)
    for (const width of values.widths.split(',').map(Number)) {
      await page.setViewportSize({ width, height: width < 600 ? 844 : width < 1600 ? 800 : 1080 })
      await page.waitForTimeout(SETTLE_MS)
      await page.screenshot({ path: join(values.into, `${name}-${width}-${theme}.png`), animations: 'disabled', fullPage: width < 600 })
      const wide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth)
      if (wide) complaints.push(`${name} at ${width}: scrolls sideways`)
    }
    complaints.push(...(await violationsOf(page)).map((text) => `axe, ${name}, ${theme}: ${text}`))
  }
  return complaints
}

process.exitCode = (await run()) > 0 ? 1 : 0
