import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts'
import { type Api, allItems, itemsOf } from './api.ts'
import { type Finding, fine, problem } from './finding.ts'

/** A clock that jumps this far makes tokens look expired, or alive, when they are not. */
const CLOCK_TOLERANCE_MS = 60_000

/** The newest event was written by a node of ours: it cannot lie in the future. */
export async function clockFinding(api: Api, now: number): Promise<Finding> {
  const [newest] = itemsOf(await api.call('GET', 'events?limit=1'))
  const at = newest === undefined ? Number.NaN : Date.parse(String(newest['at']))
  if (Number.isNaN(at)) return fine('clock', 'nothing to compare with yet')
  const aheadMs = at - now
  if (aheadMs <= CLOCK_TOLERANCE_MS) return fine('clock', 'not behind the newest event')
  const seconds = Math.round(aheadMs / 1_000)
  return problem(
    'clock',
    `the newest event is ${seconds} s in the future: this clock is behind, or another node's is ahead`,
    'turn on time synchronisation (NTP) on every node',
  )
}

/** What has to be registered at each provider, and whether it can work. */
export async function integrationFindings(api: Api, publicUrl: string): Promise<readonly Finding[]> {
  const items = await allItems(api, 'integrations', {})
  if (items.length === 0) return [fine('redirect URIs', 'no integration yet')]
  const providers = await allItems(api, 'providers', {})
  const known = new Set(providers.map((record) => record['id']))
  const used = new Set(items.map((item) => item['provider']))
  const about = items.flatMap((item) => [
    ...(known.has(item['provider'] ?? null) ? [] : [missingProvider(String(item['slug']), String(item['provider']))]),
    redirectFinding(String(item['slug']), String(item['callback_url']), publicUrl),
    ...secretFinding(item),
    ...blockedFinding(item),
    ...deathsFinding(item),
  ])
  return [...about, ...providers.filter((record) => used.has(record['id'])).flatMap(sunsetFindings)]
}

/** Its connections keep their tokens and wait. */
function missingProvider(slug: string, provider: string): Finding {
  const remedy = `put the file of ${provider} back into the folder of EVERGRANT_PROVIDERS_DIR, and start again`
  const own = 'start the server with --development: the practice provider lives only there'
  return problem(`provider of ${slug}`, `${provider} is not in the catalogue, so nothing of it is refreshed`, provider === 'practice' ? own : remedy)
}

function redirectFinding(slug: string, uri: string, publicUrl: string): Finding {
  const name = `redirect URI of ${slug}`
  if (!URL.canParse(uri)) return problem(name, `${uri} is no URL`, `evergrant integrations update ${slug} --setting redirect_uri=null`)
  const { protocol, hostname, origin } = new URL(uri)
  const loopback = hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.')
  if (protocol !== 'https:' && !loopback) return problem(name, `${uri} is plain http`, 'register and set an https:// address')
  if (origin !== new URL(publicUrl).origin) {
    return problem(
      name,
      `${uri} is not below ${publicUrl}, so its answers come here only if your proxy sends them here`,
      `route that path to this server, or set EVERGRANT_PUBLIC_URL to ${origin}`,
    )
  }
  return fine(name, `${uri} must be registered at the provider, letter by letter`)
}

/** A public client is worth a word; where the record leaves no doubt, somebody forgot something. */
export function secretFinding(item: JsonObject): readonly Finding[] {
  const slug = String(item['slug'])
  const missing = item['client_secret_missing']
  if (!isJsonObject(missing)) return []
  const [name, detail] = [`client secret of ${slug}`, String(missing['detail'])]
  return [missing['certain'] === true ? problem(name, detail, `evergrant integrations update ${slug} --client-secret-file <path>`) : fine(name, detail)]
}

function blockedFinding(item: JsonObject): readonly Finding[] {
  const slug = String(item['slug'])
  if (item['blocked'] === null || item['blocked'] === undefined) return []
  const remedy = `check them at the provider, then: evergrant integrations update ${slug} --client-id <id> --client-secret-file <path>`
  return [problem(`client of ${slug}`, 'the provider refuses its client id, secret or redirect URI', remedy)]
}

/** Somebody may have to decide, and nobody is asked to reconnect meanwhile. */
export function deathsFinding(item: JsonObject): readonly Finding[] {
  const slug = String(item['slug'])
  if (item['deaths_held'] === null || item['deaths_held'] === undefined) return []
  const remedy = `wait if the provider has trouble; if the grants are really over: evergrant integrations deaths ${slug} confirm`
  return [problem(`grants of ${slug}`, 'unusually many were refused at once, so their ends are held', remedy)]
}

/** A month before an announced end it is time to act; until then it is worth a word. */
const SUNSET_SOON_DAYS = 30

export function sunsetFindings(record: JsonObject): readonly Finding[] {
  const sunsets = Array.isArray(record['sunsets']) ? record['sunsets'].filter((sunset) => isJsonObject(sunset)) : []
  return sunsets.map(({ what, on, instead, days_left }) => {
    const name = `announced by ${String(record['name'])}`
    const days = Number(days_left)
    const when = days > 0 ? `ends on ${String(on)}, in ${days} days` : `has ended on ${String(on)}`
    if (days > SUNSET_SOON_DAYS) return fine(name, `${String(what)} ${when}; instead: ${String(instead)}`)
    return problem(name, `${String(what)} ${when}`, String(instead))
  })
}

/** How many of the latest warnings are looked at again. */
const LIMITS_LOOKED_AT = 20

/** Accounts that came near what their provider allows, and still are. */
export async function limitFindings(api: Api): Promise<readonly Finding[]> {
  const warned = itemsOf(await api.call('GET', `events?type=connection.cap_near&limit=${LIMITS_LOOKED_AT}`))
  const findings = new Map<string, Finding>()
  for (const { connection_id: id } of warned) {
    const connection = typeof id === 'string' ? await api.call('GET', `connections/${id}`) : {}
    const { account, account_limit: limit, integration } = connection
    if (!isJsonObject(limit) || limit['near'] !== true || !isJsonObject(account)) continue
    const next = limit['next'] === 'refused' ? 'the next consent is refused' : 'the next consent ends the oldest grant'
    const label = String(account['label'] ?? account['id'])
    const detail = `${label} has ${String(limit['live'])} of ${String(limit['cap'])} connections; beyond that ${next}`
    findings.set(
      `${String(integration)} ${String(account['id'])}`,
      problem(`grants of an account at ${String(integration)}`, detail, 'disconnect those that nobody uses'),
    )
  }
  return [...findings.values()]
}

/** Quotas of providers' APIs that are used up now: worth a word, and nothing to mend in a hurry. */
export async function quotaFindings(api: Api): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  for (const { slug } of await allItems(api, 'integrations', {})) {
    const details = await api.call('GET', `integrations/${encodeURIComponent(String(slug))}`)
    const quotas = Array.isArray(details['quotas']) ? details['quotas'].filter((quota) => isJsonObject(quota)) : []
    for (const quota of quotas) {
      if (quota['remaining'] !== 0 || quota['connection'] !== null) continue
      const what = quota['name'] === 'pause' ? 'its provider asked for a pause' : `the quota ${String(quota['name'])} is used up`
      findings.push(fine(`quotas of ${String(slug)}`, `${what} until ${String(quota['resets_at'])}: calls through the proxy get 429 until then`))
    }
  }
  return findings
}

/** Asks the address that browsers and providers use: a proxy in between is part of the deployment. */
export async function publicUrlFinding(publicUrl: string): Promise<Finding> {
  const name = 'public URL'
  try {
    const response = await fetch(`${publicUrl}/health/live`, { redirect: 'manual' })
    await response.arrayBuffer()
    if (response.ok) return fine(name, publicUrl)
    return problem(name, `${publicUrl}/health/live answers ${response.status}`, 'route this address to the server, without changing paths')
  } catch {
    return problem(name, `${publicUrl} does not answer from this machine`, 'check DNS, TLS and the proxy, or correct EVERGRANT_PUBLIC_URL')
  }
}

/** A database that is not trusted holds refreshes back until somebody decides. */
export async function trustFinding(api: Api): Promise<Finding> {
  const found = await api.call('GET', 'admin/restore')
  if (found['trust'] === 'trusted') return fine('age of the database', `trusted, era ${String(found['era'])}`)
  const what = found['trust'] === 'cloned' ? 'a copy from another place: no refresh token is presented' : 'older than it was: refreshes are held back'
  return problem('age of the database', `${what} (${String(found['reason'])})`, 'evergrant restore status, then evergrant restore confirm')
}

/** The age of the database: {@link trustFinding} says it with what to do. */
const TOLD_BY_ITSELF = new Set(['database'])

/** What the server says about itself: database, journal, change channel, its lock and its clock. What works, but is worth a word, is told too. */
export async function readinessFindings(url: string, signal: AbortSignal): Promise<readonly Finding[]> {
  const response = await fetch(`${url}/health/ready`, { signal })
  const value: JsonValue = JSON.parse(await response.text())
  const checks = isJsonObject(value) && Array.isArray(value['checks']) ? value['checks'].filter((check) => isJsonObject(check)) : []
  return checks.flatMap((check) => {
    const name = `server: ${String(check['name'])}`
    const detail = check['detail'] ?? null
    if (check['ok'] === true) return detail === null || TOLD_BY_ITSELF.has(String(check['name'])) ? [] : [fine(name, String(detail))]
    return [problem(name, String(detail ?? 'not ready'), 'look at the log of the server; it heals by itself when the cause is gone')]
  })
}
