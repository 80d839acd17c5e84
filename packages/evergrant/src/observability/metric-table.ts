/** `help` is the line of `/metrics`; `more` is for the page of the documentation alone. */
export interface MetricRow {
  readonly name: `evergrant_${string}`
  readonly kind: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  /** Name of each label and what bounds its values. */
  readonly labels: Readonly<Record<string, string>>
  readonly buckets?: readonly number[]
  readonly more?: string
}

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const EXCHANGE_SECONDS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 75]
const LEAD_SECONDS = [-3600, -300, 0, 60, 300, 900, 1800, 3600, 7200, 21600, 86400]
const STORE_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5]

const metrics = <const Rows extends readonly MetricRow[]>(rows: Rows): Rows => rows

const PROVIDER = 'id of a catalogue record that is in use'

/** Every metric of a node. `docs/reference/metrics.md`, the dashboard and the alert rules are held to this table by tests. */
export const METRICS = metrics([
  {
    name: 'evergrant_build_info',
    kind: 'gauge',
    help: 'Always 1; the version is a label.',
    labels: { version: 'one', node: 'one: the id of this node' },
  },
  {
    name: 'evergrant_ready',
    kind: 'gauge',
    help: '1 while this check of readiness is passed.',
    labels: { check: '`store`, `changes`, `database`, `node`, `clock`, `journal`, `writes`, `drain`, `dangerous switches`' },
    more: 'The same checks as `GET /health/ready`.',
  },
  {
    name: 'evergrant_token_requests_total',
    kind: 'counter',
    help: 'Token requests by outcome.',
    labels: { provider: PROVIDER, outcome: '`granted`, `pre_send`, `throttled`, `unknown`, `dead`, `config`, `restart_flow`' },
    more: '`throttled` and `pre_send` left the grant untouched. `unknown`: sent, and no answer that can be trusted.',
  },
  {
    name: 'evergrant_token_request_seconds',
    kind: 'histogram',
    help: 'From connecting to the verdict.',
    labels: { provider: PROVIDER },
    buckets: EXCHANGE_SECONDS,
  },
  {
    name: 'evergrant_refresh_lead_seconds',
    kind: 'histogram',
    help: 'How long the old access token would have lived on when its successor came.',
    labels: {},
    buckets: LEAD_SECONDS,
    more: 'Negative: nobody had a valid token for so long. What is renewed on use has no lead, by intention.',
  },
  {
    name: 'evergrant_token_reads_total',
    kind: 'counter',
    help: 'Token reads, by where the answer came from.',
    labels: { source: '`memory`, `store`' },
  },
  {
    name: 'evergrant_http_request_seconds',
    kind: 'histogram',
    help: 'Requests that this node answered, from the first byte to the last. Token reads from memory are not in it.',
    labels: { area: 'first word of the path of a known route; `other`', status: '`2xx`, `3xx`, `4xx`, `5xx`' },
    buckets: SECONDS,
    more: 'Reads of valid tokens, and validations of sessions, are answered before the router; the former are counted in `evergrant_token_reads_total`.',
  },
  {
    name: 'evergrant_refused_requests_total',
    kind: 'counter',
    help: 'Requests that were refused for a missing right.',
    labels: { kind: '`forbidden`, `role_missing`, `second_factor_missing`, `cross_site_request`, `agent_policy_refused`' },
    more: 'The log has a line for each, with who asked for what; of one caller twenty, then one every five seconds.',
  },
  {
    name: 'evergrant_engine',
    kind: 'gauge',
    help: 'Flights, cached tokens, open breakers and stuck writes of this node.',
    labels: { what: '`flights`, `cached`, `open_breakers`, `stuck_writes`' },
  },
  {
    name: 'evergrant_queue',
    kind: 'gauge',
    help: 'Work that waits in the database. Stops at 10,000.',
    labels: { what: '`due`, `parked`, `leased`, `suspect`, `revocations`, `deliveries`, `notices`, `letters`' },
    more: 'Every node says the same: use `max`, not `sum`. `due`: their time has come and nobody has taken them. `parked`: they wait for a provider that was away. `leased`: some node refreshes them. `suspect`: a request was sent whose answer never came.',
  },
  {
    name: 'evergrant_queue_age_seconds',
    kind: 'gauge',
    help: 'How long ago the connection that waits for longest became due; 0: none waits.',
    labels: {},
  },
  {
    name: 'evergrant_journal_answers',
    kind: 'gauge',
    help: "Answers of providers in this node's journal that are not known to be in the database.",
    labels: {},
    more: 'A moment is usual, minutes are not: see its runbook.',
  },
  {
    name: 'evergrant_pushes_total',
    kind: 'counter',
    help: 'Pushes of providers, and what became of them.',
    labels: { provider: PROVIDER, outcome: 'outcomes of a push' },
  },
  {
    name: 'evergrant_quotas',
    kind: 'gauge',
    help: "Quotas of providers' APIs that are used up, and pauses that providers asked for, as this node knows them.",
    labels: { what: '`used_up`, `pauses`' },
  },
  {
    name: 'evergrant_quota_held_total',
    kind: 'counter',
    help: 'How often a request through the proxy met a quota that was used up and was not sent.',
    labels: {},
  },
  {
    name: 'evergrant_session_presentations_total',
    kind: 'counter',
    help: 'Refresh credentials of sessions that were presented, by the judgement.',
    labels: { outcome: '`rotate`, `replay`, `reissue`, `roll_forward`, `reuse`, `ended`, `refused`, `unknown`' },
    more: '`replay` and `reissue` are lost answers that logged nobody out. `reuse` is treated as theft.',
  },
  {
    name: 'evergrant_sdk_presentations_total',
    kind: 'counter',
    help: 'Refresh credentials of installations that were presented, by the judgement.',
    labels: { outcome: '`issue`, `again`, `pending`, `refused`, `clone`, `stranger`' },
  },
  {
    name: 'evergrant_events_total',
    kind: 'counter',
    help: 'Audit events that alerts and webhooks were made of, by type.',
    labels: { type: 'types of events; routine refreshes are not among them' },
    more: 'Of several nodes one reads events at a time: use `sum`. `installation.enrolled`, `recovery.succeeded`, `installation.locked`, `session.reuse_detected` and the like are here.',
  },
  {
    name: 'evergrant_webhook_tries_total',
    kind: 'counter',
    help: 'Tries to deliver a webhook.',
    labels: { outcome: '`delivered`, `refused`, `unreachable`' },
  },
  {
    name: 'evergrant_webhook_try_seconds',
    kind: 'histogram',
    help: 'How long receivers of webhooks took.',
    labels: {},
    buckets: SECONDS,
  },
  {
    name: 'evergrant_notices_total',
    kind: 'counter',
    help: 'Notices of alerts, by what became of them.',
    labels: { outcome: '`sent`, `retried`, `failed`, `dropped`' },
    more: 'Several notices may go in one message. `dropped`: it was no news any more when its time came.',
  },
  {
    name: 'evergrant_owner_letters_total',
    kind: 'counter',
    help: 'Letters of Evergrant to end users, by what became of them.',
    labels: { outcome: '`sent`, `retried`, `failed`, `skipped`' },
    more: '`skipped`: healed meanwhile, no address, or not wanted.',
  },
  {
    name: 'evergrant_alerts_open',
    kind: 'gauge',
    help: 'Open alerts.',
    labels: { kind: 'kinds of alert rules', severity: '`info`, `warning`, `critical`' },
    more: 'Every node says the same: use `max`.',
  },
  {
    name: 'evergrant_seal_failures_total',
    kind: 'counter',
    help: 'Stored values that did not open.',
    labels: { reason: '`seal_key_missing`, `seal_broken`' },
  },
  {
    name: 'evergrant_store_seconds',
    kind: 'histogram',
    help: 'How long the database took, by the part of the store that asked.',
    labels: { part: 'parts of the store contract' },
    buckets: STORE_SECONDS,
  },
  {
    name: 'evergrant_store_errors_total',
    kind: 'counter',
    help: 'Calls of the database that failed.',
    labels: { part: 'parts of the store contract' },
  },
  {
    name: 'evergrant_live_streams',
    kind: 'gauge',
    help: 'Open streams of server-sent events.',
    labels: {},
  },
  {
    name: 'evergrant_clock_skew_seconds',
    kind: 'gauge',
    help: 'Clock of the database minus clock of this machine.',
    labels: {},
  },
  {
    name: 'evergrant_node_lock',
    kind: 'gauge',
    help: '1 while this node shows the others that it lives.',
    labels: {},
  },
  {
    name: 'evergrant_errors_total',
    kind: 'counter',
    help: 'Lines of the log at level error.',
    labels: {},
  },
])

type Metric = (typeof METRICS)[number]
export type MetricName = Metric['name']
export type NamesOf<Kind extends MetricRow['kind']> = Extract<Metric, { readonly kind: Kind }>['name']
export type LabelsOf<Name extends MetricName> = keyof Extract<Metric, { readonly name: Name }>['labels'] & string
