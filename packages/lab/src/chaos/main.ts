// npm run chaos -- --rounds 50 --store sqlite|postgres [--profile scaled|true] [--seed 1] [--only "name,name"]
// npm run chaos -- --rolling 200 [--seed 1]
// The last line is one JSON object. Exit 1 when something that must be zero is not.
import { parseArgs } from 'node:util'
import { oneOf, readCommandLine, wholeNumber } from '../command-line.ts'
import { PostgresProcess } from '../postgres-process.ts'
import { Arena } from './arena.ts'
import { runCampaign } from './campaign.ts'
import { rollOver } from './rolling.ts'

const SCALE = 50
const HELP = `npm run chaos -- [--rounds 50] [--store sqlite|postgres] [--profile scaled|true] [--seed S] [--only "name,name"]
npm run chaos -- --rolling 200 [--seed S]

  --rounds N    rounds of trouble (50)
  --store S     one node on sqlite, or three on postgres (sqlite)
  --profile P   scaled: the waits of the protocol divided by ${SCALE}; true: as they are, about 20 minutes a round (scaled)
  --seed S      the same trouble again; without it a seed is drawn and printed
  --only NAMES  these strikes only; a wrong name lists them all
  --rolling N   instead: N restarts of three nodes, one after the other

The last line is one JSON object. Exit code 1: something that must be zero is not; 2: the command line is wrong.`

const values = readCommandLine(HELP, (args) => {
  const { values: given } = parseArgs({
    args,
    options: {
      rounds: { type: 'string', default: '50' },
      rolling: { type: 'string' },
      store: { type: 'string', default: 'sqlite' },
      profile: { type: 'string', default: 'scaled' },
      seed: { type: 'string' },
      only: { type: 'string' },
    },
  })
  return {
    rounds: wholeNumber('rounds', given.rounds),
    rolling: given.rolling === undefined ? undefined : wholeNumber('rolling', given.rolling),
    store: oneOf('store', given.store, ['sqlite', 'postgres']),
    profile: oneOf('profile', given.profile, ['scaled', 'true']),
    seed: given.seed === undefined ? Math.floor(Math.random() * 1_000_000_000) + 1 : wholeNumber('seed', given.seed),
    only: given.only,
  }
})

const { seed, store, profile } = values
const say = (line: string): void => console.log(line)
say(`seed ${seed}`)
process.exitCode = (await (values.rolling === undefined ? campaign() : rolling(values.rolling))) === 0 ? 0 : 1

/** Resolves with the sum of what must be zero. */
async function campaign(): Promise<number> {
  const setting = profile === 'true' ? { timeScale: 1, accessSeconds: 300, perProfile: 2 } : { timeScale: SCALE, accessSeconds: 6, perProfile: 2 }
  return await inArena({ ...setting, nodes: store === 'postgres' ? 3 : 1 }, store === 'postgres', async (arena) => {
    const only = values.only?.split(',').map((name) => name.trim())
    const report = await runCampaign(arena, { store, profile, rounds: values.rounds, seed, say, ...(only === undefined ? {} : { only }) })
    say(JSON.stringify(report))
    return report.families_revoked_by_us + report.wrong_tokens_served + report.unexplained_states
  })
}

async function rolling(restarts: number): Promise<number> {
  return await inArena({ timeScale: SCALE, accessSeconds: 8, perProfile: 4, nodes: 3 }, true, async (arena) => {
    const report = await rollOver(arena, { restarts, seed, say })
    say(JSON.stringify(report))
    const { failed_restarts, failed_reads, grants_lost, families_revoked_by_us, wrong_tokens_served, unexplained_states } = report
    return failed_restarts + failed_reads + grants_lost + families_revoked_by_us + wrong_tokens_served + unexplained_states
  })
}

async function inArena(
  setting: Omit<Parameters<typeof Arena.open>[0], 'postgres'>,
  onPostgres: boolean,
  work: (arena: Arena) => Promise<number>,
): Promise<number> {
  const postgres = onPostgres ? await PostgresProcess.start() : null
  try {
    const arena = await Arena.open({ ...setting, postgres })
    try {
      return await work(arena)
    } finally {
      await arena.close()
    }
  } finally {
    await postgres?.stop()
  }
}
