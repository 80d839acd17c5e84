import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { launchBrowser } from '../browser.ts'
import { type Device, type Host, type TabOpening, tabHandle } from './host.ts'

const ENTRY = fileURLToPath(new URL('./page-entry.ts', import.meta.url))
export const PAGE = '<!doctype html><html lang="en"><meta charset="utf-8"><title>Tab</title><h1>Tab</h1><script src="/kit/tab.js"></script></html>'

/** The client under test and its driver, as one script. */
export async function pageScript(): Promise<string> {
  const { outputFiles } = await build({ entryPoints: [ENTRY], bundle: true, format: 'iife', platform: 'browser', target: 'es2022', write: false })
  return outputFiles[0]?.text ?? ''
}

/** Tabs in headless Chromium; each device is a browser context. */
export async function chromiumHost(): Promise<Host> {
  const browser = await launchBrowser()
  return { kind: 'chromium', newDevice: (origin) => chromiumDevice(browser, origin), close: () => browser.close() }
}

async function chromiumDevice(browser: Browser, origin: string): Promise<Device> {
  const context = await browser.newContext()
  let turned = false
  return {
    openTab: async (opening) => {
      // One clock for all tabs, turned by hand from the first tab on that wants it.
      if (opening.clockAheadMs !== undefined && !turned) await context.clock.install({ time: Date.now() + opening.clockAheadMs })
      turned ||= opening.clockAheadMs !== undefined
      return await openTab(context, origin, opening)
    },
    clearCookies: () => context.clearCookies(),
    close: () => context.close(),
  }
}

async function openTab(context: BrowserContext, origin: string, { settings, before }: TabOpening) {
  const page = await context.newPage()
  const said: string[] = []
  page.on('console', (message) => said.push(message.text()))
  page.on('pageerror', (error) => said.push(String(error)))
  if (before !== undefined) await page.addInitScript(before)
  await page.goto(`${origin}/kit/tab`)
  await page.evaluate((given) => Reflect.get(globalThis, 'openTab')(given), settings)
  return tabHandle((name, given) => invoke(page, name, given), {
    page,
    console: said,
    jumpClock: async (ms) => await page.clock.setSystemTime((await page.evaluate(() => Date.now())) + ms),
    passTime: (ms) => page.clock.fastForward(ms),
    close: () => page.close(),
  })
}

function invoke(page: Page, name: string, given: readonly unknown[]): Promise<unknown> {
  return page.evaluate(
    ([method, list]) => {
      const tab: unknown = Reflect.get(globalThis, 'tab')
      return Reflect.apply(Reflect.get(tab as object, method), tab, list)
    },
    [name, given] as const,
  )
}
