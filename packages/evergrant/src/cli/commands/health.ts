import type { Command } from 'commander'
import { loadConfig } from '../../config.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { systemTimers } from '../../system.ts'
import { readControlFile } from '../control-file.ts'
import { CommandFailure, EXIT } from '../exit-code.ts'
import { refuseClosedFolder } from '../foreign-folder.ts'
import type { Shell } from '../shell.ts'

/** Shorter than what container engines allow a check. */
const ANSWER_MS = 4_000

/**
 * `evergrant health`: asks the server of this data folder, as a load balancer would. For images without a shell and without curl. Exit code 0 or 1 alone: Docker
 * knows no other.
 */
export function healthCommand(program: Command, { output, finish }: Shell): void {
  program
    .command('health')
    .description('asks the server of this data folder whether it should get traffic; exit code 1 when not')
    .option('--live', 'only whether it is alive: also true while it has no database')
    .action(async ({ live = false }: { readonly live?: boolean }) => {
      const config = loadConfig({ development: false })
      refuseClosedFolder(config)
      const { ok, facts } = await ask(config.dataDir, live)
      if (!ok) finish(EXIT.problem)
      output.result(facts, () => sentence(ok, live, facts))
    })
}

async function ask(dataDir: string, live: boolean): Promise<{ readonly ok: boolean; readonly facts: JsonObject }> {
  const control = readControlFile(dataDir)
  if (control === undefined) throw new CommandFailure(EXIT.problem, `no server has started in ${dataDir} yet, or it was stopped`)
  const late = new AbortController()
  const stop = systemTimers.after(ANSWER_MS, () => late.abort())
  try {
    const response = await fetch(`${control.url}/health/${live ? 'live' : 'ready'}`, { redirect: 'error', signal: late.signal })
    const facts: JsonValue = JSON.parse(await response.text())
    return { ok: response.ok, facts: isJsonObject(facts) ? facts : {} }
  } catch {
    throw new CommandFailure(EXIT.problem, `the server at ${control.url} does not answer`)
  } finally {
    stop()
  }
}

function sentence(ok: boolean, live: boolean, facts: JsonObject): string {
  if (live) return ok ? 'alive' : 'not alive'
  if (ok) return 'ready'
  const checks = Array.isArray(facts['checks']) ? facts['checks'].filter((check) => isJsonObject(check)) : []
  const failed = checks.filter((check) => check['ok'] !== true).map((check) => `${String(check['name'])}: ${String(check['detail'] ?? 'failed')}`)
  return ['not ready', ...failed].join('\n')
}
