import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts'
import { type Api, allItems } from './api.ts'
import { type Finding, problem } from './finding.ts'

const RECENT_MS = 7 * 24 * 3_600_000
const REMEDY =
  'see what the provider announced; bring Evergrant up to date, or correct the record with a file of your own in EVERGRANT_PROVIDERS_DIR. Nothing is broken by the difference itself'

/** Providers in use whose answers began to differ from the documented ones within a week: the newest difference of each. */
export async function driftFindings(api: Api, now: number): Promise<readonly Finding[]> {
  const integrations = await allItems(api, 'integrations', {})
  const known = new Set((await allItems(api, 'providers', {})).map((record) => String(record['id'])))
  const used = [...new Set(integrations.map((integration) => String(integration['provider'])))].filter((id) => known.has(id))
  const findings: Finding[] = []
  for (const id of used) {
    const [newest] = objectsOf((await api.call('GET', `providers/${encodeURIComponent(id)}`))['drift'])
    if (newest === undefined || Date.parse(String(newest['at'])) < now - RECENT_MS) continue
    findings.push(problem(`answers of ${id}`, `its ${String(newest['step'])} answers differ from the documented ones: ${differenceOf(newest)}`, REMEDY))
  }
  return findings
}

function differenceOf(drift: JsonObject): string {
  const changed = objectsOf(drift['changed']).map(({ path, expected, found }) => `${String(path)} is ${textsOf(found)} instead of ${textsOf(expected)}`)
  const missing = textsOf(drift['missing'])
  const added = textsOf(drift['added'])
  return [...(missing === '' ? [] : [`missing ${missing}`]), ...changed, ...(added === '' ? [] : [`new ${added}`])].join('; ')
}

function objectsOf(value: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : []
}

function textsOf(value: JsonValue | undefined): string {
  return Array.isArray(value) ? value.map(String).join(', ') : ''
}
