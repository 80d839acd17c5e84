// npm run demo:agent: the whole story of one agent, with a real server, a real provider and the agent as its own process. Ends with 1 when a step goes wrong.
// With --stay it only sets the stage and waits, so that you play the story yourself: the README is the script.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Program } from './program.ts'
import { openStage, type Stage } from './stage.ts'
import { stay } from './stay.ts'

const CITY = 'Bergen'
const EVERY_SECONDS = '1'
/** Readings that are enough to see that it goes on. */
const FEW = 2

const { values } = parseArgs({ options: { stay: { type: 'boolean', default: false }, port: { type: 'string', default: '4400' } } })
let step = 0
if (values.stay) await stay(Number(values.port))
else await play()

async function play(): Promise<void> {
  narrate('A server, a provider, a weather service, and Ana, who gave a grant to the weather service once')
  const stage = await openStage()
  const home = mkdtempSync(join(tmpdir(), 'evergrant-weather-home-'))
  try {
    tell(`Evergrant runs at ${stage.evergrant.url}. Its connection ${stage.connection} holds Ana's grant; its access tokens live a minute.`)
    await story(stage, home)
  } finally {
    await stage.stop()
    rmSync(home, { recursive: true, force: true })
  }
}

async function story({ operator, connection, evergrant, practice, grant, station }: Stage, home: string): Promise<void> {
  narrate('Ana makes an agent. It may send GET requests through connections with the tag `weather`, and it never sees a token')
  const policy = { access: ['proxy'], connections: [{ tag: 'weather' }], methods: ['GET'], auto_accept: [] }
  const agent = await operator.createAgent({ name: 'weather', policy })
  const code = await operator.enrolmentCode(agent, 'garden-pi')
  tell(`POST agents -> ${agent}; POST agents/{id}/enrolment-codes -> ${code.slice(0, 8)}... (one machine, one hour)`)

  narrate('The agent starts. It spends the code, makes its own key, and waits: nobody has answered for it yet')
  const env = { EVERGRANT_ENROLMENT_CODE: code, EVERGRANT_HOME: home, EVERGRANT_KEYCHAIN: '0' }
  const args = ['--city', CITY, '--every', EVERY_SECONDS]
  const first = new Program({ args, env, onLine: agentSays })
  try {
    await first.line('Waiting:')

    narrate('Ana accepts it: its key is proven and its owner answers for it, which is what `verified` means')
    await operator.accept(agent)
    await readings(first, FEW)

    narrate("The provider ends the access token. The agent's next request renews it behind the proxy, and nobody notices")
    const before = await operator.generationOf(connection)
    practice.control.expireAccess(grant)
    await readings(first, FEW)
    tell(
      `The connection went from generation ${before} to ${await operator.generationOf(connection)}; the weather service refused ${station.counts.refused} token.`,
    )

    narrate('Ana presses Rotate: the credentials of the machine are over at once. It heals itself, and says so in one line')
    const since = first.lines.length
    await operator.rotate(agent)
    await first.line('recovered automatically', since)
    await readings(first, FEW)

    narrate('The machine restarts. The code is spent long since; the agent goes on with what it keeps for itself')
    await first.stop()
  } finally {
    await first.stop()
  }
  const second = new Program({ args, env: { EVERGRANT_HOME: home, EVERGRANT_URL: evergrant.url, EVERGRANT_KEYCHAIN: '0' }, onLine: agentSays })
  try {
    await readings(second, FEW)

    narrate('Ana cuts it off. It stops with one sentence, and nothing brings it back but a new enrolment')
    await operator.cutOff(agent)
    const exit = await second.exited
    if (exit !== 3) throw new Error(`the agent ended with ${exit}, and not with 3`)
    tell('The agent ended by itself, with exit code 3.')
  } finally {
    await second.stop()
  }

  narrate('What Evergrant wrote down about this machine')
  for (const line of await operator.historyOf(agent)) tell(line)
}

async function readings(program: Program, count: number): Promise<void> {
  for (let seen = 0; seen < count; seen += 1) await program.line(`${CITY}:`, program.lines.length)
}

function narrate(what: string): void {
  step += 1
  console.log(`\n${step}. ${what}.`)
}

function tell(what: string): void {
  console.log(`   ${what}`)
}

function agentSays(line: string): void {
  console.log(`   agent | ${line}`)
}
