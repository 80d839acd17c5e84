import type { NewEvent } from '../audit/event.ts'
import { SYSTEM_ACTOR } from '../audit/event.ts'
import { newId, type WebhookId } from '../ids.ts'
import type { Log } from '../log.ts'
import { redact } from '../provider/redact.ts'
import { retryAfterMs } from '../provider/retry-after.ts'
import type { Seal } from '../seal/seal.ts'
import { Secret } from '../seal/secret.ts'
import { type Clock, type Entropy, type Instant, SECOND, type Timers } from '../time.ts'
import { type DeliveryTry, nextTry } from './delivery.ts'
import { openUntil, type WebhookEndpoint } from './endpoint.ts'
import { type PayloadPorts, payloadOf } from './payload.ts'
import type { ClaimedDelivery, Settlement, Webhooks } from './webhooks.ts'

/** One signed POST. Never rejects, follows no redirect, takes 15 s at most. */
export type SendWebhook = (message: SignedMessage) => Promise<PostOutcome>

interface SignedMessage {
  readonly url: string
  /** `webhook-id`: the same for every try. */
  readonly id: string
  readonly at: Instant
  readonly body: string
  /** `whsec_...`; each makes a signature. */
  readonly secrets: readonly Secret[]
}

export type PostOutcome =
  | { readonly kind: 'answered'; readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly text: string }
  | { readonly kind: 'failed'; readonly cause: string }

interface DeliveryPorts {
  readonly webhooks: Pick<Webhooks, 'claim' | 'settle' | 'expire'>
  readonly payload: PayloadPorts
  readonly send: SendWebhook
  readonly seal: Pick<Seal, 'openText'>
  readonly clock: Clock
  readonly timers: Pick<Timers, 'sleep'>
  readonly entropy: Entropy
  readonly log: Log
  /** Counts a try for the plots. */
  readonly count: (organization: NewEvent['organization'], series: 'deliveries_ok' | 'deliveries_failed') => void
}

/** Longer than a try may take: what is still claimed then lost its holder. */
export const CLAIM_MS = 60 * SECOND
const ENDPOINTS = 16
const PER_ENDPOINT = 8
const EXPIRED = 200
const GONE = 410

/** Where the secrets of an endpoint are sealed. */
export function secretContext({ organization, id }: Pick<WebhookEndpoint, 'organization' | 'id'>) {
  return { organization, table: 'webhook', row: id, column: 'secret' }
}

/** Sends what is due. Any node may do it at any time: rows are claimed. */
export class DeliveryWork {
  readonly #ports: DeliveryPorts
  readonly #underWay = new Map<WebhookId, Promise<void>>()

  constructor(ports: DeliveryPorts) {
    this.#ports = ports
  }

  /** Takes what is due and starts it; a slow endpoint holds up only its own. True when there may be more. */
  async run(): Promise<boolean> {
    const { webhooks, clock, timers } = this.#ports
    const now = clock.wall()
    const expired = await webhooks.expire(now, EXPIRED)
    const busy = [...this.#underWay.keys()]
    const claimed = await webhooks.claim({ now, until: now + CLAIM_MS, endpoints: ENDPOINTS - busy.length, perEndpoint: PER_ENDPOINT, busy })
    for (const [endpoint, own] of byEndpoint(claimed)) this.#start(endpoint, own)
    if (claimed.length > 0 || expired === EXPIRED) return true
    if (this.#underWay.size === 0) return false
    await Promise.race([...this.#underWay.values(), timers.sleep(SECOND)])
    return true
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay.values())
  }

  #start(endpoint: WebhookId, own: readonly ClaimedDelivery[]): void {
    const work = Promise.all(
      own.map((claimed) =>
        this.deliver(claimed).catch((error: unknown) => {
          // The claim runs out, and somebody sends again.
          this.#ports.log.warn({ webhook: endpoint, error: String(error) }, 'what became of a delivery could not be written down')
        }),
      ),
    ).then(() => void this.#underWay.delete(endpoint))
    this.#underWay.set(endpoint, work)
  }

  /** One try, written down whatever came of it. */
  async deliver({ delivery, endpoint, event }: ClaimedDelivery): Promise<DeliveryTry> {
    const { clock, payload, send } = this.#ports
    const at = clock.wall()
    const began = clock.mono()
    const opened = this.#secretsOf(endpoint, at)
    const body = opened === null ? '' : await payloadOf(event, payload)
    const outcome: PostOutcome =
      opened === null ? { kind: 'failed', cause: 'seal_key_missing' } : await send({ url: endpoint.url, id: event.id, at, body, secrets: opened })
    const attempt = tryOf(outcome, opened ?? [], at, Math.round(clock.mono() - began))
    const settlement = this.#settlement({ delivery, endpoint, event }, attempt, outcome)
    await this.#ports.webhooks.settle(settlement)
    this.#ports.count(event.organization, settlement.state === 'delivered' ? 'deliveries_ok' : 'deliveries_failed')
    return attempt
  }

  /** The new secret first. Null when the key that sealed them is away: the delivery waits for it. */
  #secretsOf(endpoint: WebhookEndpoint, now: Instant): readonly Secret[] | null {
    const { seal, log } = this.#ports
    const context = secretContext(endpoint)
    const { secret, previousSecret, previousUntil } = endpoint
    try {
      const current = seal.openText(secret, context)
      const old = previousSecret !== null && previousUntil !== null && previousUntil > now ? [seal.openText(previousSecret, context)] : []
      return [current, ...old].map((text) => new Secret(text))
    } catch {
      log.error({ webhook: endpoint.id }, 'the secret of a webhook cannot be opened: is its master key in the keyring?')
      return null
    }
  }

  #settlement({ delivery, endpoint, event }: ClaimedDelivery, attempt: DeliveryTry, outcome: PostOutcome): Settlement {
    const { clock, entropy } = this.#ports
    const common = { delivery: delivery.id, claimedUntil: delivery.nextAt ?? 0, attempt }
    const { status } = attempt
    if (status !== null && status >= 200 && status < 300) return { ...common, state: 'delivered', nextAt: null, trouble: null, gone: null }
    const now = clock.wall()
    const after = outcome.kind === 'answered' ? retryAfterMs(outcome.headers, now) : null
    const nextAt = nextTry(delivery, { now, retryAfterMs: after, uniform: entropy.uniform() })
    const trouble = { openUntil: openUntil(endpoint.failures, now, entropy.uniform()) }
    const gone = status === GONE ? this.#event(endpoint.id, event.organization, now) : null
    return { ...common, state: nextAt === null ? 'failed' : 'waiting', nextAt, trouble, gone }
  }

  #event(endpoint: WebhookId, organization: NewEvent['organization'], at: Instant): NewEvent {
    const id = newId('evt', this.#ports.entropy)
    return { id, organization, type: 'webhook.gone', at, actor: SYSTEM_ACTOR, connection: null, subject: endpoint, data: { status: GONE } }
  }
}

function byEndpoint(claimed: readonly ClaimedDelivery[]): ReadonlyMap<WebhookId, readonly ClaimedDelivery[]> {
  const found = new Map<WebhookId, ClaimedDelivery[]>()
  for (const one of claimed) {
    const known = found.get(one.endpoint.id)
    if (known === undefined) found.set(one.endpoint.id, [one])
    else known.push(one)
  }
  return found
}

function tryOf(outcome: PostOutcome, secrets: readonly Secret[], at: Instant, durationMs: number): DeliveryTry {
  if (outcome.kind === 'failed') return { at, status: null, durationMs, error: outcome.cause, excerpt: null }
  const hidden = secrets.flatMap((secret) => [secret.reveal(), secret.reveal().replace('whsec_', '')])
  return { at, status: outcome.status, durationMs, error: null, excerpt: redact(outcome.text, hidden) }
}
