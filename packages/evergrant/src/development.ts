import type { Config } from './config.ts'
import { Fault } from './core/fault/fault.ts'
import type { ProviderRecord } from './core/provider/record.ts'
import { createTryIt, tryItReturnUrl } from './http/try-it/try-it.ts'
import { tryItRoutes } from './http/try-it/try-it-routes.ts'
import type { Extension } from './index.ts'
import { type PracticeProvider, startPracticeProvider } from './practice/index.ts'
import { defineProvider } from './providers/define.ts'
import { systemClock } from './system.ts'

/** A short life, so that a newcomer sees a renewal within a minute. */
const ACCESS_SECONDS = 60
const PROFILE = 'p4'
const SLUG = 'practice'
const ACTOR = { kind: 'system', id: 'development' } as const

/** What `serve --development` adds: a provider to practise with, and a page that plays the application. */
interface Development {
  readonly extension: Extension
  readonly tryUrl: string
  readonly practiceUrl: string
  close(): Promise<void>
}

/** Starts the practice provider beside the server: on the next port, or on any when that is taken. */
export async function startDevelopment(config: Config): Promise<Development> {
  const practice = await practiceBeside(config)
  return {
    extension: {
      records: [practiceRecord(practice.url)],
      routes: (parts) => {
        const { control } = practice
        const tryIt = createTryIt({
          organization: parts.organization,
          integration: SLUG,
          publicUrl: config.publicUrl,
          connect: parts.services.connect,
          engine: parts.services.engine,
          integrations: parts.store.integrations,
          connections: parts.store.connections,
          events: parts.store.events,
          clock: systemClock,
          practice: {
            url: practice.url,
            expire: (account) => liveGrants(practice, account).forEach((id) => void control.expireAccess(id)),
            revoke: (account) => liveGrants(practice, account).forEach((id) => void control.revoke(id)),
          },
        })
        return [(app) => tryItRoutes(app, { tryIt, publicUrl: config.publicUrl })]
      },
      ready: (parts) => practiceIntegration(parts, config.publicUrl),
    },
    tryUrl: `${config.publicUrl}/try`,
    practiceUrl: practice.url,
    close: () => practice.close(),
  }
}

function liveGrants(practice: PracticeProvider, account: string): string[] {
  return practice.control
    .grants()
    .filter((grant) => grant.profile === PROFILE && grant.account === account && grant.state === 'live')
    .map((grant) => grant.id)
}

async function practiceBeside(config: Config): Promise<PracticeProvider> {
  const options = { host: '127.0.0.1', controlPlane: true, profiles: { [PROFILE]: { accessSeconds: ACCESS_SECONDS } } }
  if (config.port === 0) return startPracticeProvider(options)
  try {
    return await startPracticeProvider({ ...options, port: config.port + 1 })
  } catch {
    return startPracticeProvider(options)
  }
}

/** Where the practice provider now is; a record of this start, not of the catalogue. */
function practiceRecord(practiceUrl: string): ProviderRecord {
  const issuer = `${practiceUrl}/${PROFILE}`
  return defineProvider({
    id: 'practice',
    name: 'Practice provider',
    discovery: { kind: 'oidc', issuer },
    authorize: { defaultScopes: ['openid', 'profile', 'email', 'offline_access'] },
    token: { clientAuth: 'basic' },
    reuse: { class: 'P4', evidence: 'the practice provider says so' },
    rotation: 'always',
    revoke: {},
    account: [{ from: 'id_token', claim: 'sub', label: 'email' }],
    api: { base: issuer },
    notes: ['It runs beside a development server and forgets its grants when that stops.'],
  })
}

/** The integration that the page uses, made once. */
async function practiceIntegration(parts: Parameters<Extension['ready']>[0], publicUrl: string): Promise<void> {
  const { organization, services } = parts
  const facts = {
    name: 'Practice provider',
    clientId: 'practice',
    clientSecret: 'practice-secret',
    scopes: ['openid', 'profile', 'email', 'offline_access'],
    settings: { renewal: 'ahead' as const, returnUrls: [tryItReturnUrl(publicUrl)] },
  }
  const existing = await services.integrations.get(organization, SLUG).catch((error: unknown) => {
    if (error instanceof Fault && error.code === 'not_found') return null
    throw error
  })
  if (existing === null) await services.integrations.create(organization, { ...facts, slug: SLUG, provider: 'practice', variables: {} }, ACTOR)
  else await services.integrations.update(organization, SLUG, facts, null, ACTOR)
}
