import { Fault } from '../core/fault/fault.ts'
import type { JsonObject } from '../core/json.ts'
import type { ProviderDirectory, ProviderEndpoints } from '../core/provider/context.ts'
import { factsOf } from '../core/provider/facts-of.ts'
import { isMachineGrant, isStaticGrant } from '../core/provider/grant-kind.ts'
import type { ProviderRecord } from '../core/provider/record.ts'
import { fillTemplate } from '../core/provider/template.ts'
import { secretIsKey } from '../core/provider/values.ts'
import { type Clock, HOUR, MINUTE, SECOND } from '../core/time.ts'
import { type IssuerMetadata, metadataUrls, readMetadata } from './metadata.ts'

interface DirectoryOptions {
  readonly records: readonly ProviderRecord[]
  /** Fetches a JSON document without following redirects; refuses private addresses; rejects on anything but 200 and an object. */
  readonly fetchJson: (url: string) => Promise<JsonObject>
  readonly clock: Clock
}

type DiscoveryKind = NonNullable<ProviderRecord['discovery']>['kind']
type Variables = Readonly<Record<string, string>>

interface Remembered {
  readonly metadata: IssuerMetadata
  readonly readAt: number
}

interface Failure {
  readonly cause: unknown
  readonly at: number
  /** In a row, this one included. */
  readonly count: number
}

/** How long a discovery document is trusted; how long a stale one, or a failure with none to fall back on, is used before discovery is tried again. */
const FRESH = HOUR
const RETRY_STALE = MINUTE
const RETRY_MISSING = 5 * SECOND
/** Doubled by each failure in a row, up to this: an issuer that is down is not asked faster because many wait for it. */
const RETRY_MAX = MINUTE
/** Distinct issuers remembered; beyond it the oldest is forgotten. */
const MOST = 1_000

/** The ways that metadata is compared with: whoever signs or shows a certificate is registered for just that. */
const COMPARED: ReadonlySet<string> = new Set(['body', 'basic', 'none'])

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
  const failures = new Map<string, Failure>()
  const flights = new Map<string, Promise<IssuerMetadata>>()

  async function read(kind: DiscoveryKind, issuer: string): Promise<IssuerMetadata> {
    const failures: unknown[] = []
    for (const url of metadataUrls(kind, issuer)) {
      try {
        return readMetadata(await fetchJson(url), issuer, kind)
      } catch (cause) {
        failures.push(cause)
      }
    }
    const words = failures.map((failure) => (failure instanceof Error ? failure.message : String(failure))).join('; ')
    throw new Fault('provider_unavailable', { detail: `Discovery of ${issuer} failed: ${words}`, cause: failures[0] })
  }

  async function refresh(key: string, kind: DiscoveryKind, issuer: string): Promise<IssuerMetadata> {
    try {
      const metadata = await read(kind, issuer)
      remember(known, key, { metadata, readAt: clock.mono() })
      failures.delete(key)
      return metadata
    } catch (cause) {
      remember(failures, key, { cause, at: clock.mono(), count: (failures.get(key)?.count ?? 0) + 1 })
      const old = known.get(key)
      if (old === undefined) throw cause
      return old.metadata
    } finally {
      flights.delete(key)
    }
  }

  return async (record: ProviderRecord, variables: Variables, how: NonNullable<ProviderRecord['discovery']>): Promise<IssuerMetadata> => {
    const issuer = fillTemplate(how.issuer, variables, { definitions: record.variables })
    const key = `${how.kind} ${issuer}`
    const old = known.get(key)
    const failure = failures.get(key)
    const sinceFailure = failure === undefined ? Number.POSITIVE_INFINITY : clock.mono() - failure.at
    if (old !== undefined && (clock.mono() - old.readAt < FRESH || sinceFailure < RETRY_STALE)) return old.metadata
    if (old === undefined && sinceFailure < pauseAfter(failure)) throw failure?.cause
    const flight = flights.get(key) ?? refresh(key, how.kind, issuer)
    flights.set(key, flight)
    return flight
  }
}

function pauseAfter(failure: Failure | undefined): number {
  return Math.min(RETRY_MAX, RETRY_MISSING * 2 ** Math.min((failure?.count ?? 1) - 1, 10))
}

function remember<Value>(known: Map<string, Value>, key: string, value: Value): void {
  known.delete(key)
  known.set(key, value)
  const oldest = known.size > MOST ? known.keys().next().value : undefined
  if (oldest !== undefined) known.delete(oldest)
}

function endpointsOf(record: ProviderRecord, variables: Variables, metadata: IssuerMetadata | null): ProviderEndpoints {
  const told = toldLater(record)
  const fill = (template: string | null | undefined, later: readonly string[] = NOTHING) =>
    template ? fillTemplate(template, variables, { definitions: record.variables, leave: ['client_id'], later }) : null
  // What no grant of this kind asks is no endpoint.
  const authorize = isMachineGrant(record.grant) ? '' : (fill(record.authorize.url) ?? metadata?.authorize ?? null)
  const token = isStaticGrant(record.grant) ? '' : (fill(record.token.url, told) ?? metadata?.token ?? null)
  if (authorize === null || token === null) {
    throw new Fault('provider_unavailable', {
      detail: `The provider "${record.id}" has no ${authorize === null ? 'authorization' : 'token'} endpoint, neither in its record nor in its metadata.`,
    })
  }
  const revoke = record.revoke === null ? null : (fill(record.revoke.url, told) ?? metadata?.revoke ?? null)
  return {
    authorize,
    token,
    refresh: fill(record.token.refreshUrl, told) ?? token,
    revoke,
    userinfo: metadata?.userinfo ?? null,
    issuer: fill(record.issuer) ?? metadata?.issuer ?? null,
    issuerInCallback: metadata?.issuerInCallback ?? false,
    pkce: metadata === null ? record.authorize.pkce !== 'unsupported' : (metadata.pkce ?? record.authorize.pkce !== 'unsupported'),
    ...clientAuthOf(record, metadata),
  }
}

const NOTHING: readonly string[] = []
const laterOf = new WeakMap<ProviderRecord, readonly string[]>()

/** What only the callback, an answer or a push tells: such a placeholder stays until a request is built with it. */
function toldLater(record: ProviderRecord): readonly string[] {
  const found = laterOf.get(record)
  if (found !== undefined) return found
  const asked = Object.entries(record.variables).flatMap(([name, { askedOf }]) => (askedOf === 'provider' ? [name] : []))
  const names = [...asked, ...factsOf(record), 'account']
  laterOf.set(record, names)
  return names
}

/** The record's way holds as long as the server accepts it: a client may be registered for one way only. */
function clientAuthOf(record: ProviderRecord, metadata: IssuerMetadata | null): Pick<ProviderEndpoints, 'clientAuth'> {
  // No other way suits a client whose secret is a key.
  if (secretIsKey(record.token)) return {}
  const accepted = metadata?.clientAuth ?? []
  const own = record.token.clientAuth === 'basic_raw' ? 'basic' : record.token.clientAuth
  if (!COMPARED.has(own)) return {}
  const best = accepted[0]
  const listed: readonly string[] = accepted
  return best === undefined || listed.includes(own) ? {} : { clientAuth: best }
}
