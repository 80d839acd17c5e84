import { existsSync } from 'node:fs'
import { type Browser, chromium, type Page } from 'playwright-core'

/** The headless shell first: the same engine without the windows of a desktop, which takes a quarter less of the processor. */
const PLACES = [
  '/usr/bin/chromium-headless-shell',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/snap/bin/chromium',
]
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
]

let found: string | null | undefined

/** Where Chromium is on this machine, or null; then one line on standard error says which tests that costs. */
export function chromiumPath(): string | null {
  if (found !== undefined) return found
  const named = process.env['CHROMIUM_PATH']
  found = [...(named === undefined ? [] : [named]), ...PLACES].find((path) => existsSync(path)) ?? null
  if (found === null) console.error('SKIPPED: browser tests need Chromium. Install it, or set CHROMIUM_PATH to it.')
  return found
}

/** A headless browser. Each `newContext()` of it is a browser of its own to a server. */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = chromiumPath()
  if (executablePath === null) throw new Error('there is no Chromium on this machine')
  return await chromium.launch({ executablePath, args: FLAGS, headless: true })
}

/** The form of the lab's OIDC server: sign in as `account`, then allow. */
export async function signInAndAllow(page: Page, account: string): Promise<void> {
  await page.fill('input[name=account]', account)
  await page.click('button[name=decision][value=allow]')
}

/** The consent page of the practice provider. */
export async function consentAtPractice(page: Page, account: string, decision: 'allow' | 'deny' = 'allow'): Promise<void> {
  await page.fill('input[name=other_account]', account)
  await page.click(`button[name=decision][value=${decision}]`)
}
