import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { freePortPair } from '../../lab/src/free-port.ts'
import { SERVER_MAIN } from '../../lab/src/server-main.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const PERSON = { email: 'operator@example.com', password: 'a demo password of nobody', name: 'Demo operator' }

/** A development server with an empty database of its own. */
export interface DemoServer {
  readonly url: string
  readonly setupUrl: string
  readonly data: string
  /** The practice provider beside it. */
  readonly practiceUrl: string
  stop(): Promise<void>
}

/** `env` is added to what this process has. */
export async function startDemoServer(env: Readonly<Record<string, string>> = {}): Promise<DemoServer> {
  const data = mkdtempSync(join(tmpdir(), 'evergrant-screenshots-'))
  const port = await freePortPair()
  const args = ['--disable-warning=ExperimentalWarning', SERVER_MAIN, 'serve', '--development']
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    env: { ...process.env, EVERGRANT_DATA_DIR: data, EVERGRANT_PORT: String(port), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said = await new Promise<string>((resolve, reject) => {
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (piece: string) => {
      text += piece
      if (/\/auth\/setup#\S+/.test(text)) resolve(text)
    })
    // Why it ended, where it does.
    child.stderr.setEncoding('utf8').on('data', (piece: string) => {
      text += piece
    })
    child.on('exit', (code) => reject(new Error(`the server ended with ${code}:\n${text}`)))
  })
  const setupUrl = /\S+\/auth\/setup#\S+/.exec(said)?.[0] ?? ''
  return {
    url: new URL(setupUrl).origin,
    setupUrl,
    data,
    practiceUrl: `http://127.0.0.1:${port + 1}`,
    stop: async () => {
      const ended = new Promise((resolve) => child.on('exit', resolve))
      child.kill('SIGTERM')
      await ended
      rmSync(data, { recursive: true, force: true })
    },
  }
}

/** Makes the first owner with the link that the server printed, as a person would. */
export async function becomeOwner(page: Page, { setupUrl }: DemoServer): Promise<void> {
  await page.goto(setupUrl)
  await page.fill('input[name=email]', PERSON.email)
  if ((await page.locator('input[name=name]').count()) > 0) await page.fill('input[name=name]', PERSON.name)
  for (const field of await page.locator('input[type=password]').all()) await field.fill(PERSON.password)
  await page.click('button[type=submit]')
  await page.waitForURL(/\/console\//)
}
