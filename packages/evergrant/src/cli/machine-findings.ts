import { accessSync, constants, existsSync, type Stats, statSync } from 'node:fs'
import { openKeyring } from '../compose-keys.ts'
import type { Config } from '../config.ts'
import { Fault } from '../core/fault/fault.ts'
import { databaseFile } from '../database-file.ts'
import { keyFile } from '../seal/key-file.ts'
import { SEAL_ROOT } from '../seal/open-seal.ts'
import { openSqliteStore } from '../store/index.ts'
import { systemClock, systemTimers } from '../system.ts'
import { withMigrations } from './database.ts'
import { fileRemedy } from './file-trouble.ts'
import { type Finding, fine, problem } from './finding.ts'

const NODE_MAJOR_MIN = 24

export function runtimeFinding(version: string): Finding {
  const major = Number(version.split('.')[0])
  return major >= NODE_MAJOR_MIN
    ? fine('node', `version ${version}`)
    : problem('node', `version ${version}`, `run Evergrant with Node ${NODE_MAJOR_MIN} or newer`)
}

/** One finding for each refused key: the reader reports them a line each. */
export function environmentFindings(error: unknown): readonly Finding[] {
  if (!(error instanceof Fault)) throw error
  return error.message.split('\n').map((line) => {
    const [key = '', ...rest] = line.split(' ')
    const [what = '', remedy = `correct ${key}, or remove it to take the default`] = rest.join(' ').split(/: (.*)/s)
    return problem('environment', `${key} ${what}`, remedy)
  })
}

/** What was switched on that a safe default leaves off (S119). Not a problem by itself: somebody wrote it down, and is reminded of it here. */
export function switchFinding({ dangerousPrivateHosts, dangerousTimeScale }: Pick<Config, 'dangerousPrivateHosts' | 'dangerousTimeScale'>): Finding {
  const on = [
    ...(dangerousPrivateHosts.length === 0
      ? []
      : [`outbound requests reach these hosts although their addresses are private: ${dangerousPrivateHosts.join(', ')}`]),
    ...(dangerousTimeScale === 1 ? [] : [`the waits that protect grants are divided by ${dangerousTimeScale}`]),
  ]
  return fine('dangerous switches', on.length === 0 ? 'none is on' : on.join('; '))
}

/** A key under the name it had before still works; one day it will not, and the start would then stop. */
export function renamedFindings({ renamedKeys }: Pick<Config, 'renamedKeys'>): readonly Finding[] {
  return renamedKeys.map(({ before, name }) =>
    fine('environment', `${before} is now called ${name}: rename it, the old name is understood until the next major version`),
  )
}

/** `user`: who runs this; undefined where users have no numbers (Windows). */
export function dataFolderFinding({ dataDir }: Pick<Config, 'dataDir'>, user = process.getuid?.(), look = lookAt): Finding {
  const name = 'data folder'
  const found = look(dataDir)
  if (found === undefined) return fine(name, `${dataDir} will be made at the first start`)
  if (!found.isDirectory()) return problem(name, `${dataDir} is not a folder`, 'set EVERGRANT_DATA_DIR to a folder')
  try {
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch {
    return problem(
      name,
      `${dataDir} cannot be read and written by this user`,
      `run doctor as the user that runs Evergrant; where that is this one: chown -R <user> ${dataDir}`,
    )
  }
  // A volume of Kubernetes is root's and lets the group of the pod in; who runs the server cannot change that, and what they make in it is for them alone.
  if (found.uid === 0 && user !== undefined && user !== 0) {
    return (found.mode & 0o002) === 0 ? fine(name, dataDir) : problem(name, `everybody may write into ${dataDir}`, `as root: chmod o-w ${dataDir}`)
  }
  const wide = (found.mode & 0o077) !== 0
  return wide ? problem(name, `${dataDir} is open to other users of this machine`, `chmod 700 ${dataDir}`) : fine(name, dataDir)
}

const lookAt = (path: string): Pick<Stats, 'mode' | 'uid' | 'isDirectory'> | undefined => (existsSync(path) ? statSync(path) : undefined)

export async function keyFinding(config: Config): Promise<Finding> {
  const name = 'keys'
  if (config.masterKeys !== null) {
    const wrapped = config.masterKeys.some((entry) => 'wrapped' in entry)
    if (!wrapped) return fine(name, 'master keys come from EVERGRANT_MASTER_KEYS')
    try {
      await openKeyring(config)
      return fine(name, 'master keys come from EVERGRANT_MASTER_KEYS, and Vault unwraps them')
    } catch (error) {
      return problem(name, error instanceof Error ? error.message : 'Vault cannot be asked', 'see docs/guides/rotate-keys.md, "Keys that Vault wraps"')
    }
  }
  const path = keyFile(config.dataDir)
  if (existsSync(path)) {
    try {
      await openKeyring(config)
      return fine(name, `master keys are in ${path}; keep a copy of it apart from the database`)
    } catch (error) {
      return problem(
        name,
        error instanceof Error ? error.message : `${path} cannot be read`,
        `put the right key file back, readable for its owner only: chmod 600 ${path}`,
      )
    }
  }
  if (!(await hasSealedValues(config))) return fine(name, `${path} will be made at the first start`)
  return problem(
    name,
    `there is a database with sealed values but no ${path}`,
    'put the key file of this database back, or set EVERGRANT_MASTER_KEYS; a new key opens nothing',
  )
}

const SERVER_REMEDY = 'check that the database runs and that address, user and password are right'

export async function schemaFinding(config: Config): Promise<Finding> {
  const name = 'database'
  const what = config.databaseUrl === null ? databaseFile(config) : 'PostgreSQL'
  if (config.databaseUrl === null && !existsSync(databaseFile(config))) return fine(name, `${what} will be made at the first start`)
  try {
    const rows = await withMigrations(config, 'read', (migrations) => migrations.status())
    const missing = rows.filter((row) => row.appliedAt === null)
    if (missing.length === 0) return fine(name, `${what}, ${rows.length} migrations applied`)
    return problem(name, `${what} lacks ${missing.map((row) => row.name).join(', ')}`, 'start the server, or run `evergrant migrate up`')
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'no answer'
    const remedy = config.databaseUrl === null ? (fileRemedy(error) ?? 'look at the file, its owner and its disk') : SERVER_REMEDY
    return problem(name, reason.startsWith(what) ? reason : `${what}: ${reason}`, remedy)
  }
}

/** A database that was only migrated has no key yet, and needs none. */
export async function hasSealedValues(config: Config): Promise<boolean> {
  const path = databaseFile(config)
  if (config.databaseUrl !== null || !existsSync(path)) return false
  try {
    const store = await openSqliteStore(path, { clock: systemClock, timers: systemTimers })
    const root = await store.meta.get(SEAL_ROOT)
    await store.close()
    return root !== undefined
  } catch {
    return true
  }
}
