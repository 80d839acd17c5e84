// A program that lives for months: it reads the weather through somebody's connection, every few seconds, and holds no secret in its code or its settings.
//   node agent.ts [--city Bergen] [--every 5] [--through proxy|fetch] [--api <url>] [--device --server <url>]
// Who it is comes from `npx @evergrant/sdk enroll <code>`, from EVERGRANT_ENROLMENT_CODE, or with --device from a person who approves it on a page.
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type CredentialEvent, Evergrant } from '@evergrant/sdk/node'
import { type Trouble, troubleOf } from './trouble.ts'
import { readWeather, type Way } from './weather.ts'

/** Exit code of a program that has to be enrolled anew: starting it again helps nothing. */
const STOPPED = 3
const TAG = 'weather'

const { values } = parseArgs({
  options: {
    city: { type: 'string', default: 'Bergen' },
    every: { type: 'string', default: '5' },
    through: { type: 'string', default: 'proxy' },
    api: { type: 'string', default: '' },
    device: { type: 'boolean', default: false },
    server: { type: 'string' },
  },
})
const everyMs = Number(values.every) * 1_000
const way: Way = values.through === 'fetch' ? 'fetch' : 'proxy'

const end = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => end.abort())

// What happens to the credential is told in this program's own words and place; without these two options the SDK prints it itself.
const eg = new Evergrant({ log: false, onCredentialEvent: heard, ...(values.server === undefined ? {} : { server: values.server }) })
try {
  await begin()
  await work()
} catch (error) {
  const trouble = troubleOf(error)
  say(`Stopped: ${trouble.sentence}`)
  process.exitCode = STOPPED
} finally {
  await eg.close()
}

async function begin(): Promise<void> {
  if (values.device) await eg.agents.register({ onPrompt: ({ completeUrl, userCode }) => say(`Open ${completeUrl} and compare the code ${userCode}.`) })
  const { agent, installation, server } = await eg.describe()
  say(`I am ${installation.name}, an installation of the agent ${agent.name} at ${server}.`)
}

/** Until somebody ends it, or Evergrant does. What may pass is said once and waited for. */
async function work(): Promise<void> {
  let said = ''
  let connection: string | null = null
  while (!end.signal.aborted) {
    try {
      connection ??= await findConnection()
      const { city, celsius, sky } = await readWeather(eg, { connection, city: values.city, way, api: values.api })
      said = ''
      say(`${city}: ${celsius.toFixed(1)} °C, ${sky}`)
    } catch (error) {
      const trouble: Trouble = troubleOf(error)
      if (trouble.kind === 'over') throw error
      if (trouble.kind === 'gone') connection = null
      if (said !== trouble.sentence) say(`Waiting: ${trouble.sentence}`)
      said = trouble.sentence
    }
    await pause(everyMs, undefined, { signal: end.signal }).catch(() => {})
  }
  say('Ended. Nothing was lost: the next start goes on with the same credential.')
}

/** The policy of the agent says which connections there are for it; this program takes the first that is tagged for it. */
async function findConnection(): Promise<string> {
  const { items } = await eg.connections.list({ tag: TAG, limit: 1 })
  const [first] = items
  if (first === undefined) throw new Error(`No connection with the tag \`${TAG}\` is selected by the policy of this agent yet.`)
  return first.id
}

function heard(event: CredentialEvent): void {
  if (event.type === 'enrolled' || event.type === 'recovered' || event.type === 'warning') say(`Evergrant: ${event.message}`)
}

function say(line: string): void {
  console.log(`${new Date().toISOString().slice(11, 19)}  ${line}`)
}
