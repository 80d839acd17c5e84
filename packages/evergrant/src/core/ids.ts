import type { Entropy } from './time.ts'

export type OrganizationId = `org_${string}`
export type IntegrationId = `int_${string}`
export type ConnectionId = `con_${string}`
export type ConnectSessionId = `cs_${string}`
export type EventId = `evt_${string}`
export type ApiKeyId = `key_${string}`
export type IntentId = `itn_${string}`
export type RevocationId = `rev_${string}`

interface IdOf {
  org: OrganizationId
  int: IntegrationId
  con: ConnectionId
  cs: ConnectSessionId
  evt: EventId
  key: ApiKeyId
  itn: IntentId
  rev: RevocationId
}

/** A typed id: prefix + UUIDv7, so that ids of one kind sort by creation time. */
export function newId<Prefix extends keyof IdOf>(prefix: Prefix, entropy: Entropy): IdOf[Prefix] {
  return `${prefix}_${entropy.uuid()}` as IdOf[Prefix]
}

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}'

/** The pattern of one kind of id, for request schemas. */
export function idPattern(prefix: keyof IdOf): string {
  return `^${prefix}_${UUID}$`
}
