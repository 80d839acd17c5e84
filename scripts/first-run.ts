// npm run first-run [-- --working-tree | --here]: the path of a new user, from an empty folder, as README.md says it. Clones, starts, runs each command of the
// README, does with Chromium what a person does, and prints the seconds of each step. The last line is JSON. `--working-tree` takes the files as they
// stand here instead of the last commit; `--here` leaves out cloning and installing, and runs the steps in this folder with data of their own.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { consentAtPractice, launchBrowser } from '../packages/lab/src/browser.ts'
import { followLink } from '../packages/lab/src/end-user.ts'
import { freePortPair } from '../packages/lab/src/free-port.ts'

const ACCOUNT = 'ada-first-run'
const root = fileURLToPath(new URL('..', import.meta.url))
const scratch = mkdtempSync(join(tmpdir(), 'evergrant-first-run-'))
const here = process.argv.includes('--here')
const folder = here ? root : scratch
const seconds: Record<string, number> = {}
const known = new Map<string, string>()

/** A step of the README: the comment above its commands, and the commands. */
interface Step {
  readonly title: string
  readonly commands: string
}

async function timed<T>(name: string, work: () => Promise<T>): Promise<T> {
  const from = performance.now()
  const result = await work()
  seconds[name] = Math.round((performance.now() - from) / 100) / 10
  console.log(`${String(seconds[name]).padStart(6)} s  ${name}`)
  return result
}

async function clone(): Promise<void> {
  if (!process.argv.includes('--working-tree')) {
    if (spawnSync('git', ['clone', '--quiet', '--depth', '1', `file://${root}`, folder]).status !== 0) throw new Error('git clone failed')
    return
  }
  const listed = spawnSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 })
  for (const path of listed.stdout.split('\0').filter((name) => name !== '' && existsSync(join(root, name)))) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    copyFileSync(join(root, path), join(folder, path))
  }
}

/** The steps between the two comments of the README. */
function stepsOf(readme: string): Step[] {
  const part = /<!-- first run[\s\S]*?```sh\n([\s\S]*?)```\s*<!-- end of the first run -->/.exec(readme)?.[1] ?? ''
  return part
    .split(/^# /m)
    .slice(1)
    .map((text) => ({ title: text.split(/[:;,\n]/)[0] ?? '', commands: text.slice(text.indexOf('\n') + 1) }))
}

/** Starts the server as the README says and resolves when it says that it is ready. */
function start(env: NodeJS.ProcessEnv): Promise<ChildProcess> {
  const child = spawn('npm', ['start'], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  return new Promise((resolve, reject) => {
    let said = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (piece: string) => {
        said += piece
        if (/is ready: http/.test(said)) resolve(child)
      })
    child.on('exit', (code) => reject(new Error(`npm start ended with ${code}:\n${said}`)))
  })
}

function run(commands: string, env: NodeJS.ProcessEnv): string {
  const { status, stdout, stderr } = spawnSync('bash', ['-e', '-o', 'pipefail', '-c', commands], { cwd: folder, env, encoding: 'utf8' })
  if (status !== 0) throw new Error(`exit code ${status} of:\n${commands}\n${stdout}${stderr}`)
  return stdout
}

/** Puts what earlier commands printed where the README has dots. */
function filled(commands: string, ports: ReadonlyMap<string, string>): string {
  let text = commands
  for (const [from, to] of [...ports, ...known]) text = text.replaceAll(from, to)
  if (/\b[a-z]+_\.\.\.|"\.\.\."/.test(text)) throw new Error(`nothing was printed for the dots of:\n${text}`)
  return text
}

function remember(output: string): void {
  for (const [name, pattern] of [
    ['egk_...', /egk_[\w-]{30,}/],
    ['cs_...', /cs_[0-9a-f-]{36}/],
    ['con_...', /con_[0-9a-f-]{36}/],
    ['grant_...', /^\{"grants":.*?"id":"([\w-]+)"/],
  ] as const) {
    const match = pattern.exec(output)
    if (match !== null) known.set(name, match[1] ?? match[0])
  }
}

const browser = await launchBrowser()
const application = createServer((_request, response) => response.end('<title>done</title>'))
await new Promise<void>((resolve) => application.listen(0, '127.0.0.1', resolve))
const returnPort = String((application.address() as AddressInfo).port)
const port = await freePortPair()
const ports = new Map([
  ['localhost:4400', `localhost:${port}`],
  ['localhost:4401', `localhost:${port + 1}`],
  ['localhost:9999', `localhost:${returnPort}`],
])
// As in a new terminal: the programs of this repository are not on the path.
const PATH = (process.env['PATH'] ?? '')
  .split(':')
  .filter((part) => !part.startsWith(root))
  .join(':')
const environment: NodeJS.ProcessEnv = { PATH, HOME: process.env['HOME'], EVERGRANT_PORT: String(port), EVERGRANT: `http://localhost:${port}` }
if (here) environment['EVERGRANT_DATA_DIR'] = join(scratch, 'data')

let server: ChildProcess | undefined
let failure: unknown
try {
  if (!here) await timed('clone', clone)
  server = await timed(here ? 'npm start' : 'npm start, with everything that it installs', () => start(environment))
  for (const { title, commands } of stepsOf(readFileSync(join(folder, 'README.md'), 'utf8'))) await timed(title, () => step(title, commands))
} catch (error) {
  failure = error
} finally {
  await browser.close()
  application.close()
  if (server?.pid !== undefined) process.kill(-server.pid, 'SIGTERM')
  await new Promise((resolve) => (server === undefined || server.exitCode !== null ? resolve(0) : server.once('exit', resolve)))
  rmSync(scratch, { recursive: true, force: true })
}
if (failure !== undefined) console.error(failure)
const total = Math.round(Object.values(seconds).reduce((sum, one) => sum + one, 0))
console.log(JSON.stringify({ passed: failure === undefined, seconds: total, steps: seconds }))
process.exitCode = failure === undefined ? 0 : 1

async function step(title: string, commands: string): Promise<void> {
  let output = ''
  for (const command of commands
    .replace(/\\\n\s*/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')) {
    if (known.has('egk_...')) environment['KEY'] = known.get('egk_...')
    output = run(filled(command, ports), environment)
    remember(output)
  }
  const link = /"url":"([^"]+\/connect\/[^"]+)"/.exec(output)?.[1]
  if (title.startsWith('Connect') && link !== undefined) {
    const returnUrl = `http://localhost:${returnPort}/done`
    const { session, code } = await followLink(browser, { link, returnUrl, consent: (page) => consentAtPractice(page, ACCOUNT) })
    known.set('cs_...', session).set('"code":"..."', `"code":"${code}"`)
  }
  if (title.startsWith('Refresh') && !/"generation":2/.test(output)) throw new Error(`no new generation: ${output}`)
  if (title.startsWith('Break') && !output.includes('connection_revoked')) throw new Error(`the end was not told: ${output}`)
  if (title.startsWith('Reconnect')) await repair(link ?? '')
  if (title.startsWith('It works') && !output.includes(ACCOUNT)) throw new Error(`it does not work: ${output}`)
}

/** The owner opens the repair link, allows again, and is told that it works. */
async function repair(link: string): Promise<void> {
  const page = await browser.newPage()
  await page.goto(link)
  await page.locator('form button.primary, form button[type=submit]').first().click()
  await page.waitForSelector('input[name=other_account]')
  await consentAtPractice(page, ACCOUNT)
  await page.waitForURL((url) => url.port === String(port))
  await page.close()
}
