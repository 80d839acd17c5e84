import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type PracticeProvider, startPracticeProvider } from '../../../packages/evergrant/src/practice/index.ts'
import { startStation, type WeatherStation } from '../station.ts'
import { type EvergrantProcess, startEvergrant } from './evergrant-process.ts'
import { Operator } from './operator.ts'

export const ANA = { email: 'ana@example.com', name: 'Ana', password: 'a quiet walk by the river' } as const
const PROFILE = 'p4'
const INTEGRATION = 'weather'
const TAG = 'weather'
/** A short life, so that a renewal is seen within a minute. */
const ACCESS_SECONDS = 60

export interface Stage {
  readonly evergrant: EvergrantProcess
  readonly practice: PracticeProvider
  readonly station: WeatherStation
  readonly operator: Operator
  /** Of the grant that Ana gave at the provider. */
  readonly grant: string
  readonly connection: string
  readonly dataDir: string
  readonly stop: () => Promise<void>
}

interface StageOptions {
  readonly port?: number
  /** Default: a new folder that `stop` removes. */
  readonly dataDir?: string
  /** Another API instead of the weather service, for the same grant. */
  readonly api?: string
}

/** Evergrant, a provider that forgets on command, a weather service behind it, Ana, and her grant as a connection. */
export async function openStage({ port = 0, dataDir, api }: StageOptions = {}): Promise<Stage> {
  const folder = dataDir ?? mkdtempSync(join(tmpdir(), 'evergrant-weather-'))
  const opened: (() => Promise<void> | void)[] = dataDir === undefined ? [() => rmSync(folder, { recursive: true, force: true })] : []
  const stop = async (): Promise<void> => {
    for (const close of opened.splice(0).reverse()) await close()
  }
  try {
    const practice = await startPracticeProvider({ profiles: { [PROFILE]: { accessSeconds: ACCESS_SECONDS } } })
    opened.push(() => practice.close())
    const station = await startStation({ issuer: `${practice.url}/${PROFILE}` })
    opened.push(() => station.stop())
    const evergrant = await startEvergrant({ port, dataDir: folder, providersDir: providersIn(folder, practice.url, api ?? station.url) })
    opened.push(() => evergrant.stop())
    await evergrant.cli(['users', 'create', '--email', ANA.email, '--name', ANA.name, '--role', 'admin', '--password-stdin'], ANA.password)
    const operator = await Operator.signIn(evergrant.url, ANA.email, ANA.password)
    await operator.addIntegration(INTEGRATION, 'Weather')
    const issued = practice.control.issueGrant({ profile: PROFILE, account: 'ana' })
    const connection = await operator.addConnection({ integration: INTEGRATION, account: 'ana', ...issued }, TAG)
    return { evergrant, practice, station, operator, grant: issued.grant, connection, dataDir: folder, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** A provider record of our own: one file that says where people sign in, and where the API is. docs/guides/add-a-provider.md. */
function providersIn(dataDir: string, practiceUrl: string, api: string): string {
  const folder = join(dataDir, 'providers')
  mkdirSync(folder, { recursive: true })
  const record = {
    id: 'weather',
    name: 'Weather service',
    discovery: { kind: 'oidc', issuer: `${practiceUrl}/${PROFILE}` },
    authorize: { defaultScopes: ['openid', 'profile', 'email', 'offline_access'] },
    token: { clientAuth: 'basic' },
    reuse: { class: 'P4', evidence: 'the practice provider says so' },
    rotation: 'always',
    revoke: {},
    account: [{ from: 'id_token', claim: 'sub', label: 'email' }],
    api: { base: api },
  }
  writeFileSync(join(folder, 'weather.json'), JSON.stringify(record, null, 2))
  return folder
}
