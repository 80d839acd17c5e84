import { EvergrantError, isEvergrantError } from '../evergrant-error.ts'
import type { Profile } from '../node/agent/credential-file.ts'
import { CredentialStore } from '../node/agent/credential-store.ts'
import { lockHolder } from '../node/agent/file-lock.ts'
import { KeyStore } from '../node/agent/key-store.ts'
import { machineIdOf } from '../node/agent/machine-id.ts'
import { type Platform, platformOf } from '../node/agent/platform.ts'
import { checkFolderToBe } from '../node/agent/safe-files.ts'
import { serverUrl } from '../node/agent/server-link.ts'
import type { CommandOptions } from './commands.ts'
import { type ExitCode, paint, report, type Terminal } from './terminal.ts'

interface Finding {
  readonly check: string
  readonly result: 'good' | 'warn' | 'bad'
  readonly detail: string
}

const TIMEOUT_MS = 10_000
const CLOCK_OFF_MS = 60_000

/** Looks at everything that a renewal needs, and changes nothing. */
export async function doctor(options: CommandOptions, terminal: Terminal): Promise<ExitCode> {
  const platform = platformOf(options.platform)
  const store = new CredentialStore({ platform })
  let profiles: readonly Profile[] = []
  const permissions = await look('permissions', async () => {
    profiles = (await store.read()).profiles
    await checkFolderToBe(store.folder)
    return profiles.length === 0 ? `nothing in ${store.folder} yet` : `${profiles.length} profiles in ${store.path}, for you alone`
  })
  const findings: Finding[] = [permissions]
  const { env } = platform
  // As the programs of this machine choose.
  const [address, name] = [options.server ?? (env['EVERGRANT_URL'] || undefined), options.profile ?? (env['EVERGRANT_PROFILE'] || undefined)]
  const server = address === undefined ? undefined : serverUrl(address)
  const chosen = profiles.filter((one) => (server === undefined || one.server === server) && (name === undefined || one.name === name))
  if (chosen.length > 0) findings.push(await look('store', () => tryStore(store)))
  // Whose file cannot be read may well be enrolled: to enrol again would be the wrong remedy.
  else if (permissions.result === 'good') findings.push({ check: 'enrolment', result: 'bad', detail: notEnrolled(profiles) })
  for (const profile of chosen) findings.push(...(await examine(profile, store, platform)))
  const worst = findings.some(({ result }) => result === 'bad')
  const marks = { good: 'ok  ', warn: 'look', bad: 'bad ' } as const
  const width = Math.max(...findings.map(({ check }) => check.length))
  report(
    terminal,
    { healthy: !worst, findings },
    findings.map(({ check, result, detail }) => `${paint(terminal, result, marks[result])} ${check.padEnd(width)}  ${detail}`),
  )
  return worst ? 1 : 0
}

function notEnrolled(profiles: readonly Profile[]): string {
  const others = profiles.map(({ name, server }) => `${name} at ${server}`).join(', ')
  if (others === '') return 'This machine is not enrolled. Run: npx @evergrant/sdk enroll <code>.'
  return `Nothing here has this profile and server. There are: ${others}. Correct EVERGRANT_PROFILE, EVERGRANT_URL or the options, or enrol: npx @evergrant/sdk enroll <code>.`
}

/** Locks work here: hard links, and a write that lasts. */
async function tryStore(store: CredentialStore): Promise<string> {
  const lock = await store.lock({ server: 'doctor', name: 'doctor' })
  await lock.release()
  return `${store.folder} takes locks and lasting writes`
}

async function examine(profile: Profile, store: CredentialStore, platform: Platform): Promise<readonly Finding[]> {
  const titled = (check: string): string => `${profile.name}: ${check}`
  return [
    await look(titled('key'), () => tryKey(profile, platform)),
    await look(titled('machine'), async () => {
      const now = await machineIdOf(platform)
      if (profile.machine !== null && now !== null && now !== profile.machine)
        throw problem('These credentials were enrolled on another machine. Enrol this one: npx @evergrant/sdk enroll <code>.')
      return profile.machine === null ? 'this system has no machine id: a copy of the disk would not be noticed here' : 'the one that was enrolled'
    }),
    await lookAtLock(titled('lock'), profile, store, platform),
    lookAtCredential(titled('credential'), profile, platform),
    ...(await lookAtServer(titled, profile, platform)),
  ]
}

async function tryKey(profile: Profile, platform: Platform): Promise<string> {
  const key = await new KeyStore({ platform }).open(profile.key)
  await key.provider.sign(new TextEncoder().encode('doctor'))
  return `${profile.key.custody}, ${key.thumbprint}`
}

async function lookAtLock(check: string, profile: Profile, store: CredentialStore, platform: Platform): Promise<Finding> {
  if (platform.system === 'win32') return { check, result: 'good', detail: 'a named pipe, which its holder cannot leave behind' }
  const holder = await lockHolder(store.lockPath(profile)).catch(() => null)
  if (holder === null) return { check, result: 'good', detail: 'free' }
  const { owner, state } = holder
  const detail = `held by process ${owner.pid} on ${owner.host} since ${owner.since} (${state})`
  return { check, result: state === 'stopped' ? 'bad' : state === 'foreign' ? 'warn' : 'good', detail }
}

function lookAtCredential(check: string, { failure, refresh_expires_at: ends, intent, generation }: Profile, { now }: Platform): Finding {
  if (failure !== null) return { check, result: 'bad', detail: `${failure.code}: ${failure.detail}` }
  if (Date.parse(ends) < now()) return { check, result: 'warn', detail: `over since ${ends}; it recovers by itself within its policy` }
  const under = intent === null ? '' : ', a renewal began and has not been finished; the next one goes on with it'
  return { check, result: 'good', detail: `generation ${generation}, as far as this machine knows good until ${ends}; whoami asks the server${under}` }
}

async function lookAtServer(titled: (check: string) => string, { server }: Profile, { fetch, now }: Platform): Promise<readonly Finding[]> {
  let skew = Number.NaN
  const reached = await look(titled('server'), async () => {
    const response = await fetch(`${server}/health/live`, { redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) }).catch((cause: unknown) => {
      throw problem(`${server} cannot be reached (${cause instanceof Error ? cause.message : 'no connection'}).`)
    })
    skew = Date.parse(response.headers.get('date') ?? '') - now()
    if (response.status >= 500) throw problem(`${server} answers with status ${response.status}.`)
    return `${server} answers`
  })
  if (Number.isNaN(skew)) return [reached]
  const seconds = Math.round(Math.abs(skew) / 1_000)
  const off = Math.abs(skew) > CLOCK_OFF_MS
  const detail = off ? `${seconds} s off the server's: everything here works, other programs may not` : 'agrees with the server'
  return [reached, { check: titled('clock'), result: off ? 'warn' : 'good', detail }]
}

async function look(check: string, work: () => Promise<string>): Promise<Finding> {
  try {
    return { check, result: 'good', detail: await work() }
  } catch (error) {
    if (!isEvergrantError(error)) throw error
    return { check, result: 'bad', detail: error.message }
  }
}

function problem(detail: string): EvergrantError {
  return new EvergrantError({ status: 0, code: 'unhealthy', detail })
}
