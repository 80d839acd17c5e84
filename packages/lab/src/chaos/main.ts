// npm run chaos -- --rounds 50 --store sqlite|postgres [--profile scaled|true] [--seed 1] [--only "name,name"]
// The last line is one JSON object. Exit 1 when something that must be zero is not.
import { parseArgs } from 'node:util'
import { PostgresProcess } from '../postgres-process.ts'
import { Arena } from './arena.ts'
import { runCampaign } from './campaign.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '50' },
    store: { type: 'string', default: 'sqlite' },
    profile: { type: 'string', default: 'scaled' },
    seed: { type: 'string' },
    only: { type: 'string' },
  },
})

const store = values.store === 'postgres' ? 'postgres' : 'sqlite'
const profile = values.profile === 'true' ? 'true' : 'scaled'
const seed = values.seed === undefined ? Math.floor(Math.random() * 1_000_000_000) : Number(values.seed)
const say = (line: string): void => console.log(line)

say(`seed ${seed}`)
const postgres = store === 'postgres' ? await PostgresProcess.start() : null
const arena = await Arena.open({
  postgres,
  nodes: store === 'postgres' ? 3 : 1,
  timeScale: profile === 'true' ? 1 : 50,
  accessSeconds: profile === 'true' ? 300 : 6,
  perProfile: 2,
})
try {
  const only = values.only?.split(',').map((name) => name.trim())
  const report = await runCampaign(arena, { store, profile, rounds: Number(values.rounds), seed, say, ...(only === undefined ? {} : { only }) })
  say(JSON.stringify(report))
  const failures = report.families_revoked_by_us + report.wrong_tokens_served + report.unexplained_states
  process.exitCode = failures === 0 ? 0 : 1
} finally {
  await arena.close()
  await postgres?.stop()
}
