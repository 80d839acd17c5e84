import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Program } from '../../examples/weather-agent/stage/program.ts'
import { ANA, openStage, type Stage } from '../../examples/weather-agent/stage/stage.ts'
import { chromiumPath, launchBrowser } from '../../packages/lab/src/browser.ts'
import { startNode } from '../../packages/lab/src/child-process.ts'

const EXAMPLE = fileURLToPath(new URL('../../examples/weather-agent/', import.meta.url))

const TRANSCRIPT = fileURLToPath(new URL('../../docs/guides/weather-agent-transcript.md', import.meta.url))

interface Enrolled {
  readonly agent: string
  readonly policy: Readonly<Record<string, unknown>>
  readonly connection: string
  readonly grant: string
  readonly program: Program
}

// `npm run demo:agent`, as the tutorial has it.
test('the demo tells the whole story, and every step of it happens', { timeout: 180_000 }, async () => {
  const demo = startNode({ args: ['--disable-warning=ExperimentalWarning', '--import', `${EXAMPLE}from-sources.mjs`, `${EXAMPLE}stage/demo.ts`] })
  const { code } = await demo.exited
  const told = demo.output()
  expect(code, told).toBe(0)
  const steps = [
    'enrolled as garden-pi',
    'Waiting: The agent weather waits',
    'Ana accepts it',
    'from generation 1 to 2',
    'recovered automatically',
    'Stopped: somebody cut off',
  ]
  expect(steps.map((step) => told.indexOf(step))).toEqual(steps.map((step) => told.indexOf(step)).toSorted((one, next) => one - next))
  expect(steps.filter((step) => !told.includes(step))).toEqual([])
  expect(told.match(/Stopped:/g)).toHaveLength(1)
  const headings = (text: string): string[] => text.match(/^\d+\. .+$/gm) ?? []
  expect(headings(told)).toEqual(headings(readFileSync(TRANSCRIPT, 'utf8')))
  expect(told).not.toMatch(/egs_1|eyJ|Bearer |egc_[\w-]{5}/)
})

describe('the weather agent', () => {
  let stage: Stage
  let home: string
  const programs: Program[] = []

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'evergrant-weather-home-'))
    stage = await openStage()
  }, 120_000)
  afterAll(async () => {
    await Promise.all(programs.map((program) => program.stop()))
    await stage?.stop()
    rmSync(home, { recursive: true, force: true })
  })

  function start(name: string, env: Readonly<Record<string, string>>, args: readonly string[] = []): Program {
    const machine = { EVERGRANT_HOME: join(home, name), EVERGRANT_KEYCHAIN: '0' }
    const program = new Program({ args: ['--every', '0.2', ...args], env: { ...machine, ...env } })
    programs.push(program)
    return program
  }

  /** An agent with a connection of its own, so that what one test does to a grant is nothing to the next; its machine, after the first reading. */
  async function enrolled(name: string, access: 'proxy' | 'token', args: readonly string[] = []): Promise<Enrolled> {
    const issued = stage.practice.control.issueGrant({ profile: 'p4', account: name })
    const connection = await stage.operator.addConnection({ integration: 'weather', account: name, ...issued }, 'weather')
    const policy = { access: [access], connections: [{ connection }] }
    const agent = await stage.operator.createAgent({ name, policy })
    const program = start(name, { EVERGRANT_ENROLMENT_CODE: await stage.operator.enrolmentCode(agent, name) }, args)
    await started(program)
    return { agent, policy, connection, grant: issued.grant, program }
  }

  async function started(program: Program): Promise<Program> {
    await program.line('Bergen:')
    return program
  }
  /** One more reading from now on. */
  const reading = (program: Program) => program.line('Bergen:', program.lines.length)
  const since = (program: Program, line: number) => program.lines.slice(line).filter((text) => !text.includes('Bergen:'))

  test('with a token of its own renews it after the first refusal, and the reading is not lost', { timeout: 60_000 }, async () => {
    const { agent, program, connection, grant } = await enrolled('by fetch', 'token', ['--through', 'fetch', '--api', stage.station.url])
    const [lines, refused, generation] = [program.lines.length, stage.station.counts.refused, await stage.operator.generationOf(connection)]
    stage.practice.control.expireAccess(grant)
    await expect.poll(() => stage.station.counts.refused).toBe(refused + 1)
    await reading(program)
    expect(await stage.operator.generationOf(connection)).toBe(generation + 1)
    expect(since(program, lines)).toEqual([])

    // What it keeps for half a minute is refused by the API; then it hears that it was cut off.
    await stage.operator.cutOff(agent)
    stage.practice.control.expireAccess(grant)
    expect(await program.exited).toBe(3)
    expect(since(program, lines)).toEqual([expect.stringContaining('Stopped: somebody cut off the access of this machine')])
  })

  test('through the proxy heals after Rotate with one line, however often', { timeout: 60_000 }, async () => {
    const { agent, program } = await enrolled('by proxy', 'proxy')
    for (let time = 0; time < 3; time += 1) {
      const lines = program.lines.length
      await stage.operator.rotate(agent)
      await program.line('recovered automatically', lines)
      // Access tokens count whole seconds: for more than one of them, so that the next Rotate is another one.
      for (let few = 0; few < 6; few += 1) await reading(program)
      expect(since(program, lines)).toHaveLength(1)
    }
    expect(await program.stop()).toBe(0)
    expect(program.lines.at(-1)).toContain('Ended. Nothing was lost')
  })

  test('waits while the policy gives it nothing, and goes on when it does', { timeout: 60_000 }, async () => {
    const { agent, policy, program } = await enrolled('narrowed', 'proxy')
    const lines = program.lines.length
    await stage.operator.call('PUT', `agents/${agent}/policy`, { access: ['proxy'], connections: [] })
    await program.line('Waiting: No connection with the tag', lines)
    await stage.operator.call('PUT', `agents/${agent}/policy`, policy)
    await reading(program)
    await program.stop()
  })

  test('waits, with the page that repairs it, when the owner took the grant back', { timeout: 60_000 }, async () => {
    const { grant, program } = await enrolled('repaired', 'proxy')
    const lines = program.lines.length
    stage.practice.control.revoke(grant)
    const waiting = await program.line('Waiting:', lines)
    expect(waiting).toContain(`${stage.evergrant.url}/`)
    await program.stop()
  })

  test('waits while Evergrant is away, says so once, and goes on with the same credential', { timeout: 90_000 }, async () => {
    const { program } = await enrolled('patient', 'proxy')
    const lines = program.lines.length
    await stage.evergrant.stop()
    await program.line('Waiting:', lines)
    await stage.evergrant.start()
    await reading(program)
    expect(since(program, lines).length).toBeLessThan(4)
    await program.stop()
  })

  test.each(['weather-agent', 'mcp-server'])(
    'every command of the operator in the tutorial of %s works as it is written',
    { timeout: 120_000 },
    async (example) => {
      const page = readFileSync(join(EXAMPLE, '..', example, 'README.md'), 'utf8')
      const commands = [...page.matchAll(/npm run -s evergrant -- ([^`\n]+)/g)].map(([, command = '']) => command)
      expect(commands.length).toBeGreaterThan(1)
      let printed = ''
      let program: Program | null = null
      for (const command of commands) {
        const installation = /ins_[0-9a-f-]{36}/.exec(printed)?.[0] ?? ''
        printed += await stage.evergrant.cli(command.replace('ins_...', installation).split(' '))
        const code = /egc_\S+/.exec(printed)?.[0]
        if (code !== undefined) program ??= await started(start(example, { EVERGRANT_ENROLMENT_CODE: code }))
      }
      expect(program?.lines.length).toBeGreaterThan(2)
      if (printed.includes('is cut off')) expect(await program?.exited).toBe(3)
    },
  )

  test.skipIf(chromiumPath() === null)('is let in by a person on a page who compares the code', { timeout: 90_000 }, async () => {
    const agent = await stage.operator.createAgent({ name: 'by device', policy: { access: ['proxy'], connections: [{ connection: stage.connection }] } })
    const program = start('by device', {}, ['--device', '--server', stage.evergrant.url])
    const prompt = await program.line('Open ')
    const browser = await launchBrowser()
    try {
      const page = await browser.newPage()
      await page.goto(/http\S+/.exec(prompt)?.[0] ?? '')
      await page.fill('input[name=email]', ANA.email)
      await page.fill('input[name=password]', ANA.password)
      await page.click('button:has-text("Sign in") >> nth=0')
      expect(await page.textContent('main')).toContain(/code (\S+)\.$/.exec(prompt)?.[1] ?? 'no code')
      await page.selectOption('select[name=agent]', agent)
      await page.click('button:has-text("Allow")')
      await program.line('Bergen:')
    } finally {
      await browser.close()
    }
  })
})
