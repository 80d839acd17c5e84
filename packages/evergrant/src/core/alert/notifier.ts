import type { AuditEvent } from '../audit/event.ts'
import type { ChannelId, NoticeId, OrganizationId } from '../ids.ts'
import type { Log } from '../log.ts'
import { backoffMs } from '../refresh/backoff.ts'
import type { Seal } from '../seal/seal.ts'
import { type Clock, DAY, type Entropy, HOUR, MINUTE, SECOND } from '../time.ts'
import type { Alert, Notice } from './alert.ts'
import { alertWords } from './alert-words.ts'
import type { Alerts, Channels } from './alerts.ts'
import { type Channel, channelContext } from './channel.ts'
import { type ChannelAddress, ChannelError, type Message, type MessageItem, type PushSubscriptionKeys, type TellChannel } from './message.ts'
import { lastDigest, type MinuteOfDay } from './quiet-hours.ts'
import { reportWords } from './report-words.ts'
import { SEVERITIES } from './rule.ts'

interface NotifierPorts {
  readonly alerts: Pick<Alerts, 'get' | 'open' | 'takeNotices' | 'settleNotices'>
  readonly channels: Pick<Channels, 'get' | 'note' | 'everyDay' | 'claimDay'>
  readonly minuteOfDay: MinuteOfDay
  readonly tell: TellChannel
  readonly seal: Pick<Seal, 'openText'>
  readonly clock: Clock
  readonly entropy: Entropy
  readonly log: Log
  readonly links: AlertLinks
  /** The newest `report.daily`. */
  readonly report: (organization: OrganizationId) => Promise<AuditEvent | undefined>
}

/** Pages that an alert leads to. */
export interface AlertLinks {
  readonly all: string
  readonly metrics: string
  readonly alert: (alert: Pick<Alert, 'id' | 'kind'>) => string
  readonly runbook: (kind: Alert['kind']) => string
}

const BATCH = 100
const CLAIM_MS = 2 * MINUTE
/** Two days: a digest waits for its morning first. */
const GIVE_UP_MS = 2 * DAY
/** What came since yesterday is told at the hour itself, and says what is open, too. */
const AFTER_OTHERS_MS = 10 * MINUTE
/** A server that was down in the morning does not send the letter in the evening. */
const LATEST_MS = 8 * HOUR
const BACKOFF = { baseMs: 30 * SECOND, capMs: HOUR }

/** Tells channels what waits for them; everything that is due for one channel goes in one message. */
export class Notifier {
  readonly #ports: NotifierPorts
  /** Told by this node, while the database could not take that down: they come up again and are told to nobody. */
  readonly #told = new Set<NoticeId>()

  constructor(ports: NotifierPorts) {
    this.#ports = ports
  }

  /** True when there may be more. */
  async run(): Promise<boolean> {
    const now = this.#ports.clock.wall()
    const notices = await this.#ports.alerts.takeNotices(now, now + CLAIM_MS, BATCH)
    const groups = new Map<ChannelId, Notice[]>()
    for (const notice of notices) {
      const known = groups.get(notice.channel)
      if (known === undefined) groups.set(notice.channel, [notice])
      else known.push(notice)
    }
    await Promise.all([...groups.values()].map((group) => this.#tell(group)))
    return notices.length === BATCH
  }

  /**
   * The letter of a day on which nobody has anything to be told: that all is well, or what is still open. At most one, by whichever node claims it; one that
   * the mail server does not take is not sent again, and the channel says why.
   */
  async runDaily(): Promise<void> {
    const { channels, log } = this.#ports
    for (const channel of await channels.everyDay()) {
      try {
        await this.#tellDay(channel)
      } catch (error) {
        log.warn({ channel: channel.id, error: error instanceof Error ? error.message : 'unknown' }, 'the letter of the day of a channel could not be sent')
      }
    }
  }

  async #tellDay(channel: Channel): Promise<void> {
    const { channels, clock, minuteOfDay, tell, seal, log } = this.#ports
    const now = clock.wall()
    const due = lastDigest(now, channel.quiet?.timeZone ?? 'UTC', minuteOfDay)
    const told = channel.lastSentAt ?? channel.createdAt
    if (told >= due || now < due + AFTER_OTHERS_MS || now > due + LATEST_MS) return
    if (!(await channels.claimDay(channel.id, channel.lastSentAt, now))) return
    try {
      await tell(addressOf(channel, seal), await this.#messageOf(channel, []))
    } catch (error) {
      const failure = error instanceof ChannelError ? error : new ChannelError(error instanceof Error ? error.name : 'unknown')
      log.warn({ channel: channel.id, error: failure.message }, 'a channel did not take the letter of the day')
      await channels.note(channel.id, clock.wall(), failure.message, failure.gone)
    }
  }

  async #tell(taken: readonly Notice[]): Promise<void> {
    const { alerts, channels, clock, log } = this.#ports
    await this.#settleTold(taken.filter(({ id }) => this.#told.has(id)))
    const notices = taken.filter(({ id }) => !this.#told.delete(id))
    const [first] = notices
    if (first === undefined) return
    const channel = await channels.get(first.organization, first.channel)
    const news = channel === undefined || !channel.enabled ? [] : await this.#newsOf(notices)
    const dropped = notices.filter(({ alert }) => !news.some(({ id }) => id === alert))
    await alerts.settleNotices(dropped.map(({ id }) => ({ id, state: 'dropped', nextAt: null })))
    const left = notices.filter((notice) => !dropped.includes(notice))
    if (channel === undefined || left.length === 0) return
    try {
      await this.#ports.tell(addressOf(channel, this.#ports.seal), await this.#messageOf(channel, news))
    } catch (error) {
      const failure = error instanceof ChannelError ? error : new ChannelError(error instanceof Error ? error.name : 'unknown')
      log.warn({ channel: channel.id, kind: channel.kind, error: failure.message }, 'a channel did not take its message')
      await alerts.settleNotices(left.map((notice) => this.#afterFailure(notice, failure)))
      return channels.note(channel.id, clock.wall(), failure.message, failure.gone)
    }
    for (const { id } of left) this.#told.add(id)
    await this.#settleTold(left)
    for (const { id } of left) this.#told.delete(id)
    await channels.note(channel.id, clock.wall(), null, false)
  }

  async #settleTold(told: readonly Notice[]): Promise<void> {
    await this.#ports.alerts.settleNotices(told.map(({ id }) => ({ id, state: 'sent', nextAt: null })))
  }

  /** Each alert once, as it is now. What was healed before anybody was told is no news, nor is more of what a person has taken on. */
  async #newsOf(notices: readonly Notice[]): Promise<readonly Alert[]> {
    const found: Alert[] = []
    for (const id of new Set(notices.map(({ alert }) => alert))) {
      const own = notices.filter(({ alert }) => alert === id)
      const [first] = own
      const alert = first === undefined ? undefined : await this.#ports.alerts.get(first.organization, id)
      if (alert !== undefined && isNews(alert, own, this.#ports.clock.wall())) found.push(alert)
    }
    return found
  }

  async #messageOf(channel: Channel, news: readonly Alert[]): Promise<Message> {
    const items = news.map((alert) => this.#itemOf(alert))
    // A digest says what is open, too, not only what came.
    const others = channel.digest ? (await this.#ports.alerts.open(channel.organization)).filter(({ id }) => !news.some((known) => known.id === id)) : []
    const all = [...items, ...others.map((alert) => this.#itemOf(alert))]
    const severity = SEVERITIES[Math.max(...all.map((item) => SEVERITIES.indexOf(item.severity)))] ?? 'info'
    const [only] = all
    const title = all.length === 1 && only !== undefined ? (only.state === 'resolved' ? `Resolved: ${only.title}` : only.title) : summary(all)
    const { links, clock } = this.#ports
    const report = channel.digest ? reportWords(await this.#ports.report(channel.organization), clock.wall(), links.metrics) : null
    return { title, severity, items: all, url: links.all, report }
  }

  #itemOf(alert: Alert): MessageItem {
    const { links } = this.#ports
    const resolved = alert.resolvedAt !== null
    const common = { severity: alert.severity, ...alertWords(alert), url: links.alert(alert) }
    return { state: resolved ? 'resolved' : 'open', ...common, runbookUrl: resolved ? null : links.runbook(alert.kind) }
  }

  #afterFailure(notice: Notice, { gone, retryAfterMs }: ChannelError) {
    const now = this.#ports.clock.wall()
    if (gone || now - notice.createdAt > GIVE_UP_MS) return { id: notice.id, state: 'failed', nextAt: null } as const
    const wait = backoffMs({ ...BACKOFF, failures: notice.attempts, floorMs: retryAfterMs ?? 0 }, this.#ports.entropy.uniform())
    return { id: notice.id, state: 'waiting', nextAt: now + wait } as const
  }
}

function isNews(alert: Alert, notices: readonly Notice[], now: number): boolean {
  if (alert.resolvedAt === null) {
    if (alert.snoozedUntil !== null && alert.snoozedUntil > now) return false
    return alert.acknowledgedAt === null || notices.some(({ reason }) => reason === 'reminder')
  }
  // Over. Only who heard that it began is told so: an opening that still waits means that nobody was.
  return notices.every(({ reason }) => reason !== 'opened')
}

function summary(items: readonly MessageItem[]): string {
  const open = items.filter(({ state }) => state === 'open').length
  const resolved = items.length - open
  if (items.length === 0) return 'All is well'
  const parts = [...(open > 0 ? [`${open} ${open === 1 ? 'alert' : 'alerts'} open`] : []), ...(resolved > 0 ? [`${resolved} resolved`] : [])]
  return parts.join(', ')
}

/** @throws ChannelError when what is sealed does not open */
export function addressOf(channel: Channel, seal: Pick<Seal, 'openText'>): ChannelAddress {
  if (channel.kind === 'email') return { kind: 'email', to: channel.to }
  if (channel.sealed === null || channel.kind === 'webhook') throw new ChannelError('no_address', true)
  const text = openOf(channel.sealed, channel, seal)
  if (channel.kind === 'slack') return { kind: 'slack', url: text }
  const subscription: PushSubscriptionKeys = JSON.parse(text)
  return { kind: 'push', subscription }
}

function openOf(sealed: Uint8Array, channel: { readonly organization: OrganizationId; readonly id: ChannelId }, seal: Pick<Seal, 'openText'>): string {
  try {
    return seal.openText(sealed, channelContext(channel))
  } catch {
    throw new ChannelError('seal_key_missing')
  }
}
