import { AnsweringEndpoint, type Reply } from './answering-endpoint.ts'
import { type ApiLab, createApiLab } from './api-lab.ts'
import type { LabOptions } from './engine-lab.ts'

export type RecordDraft = NonNullable<LabOptions['record']>

export const MINUTE = 60_000
export const HOUR = 3_600_000
/** A client of one connection. */
export const OWN = { client_id: 'own-client', client_secret: 'own-secret-1' }
export const CLIENT: RecordDraft = { grant: 'client_credentials', token: { url: 'https://provider.example/token', clientAuth: 'basic' } }

/** A token answer; each lives an hour. */
export const granted = (token: string, more: object = {}): Reply => ({
  status: 200,
  body: { access_token: token, token_type: 'Bearer', expires_in: 3_600, ...more },
})

/** The API over a provider of this record that answers as `reply` says. `create` posts a connection of `customer-7`. */
export async function startMachineLab(record: RecordDraft, reply: () => Reply, options: Partial<LabOptions> = {}) {
  const endpoint = new AnsweringEndpoint(reply)
  const lab = await createApiLab({ record, endpoint, ...options })
  const create = (body: object = {}) => lab.call('POST', '/api/v1/connections', { body: { integration: 'scripted', owner: 'customer-7', ...body } })
  return { lab, endpoint, create }
}

export const tokenOf = (lab: ApiLab, id: string, query = '') => lab.call('GET', `/api/v1/connections/${id}/token${query}`)
export const readConnection = async (lab: ApiLab, id: string) => (await lab.call('GET', `/api/v1/connections/${id}`)).json
/** Newest first. */
export const eventsOf = async (lab: ApiLab, id: string) => (await lab.call('GET', `/api/v1/events?connection=${id}`)).json.items

/** A key of another program: for reports that do not depend on each other. */
export async function anotherKey(lab: ApiLab): Promise<string> {
  const made = await lab.call('POST', '/api/v1/api-keys', { body: { name: 'another', scopes: ['tokens:read'] } })
  return made.json.key
}

/** The caller with this key says that an API refused the first secret. */
export const refusedFor = (lab: ApiLab, id: string, key?: string) =>
  lab.call('GET', `/api/v1/connections/${id}/token?rejected_generation=1`, key === undefined ? {} : { key })
