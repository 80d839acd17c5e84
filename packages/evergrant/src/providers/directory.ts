import { Fault } from '../core/fault/fault.ts'
import type { JsonObject } from '../core/json.ts'
import type { ProviderDirectory, ProviderEndpoints } from '../core/provider/context.ts'
import type { ProviderRecord } from '../core/provider/record.ts'
import { fillTemplate } from '../core/provider/template.ts'
import { type Clock, HOUR, MINUTE } from '../core/time.ts'
import { type IssuerMetadata, metadataUrls, readMetadata } from './metadata.ts'

export interface DirectoryOptions {
  readonly records: readonly ProviderRecord[]
  /** Fetches a JSON document without following redirects; refuses private addresses; rejects on anything but 200 and an object. */
  readonly fetchJson: (url: string) => Promise<JsonObject>
  readonly clock: Clock
}

type Variables = Readonly<Record<string, string>>

interface Remembered {
  readonly metadata: IssuerMetadata
  readonly readAt: number
}

/** How long a discovery document is trusted, and how long a stale one is used before discovery is tried again. */
const FRESH = HOUR
const RETRY = MINUTE
/** Distinct issuers remembered; beyond it the oldest is forgotten. */
const MOST = 1_000

/** Looks records up and resolves their endpoints; discovery documents are cached for an hour, the last good one outlives failures. */
export function createProviderDirectory(options: DirectoryOptions): ProviderDirectory {
  const records = new Map(options.records.map((record) => [record.id, record]))
  const discover = createDiscovery(options)
  return {
    get: (id) => records.get(id),
    list: () => [...records.values()],
    async resolve(record, variables) {
      const metadata = record.discovery === null ? null : await discover(record, variables, record.discovery)
      return endpointsOf(record, variables, metadata)
    },
  }
}

function createDiscovery({ fetchJson, clock }: DirectoryOptions) {
  const known = new Map<string, Remembered>()
  const failedAt = new Map<string, number>()
  const flights = new Map<string, Promise<IssuerMetadata>>()

  async function read(kind: 'oidc' | 'rfc8414', issuer: string): Promise<IssuerMetadata> {
    const failures: unknown[] = []
    for (const url of metadataUrls(kind, issuer)) {
      try {
        return readMetadata(await fetchJson(url), issuer)
      } catch (cause) {
        failures.push(cause)
      }
    }
    const words = failures.map((failure) => (failure instanceof Error ? failure.message : String(failure))).join('; ')
    throw new Fault('provider_unavailable', { detail: `Discovery of ${issuer} failed: ${words}`, cause: failures[0] })
  }

  async function refresh(key: string, kind: 'oidc' | 'rfc8414', issuer: string): Promise<IssuerMetadata> {
    try {
      const metadata = await read(kind, issuer)
      remember(known, key, { metadata, readAt: clock.mono() })
      failedAt.delete(key)
      return metadata
    } catch (cause) {
      const old = known.get(key)
      if (old === undefined) throw cause
      failedAt.set(key, clock.mono())
      return old.metadata
    } finally {
      flights.delete(key)
    }
  }

  return async (record: ProviderRecord, variables: Variables, how: NonNullable<ProviderRecord['discovery']>): Promise<IssuerMetadata> => {
    const issuer = fillTemplate(how.issuer, variables, { definitions: record.variables })
    const key = `${how.kind} ${issuer}`
    const old = known.get(key)
    const failed = failedAt.get(key)
    if (old !== undefined && (clock.mono() - old.readAt < FRESH || (failed !== undefined && clock.mono() - failed < RETRY))) return old.metadata
    const flight = flights.get(key) ?? refresh(key, how.kind, issuer)
    flights.set(key, flight)
    return flight
  }
}

function remember(known: Map<string, Remembered>, key: string, value: Remembered): void {
  known.delete(key)
  known.set(key, value)
  const oldest = known.size > MOST ? known.keys().next().value : undefined
  if (oldest !== undefined) known.delete(oldest)
}

function endpointsOf(record: ProviderRecord, variables: Variables, metadata: IssuerMetadata | null): ProviderEndpoints {
  const fill = (template: string | null | undefined) =>
    template ? fillTemplate(template, variables, { definitions: record.variables, leave: ['client_id'] }) : null
  const authorize = fill(record.authorize.url) ?? metadata?.authorize ?? null
  const token = fill(record.token.url) ?? metadata?.token ?? null
  if (authorize === null || token === null) {
    throw new Fault('provider_unavailable', {
      detail: `The provider "${record.id}" has no ${authorize === null ? 'authorization' : 'token'} endpoint, neither in its record nor in its metadata.`,
    })
  }
  const revoke = record.revoke === null ? null : (fill(record.revoke.url) ?? metadata?.revoke ?? null)
  return {
    authorize,
    token,
    refresh: fill(record.token.refreshUrl) ?? token,
    revoke,
    userinfo: metadata?.userinfo ?? null,
    issuer: fill(record.issuer) ?? metadata?.issuer ?? null,
    issuerInCallback: metadata?.issuerInCallback ?? false,
    pkce: metadata === null ? record.authorize.pkce !== 'unsupported' : (metadata.pkce ?? record.authorize.pkce !== 'unsupported'),
    ...(metadata?.clientAuth ? { clientAuth: metadata.clientAuth } : {}),
  }
}
