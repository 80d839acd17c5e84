import { existsSync } from 'node:fs'
import { type Config, loadConfig } from '../config.ts'
import { Fault } from '../core/fault/fault.ts'
import { SECOND } from '../core/time.ts'
import { databaseFile } from '../database-file.ts'
import { systemClock, systemTimers } from '../system.ts'
import { type Api, reasonOf, remoteApi, WHEN_SILENT } from './api.ts'
import { type ControlFile, isAlive, readControlFile } from './control-file.ts'
import { driftFindings } from './drift-findings.ts'
import { embeddedApi } from './embedded-api.ts'
import { CommandFailure } from './exit-code.ts'
import { type Finding, fine, problem } from './finding.ts'
import { dataFolderFinding, environmentFindings, keyFinding, renamedFindings, runtimeFinding, schemaFinding, switchFinding } from './machine-findings.ts'
import { memoryFinding } from './memory-doors.ts'
import { nodeFindings, postgresFindings } from './postgres-findings.ts'
import { clockFinding, integrationFindings, limitFindings, publicUrlFinding, quotaFindings, readinessFindings, trustFinding } from './server-findings.ts'

/** Readiness asks the database, which a busy server may keep waiting for a moment. */
const ANSWER_MS = 10 * SECOND

/** Everything that `doctor` says, from the ground up. A later check runs only if it can mean something. */
export async function diagnose(): Promise<readonly Finding[]> {
  const findings: Finding[] = [runtimeFinding(process.versions.node)]
  let config: Config
  try {
    config = loadConfig({ development: false })
    findings.push(fine('environment', 'every key can be read'), switchFinding(config))
    findings.push(...renamedFindings(config))
  } catch (error) {
    return [...findings, ...environmentFindings(error)]
  }
  findings.push(dataFolderFinding(config), await keyFinding(config), ...(await postgresFindings(config, systemClock)), await schemaFinding(config))
  if (findings.some((finding) => !finding.ok && finding.name !== 'clock of the database')) return findings
  return [...findings, ...(await nodeFindings(config)), ...(await liveFindings(config))]
}

async function liveFindings(config: Config): Promise<readonly Finding[]> {
  const control = readControlFile(config.dataDir)
  if (control !== undefined && isAlive(control.pid)) {
    const ready = await readiness(control.url)
    if (typeof ready === 'string') return [problem('server', `${control.url} does not answer (${ready})`, WHEN_SILENT)]
    try {
      return await runningFindings(control, ready)
    } catch (error) {
      return [problem('server', messageOf(error), 'look at its log; restart it if it hangs')]
    }
  }
  const notRunning = fine('server', 'not running here')
  if (config.databaseUrl === null && !existsSync(databaseFile(config))) return [notRunning]
  try {
    const api = await embeddedApi(config)
    return [notRunning, ...(await throughApi(api, config.publicUrl).finally(() => api.close()))]
  } catch (error) {
    return [notRunning, problem('database', messageOf(error), remedyOf(error))]
  }
}

/** What the server says about itself, or why it says nothing. A process that was stopped takes connections and answers none. */
async function readiness(url: string): Promise<readonly Finding[] | string> {
  const late = new AbortController()
  const stop = systemTimers.after(ANSWER_MS, () => late.abort(new Error(`no answer in ${ANSWER_MS / SECOND} seconds`)))
  try {
    return await readinessFindings(url, late.signal)
  } catch (error) {
    return reasonOf(error)
  } finally {
    stop()
  }
}

/** Of what keeps this process from the database; the words of the error are the cause. */
function remedyOf(error: unknown): string {
  if (error instanceof CommandFailure) return 'then run doctor again: nothing in the database was looked at'
  if (error instanceof Fault && error.code.startsWith('seal_')) return 'bring back the key or the database that this folder was made with'
  return 'mend what this says, and ask again: a server would not start here either'
}

async function throughApi(api: Api, publicUrl: string): Promise<readonly Finding[]> {
  return [
    await clockFinding(api, systemClock.wall()),
    await trustFinding(api),
    ...(await integrationFindings(api, publicUrl)),
    ...(await quotaFindings(api)),
    ...(await limitFindings(api)),
    ...(await driftFindings(api, systemClock.wall())),
  ]
}

async function runningFindings({ url, key, publicUrl, pid }: ControlFile, ready: readonly Finding[]): Promise<readonly Finding[]> {
  return [
    fine('server', `answers at ${url}`),
    ...memoryFinding(pid, new URL(publicUrl).protocol === 'https:'),
    ...ready,
    ...(await throughApi(remoteApi(url, key), publicUrl)),
    await publicUrlFinding(publicUrl),
  ]
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'no answer'
}
