import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { freePortPair } from '../../lab/src/free-port.ts'
import { SERVER_MAIN } from '../../lab/src/server-main.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
export const PERSON = { email: 'operator@example.com', password: 'a demo password of nobody', name: 'Demo operator' }

/** A development server with an empty database of its own. */
export interface DemoServer {
  readonly url: string
  readonly setupUrl: string
  readonly data: string
  /** The practice provider beside it. */
  readonly practiceUrl: string
  /** Ends it and starts it on the same address and data. `env` in place of the first one. */
  restart(env: Readonly<Record<string, string>>): Promise<void>
  stop(): Promise<void>
}

/** `env` is added to what this process has. */
export async function startDemoServer(env: Readonly<Record<string, string>> = {}): Promise<DemoServer> {
  const data = mkdtempSync(join(tmpdir(), 'evergrant-screenshots-'))
  const port = await freePortPair()
  const first = launch(port, data, env)
  const said = await first.until(/\S+\/auth\/setup#\S+/)
  const url = new URL(said).origin
  let running = first
  return {
    url,
    setupUrl: said,
    data,
    practiceUrl: `http://127.0.0.1:${port + 1}`,
    restart: async (more) => {
      await running.stop()
      running = launch(port, data, more)
      await Promise.race([isReady(url), running.ended])
    },
    stop: async () => {
      await running.stop()
      rmSync(data, { recursive: true, force: true })
    },
  }
}

function launch(port: number, data: string, env: Readonly<Record<string, string>>) {
  const args = ['--disable-warning=ExperimentalWarning', SERVER_MAIN, 'serve', '--development']
  const flags = process.env['TEST_NODE_FLAGS']?.split(' ') ?? []
  const child = spawn(process.execPath, [...flags, ...args], {
    cwd: ROOT,
    env: { ...process.env, EVERGRANT_DATA_DIR: data, EVERGRANT_PORT: String(port), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  // Why it ended, where it does.
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (piece: string) => {
      text += piece
    })
  const gone = new Promise<void>((resolve) => child.on('exit', () => resolve()))
  const ended = gone.then((): never => {
    throw new Error(`the server ended with ${child.exitCode}:\n${text}`)
  })
  // Only whoever waits for it is told.
  ended.catch(() => {})
  const said = (wanted: RegExp) =>
    new Promise<string>((resolve) => {
      const look = () => {
        const [found] = wanted.exec(text) ?? []
        if (found !== undefined) resolve(found)
      }
      child.stdout.on('data', look)
    })
  return {
    ended,
    until: (wanted: RegExp) => Promise.race([said(wanted), ended]),
    stop: async () => {
      child.kill('SIGTERM')
      await gone
    },
  }
}

async function isReady(url: string): Promise<void> {
  for (;;) {
    const answer = await fetch(`${url}/health/ready`).catch(() => null)
    if (answer?.ok === true) return
    await new Promise((resolve) => setTimeout(resolve, 100))
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
