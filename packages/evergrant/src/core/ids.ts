import type { Entropy } from './time.ts'

export type OrganizationId = `org_${string}`
export type IntegrationId = `int_${string}`
export type ConnectionId = `con_${string}`
export type ConnectSessionId = `cs_${string}`
export type EventId = `evt_${string}`
export type ApiKeyId = `key_${string}`
export type IntentId = `itn_${string}`
export type RevocationId = `rev_${string}`
export type PushNoticeId = `psh_${string}`
export type UserId = `usr_${string}`
export type SessionId = `ses_${string}`
export type FactorId = `fct_${string}`
export type SigningKeyId = `sgk_${string}`
export type AgentId = `agt_${string}`
export type InstallationId = `ins_${string}`
export type SdkTokenId = `sdk_${string}`
export type EnrolmentId = `enr_${string}`
export type ApprovalId = `apr_${string}`
export type RecoveryAttemptId = `rca_${string}`
export type IncidentId = `inc_${string}`
export type WorkloadIssuerId = `wli_${string}`
export type BulkId = `blk_${string}`
export type WebhookId = `whk_${string}`
export type DeliveryId = `dlv_${string}`
export type ChannelId = `chn_${string}`
export type AlertId = `alt_${string}`
export type NoticeId = `ntc_${string}`
export type OwnerLetterId = `ltr_${string}`
export type SweepId = `swp_${string}`

interface IdOf {
  org: OrganizationId
  int: IntegrationId
  con: ConnectionId
  cs: ConnectSessionId
  evt: EventId
  key: ApiKeyId
  itn: IntentId
  rev: RevocationId
  psh: PushNoticeId
  usr: UserId
  ses: SessionId
  fct: FactorId
  sgk: SigningKeyId
  agt: AgentId
  ins: InstallationId
  sdk: SdkTokenId
  enr: EnrolmentId
  apr: ApprovalId
  rca: RecoveryAttemptId
  inc: IncidentId
  wli: WorkloadIssuerId
  blk: BulkId
  whk: WebhookId
  dlv: DeliveryId
  chn: ChannelId
  alt: AlertId
  ntc: NoticeId
  ltr: OwnerLetterId
  swp: SweepId
}

/** A typed id: prefix + UUIDv7, so that ids of one kind sort by creation time. */
export function newId<Prefix extends keyof IdOf>(prefix: Prefix, entropy: Entropy): IdOf[Prefix] {
  return `${prefix}_${entropy.uuid()}` as IdOf[Prefix]
}

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}'

/** Sorts before every id of this kind made at `at`, milliseconds, or later, and after every earlier one (RFC 9562 section 5.7). */
export function idFrom<Prefix extends keyof IdOf>(prefix: Prefix, at: number): IdOf[Prefix] {
  const time = Math.max(0, Math.floor(at)).toString(16).padStart(12, '0')
  return `${prefix}_${time.slice(0, 8)}-${time.slice(8, 12)}-0000-0000-000000000000` as IdOf[Prefix]
}

/** The pattern of one kind of id, for request schemas. */
export function idPattern(prefix: keyof IdOf): string {
  return `^${prefix}_${UUID}$`
}
