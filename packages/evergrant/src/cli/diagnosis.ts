import { existsSync } from 'node:fs'
import { databaseFile } from '../compose-node.ts'
import { type Config, loadConfig } from '../config.ts'
import { systemClock } from '../system.ts'
import { type Api, remoteApi } from './api.ts'
import { isAlive, readControlFile } from './control-file.ts'
import { embeddedApi } from './embedded-api.ts'
import { type Finding, fine, problem } from './finding.ts'
import { dataFolderFinding, environmentFindings, keyFinding, runtimeFinding, schemaFinding } from './machine-findings.ts'
import { clockFinding, integrationFindings, publicUrlFinding } from './server-findings.ts'

/** Everything that `doctor` says, from the ground up. A later check runs only if it can mean something. */
export async function diagnose(): Promise<readonly Finding[]> {
  const findings: Finding[] = [runtimeFinding(process.versions.node)]
  let config: Config
  try {
    config = loadConfig({ development: false })
    findings.push(fine('environment', 'every key can be read'))
  } catch (error) {
    return [...findings, ...environmentFindings(error)]
  }
  findings.push(dataFolderFinding(config), await keyFinding(config), await schemaFinding(config))
  if (findings.some((finding) => !finding.ok)) return findings
  return [...findings, ...(await liveFindings(config))]
}

async function liveFindings(config: Config): Promise<readonly Finding[]> {
  const control = readControlFile(config.dataDir)
  if (control !== undefined && isAlive(control.pid)) {
    return [
      ...(await throughApi(remoteApi(control.url, control.key), control.publicUrl, `answers at ${control.url}`)),
      await publicUrlFinding(control.publicUrl),
    ]
  }
  const notRunning = fine('server', 'not running here')
  if (config.databaseUrl === null && !existsSync(databaseFile(config))) return [notRunning]
  try {
    return [notRunning, ...(await throughApi(await embeddedApi(config), config.publicUrl, null))]
  } catch (error) {
    const detail = error instanceof Error ? error.message : 'it does not open'
    return [notRunning, problem('database', detail, 'bring back the key or the database that this folder was made with')]
  }
}

async function throughApi(api: Api, publicUrl: string, server: string | null): Promise<readonly Finding[]> {
  try {
    const findings = [await clockFinding(api, systemClock.wall()), ...(await integrationFindings(api, publicUrl))]
    return server === null ? findings : [fine('server', server), ...findings]
  } catch (error) {
    return [problem('server', error instanceof Error ? error.message : 'no answer', 'look at its log; restart it if it hangs')]
  } finally {
    await api.close()
  }
}
