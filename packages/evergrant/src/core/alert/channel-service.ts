import type { Actor, EventType, NewEvent } from '../audit/event.ts'
import { Fault } from '../fault/fault.ts'
import { type ChannelId, newId, type OrganizationId } from '../ids.ts'
import type { JsonObject } from '../json.ts'
import type { Seal } from '../seal/seal.ts'
import type { Clock, Entropy } from '../time.ts'
import type { Webhooks } from '../webhook/webhooks.ts'
import type { Channels } from './alerts.ts'
import { type Channel, channelContext } from './channel.ts'
import { ChannelError, type PushSubscriptionKeys, type TellChannel } from './message.ts'
import { addressOf } from './notifier.ts'
import { type MinuteOfDay, minuteOf, type QuietHours } from './quiet-hours.ts'

interface ChannelServicePorts {
  readonly channels: Channels
  readonly webhooks: Pick<Webhooks, 'get'>
  readonly tell: TellChannel
  /** Sends a test to an endpoint; what came of it, or null when it was taken. */
  readonly testWebhook: (organization: OrganizationId, id: NonNullable<Channel['webhook']>, actor: Actor) => Promise<string | null>
  /** `https` address, else null. */
  readonly hostOf: (url: string) => string | null
  readonly minuteOfDay: MinuteOfDay
  readonly seal: Seal
  readonly clock: Clock
  readonly entropy: Entropy
  /** Where the console is. */
  readonly consoleUrl: string
}

/** What a person says of a new channel; the fields of its kind must be there. */
interface NewChannel {
  readonly kind: Channel['kind']
  readonly name: string
  readonly url?: string | undefined
  readonly to?: readonly string[] | undefined
  readonly digest?: boolean | undefined
  readonly whenWell?: boolean | undefined
  readonly subscription?: PushSubscriptionKeys | undefined
  readonly webhook?: Channel['webhook'] | undefined
  readonly quiet?: QuietHours | null | undefined
}

type ChannelChange = Partial<Pick<NewChannel, 'name' | 'url' | 'to' | 'digest' | 'whenWell' | 'quiet'>> & { readonly enabled?: boolean | undefined }

const TRIES = 5
/** One plain address, as the mail sender takes it. */
const ADDRESS = /^[^\s<>()[\],;:"\\@]{1,64}@[^\s<>()[\],;:"\\@]{1,190}$/
/** An uncompressed point of P-256, and 16 bytes, base64url (RFC 8291 section 3). */
const P256DH = /^B[A-Za-z0-9_-]{86}=?$/
const AUTH = /^[A-Za-z0-9_-]{22}(?:==)?$/

/** Where operators are told. */
export class ChannelService {
  readonly #ports: ChannelServicePorts

  constructor(ports: ChannelServicePorts) {
    this.#ports = ports
  }

  list(organization: OrganizationId): Promise<readonly Channel[]> {
    return this.#ports.channels.list(organization)
  }

  /** @throws Fault `invalid_request` naming the field */
  async create(organization: OrganizationId, wanted: NewChannel, actor: Actor): Promise<Channel> {
    const { entropy, clock, channels } = this.#ports
    const id = newId('chn', entropy)
    const now = clock.wall()
    const secret = await this.#secretOf(organization, wanted)
    this.#checkQuiet(wanted.quiet)
    const channel: Channel = {
      ...{ id, organization, kind: wanted.kind, name: wanted.name, enabled: true },
      sealed: secret === null ? null : this.#ports.seal.seal(secret.text, channelContext({ organization, id })),
      host: secret?.host ?? null,
      to: wanted.kind === 'email' ? (wanted.to ?? []) : [],
      digest: wanted.kind === 'email' && wanted.digest === true,
      whenWell: wanted.kind === 'email' && wanted.digest === true && wanted.whenWell === true,
      webhook: wanted.kind === 'webhook' ? (wanted.webhook ?? null) : null,
      quiet: wanted.quiet ?? null,
      ...{ lastSentAt: null, lastError: null, createdAt: now, updatedAt: now, version: 1 },
    }
    await channels.insert(channel, this.#event('channel.created', channel, actor, { kind: channel.kind, name: channel.name }))
    return channel
  }

  /** @throws Fault `not_found`, `invalid_request` */
  async change(organization: OrganizationId, id: ChannelId, change: ChannelChange, actor: Actor): Promise<Channel> {
    this.#checkQuiet(change.quiet)
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      const old = await this.get(organization, id)
      if (change.url !== undefined && old.kind !== 'slack') throw invalid('/url', 'Only a Slack channel has a `url`.')
      if ((change.to ?? change.digest ?? change.whenWell) !== undefined && old.kind !== 'email')
        throw invalid('/to', 'Only a mail channel has `to`, `digest` and `digest_when_well`.')
      if (change.to !== undefined) checkRecipients(change.to)
      const secret = change.url === undefined ? null : this.#slackSecret(change.url)
      const { url: _url, ...plain } = withoutUndefined(change)
      const sealed = secret === null ? {} : { sealed: this.#ports.seal.seal(secret.text, channelContext(old)), host: secret.host }
      const whenWell = (change.digest ?? old.digest) && (change.whenWell ?? old.whenWell)
      const next: Channel = { ...old, ...plain, ...sealed, whenWell, updatedAt: this.#ports.clock.wall(), version: old.version + 1 }
      const event = this.#event('channel.updated', next, actor, { fields: Object.keys(withoutUndefined(change)) })
      if ((await this.#ports.channels.update(next, event)) === 'updated') return next
    }
    throw new Fault('conflict', { detail: 'This channel is being changed by somebody else. Try again.' })
  }

  /** @throws Fault `not_found` */
  async remove(organization: OrganizationId, id: ChannelId, actor: Actor): Promise<void> {
    const channel = await this.get(organization, id)
    await this.#ports.channels.remove(organization, id, this.#event('channel.deleted', channel, actor, { name: channel.name }))
  }

  /** Tells the channel something harmless at once. `detail` says why it was not taken. @throws Fault `not_found` */
  async test(organization: OrganizationId, id: ChannelId, actor: Actor): Promise<{ readonly ok: boolean; readonly detail: string | null }> {
    const channel = await this.get(organization, id)
    const detail = channel.webhook === null ? await this.#tellTest(channel) : await this.#ports.testWebhook(organization, channel.webhook, actor)
    await this.#ports.channels.note(id, this.#ports.clock.wall(), detail, false)
    return { ok: detail === null, detail }
  }

  /** @throws Fault `not_found` */
  async get(organization: OrganizationId, id: ChannelId): Promise<Channel> {
    const channel = await this.#ports.channels.get(organization, id)
    if (channel === undefined) throw new Fault('not_found', { field: 'id', detail: `There is no channel ${id} in this organization. GET channels lists them.` })
    return channel
  }

  async #tellTest(channel: Channel): Promise<string | null> {
    const { consoleUrl: url } = this.#ports
    const text = `This channel, "${channel.name}", works. Alerts of Evergrant will come here.`
    try {
      const item = { state: 'open', severity: 'info', title: 'Nothing is wrong', text, url, runbookUrl: null } as const
      await this.#ports.tell(addressOf(channel, this.#ports.seal), { title: 'A test from Evergrant', severity: 'info', items: [item], url })
      return null
    } catch (error) {
      return error instanceof ChannelError ? error.message : 'unknown'
    }
  }

  async #secretOf(organization: OrganizationId, wanted: NewChannel): Promise<{ readonly text: string; readonly host: string } | null> {
    switch (wanted.kind) {
      case 'slack':
        return this.#slackSecret(wanted.url)
      case 'push':
        return this.#pushSecret(wanted.subscription)
      case 'email':
        checkRecipients(wanted.to ?? [])
        return null
      case 'webhook': {
        const found = wanted.webhook === undefined || wanted.webhook === null ? undefined : await this.#ports.webhooks.get(organization, wanted.webhook)
        if (found === undefined) throw invalid('/webhook', 'Give `webhook`, the id of an endpoint of this organization. GET webhooks lists them.')
        return null
      }
    }
  }

  #slackSecret(url: string | undefined): { readonly text: string; readonly host: string } {
    const host = url === undefined ? null : this.#ports.hostOf(url)
    if (url === undefined || host === null) throw invalid('/url', 'Give `url`, the https address of an incoming webhook: https://hooks.slack.com/services/...')
    return { text: url, host }
  }

  #pushSecret(subscription: PushSubscriptionKeys | undefined): { readonly text: string; readonly host: string } {
    const host = subscription === undefined ? null : this.#ports.hostOf(subscription.endpoint)
    if (subscription === undefined || host === null)
      throw invalid('/subscription', 'Give `subscription` as the browser made it: `endpoint`, an https address, and `keys`.')
    const { endpoint, keys } = subscription
    if (!P256DH.test(keys.p256dh) || !AUTH.test(keys.auth))
      throw invalid('/subscription/keys', '`keys` must hold `p256dh` (65 bytes) and `auth` (16 bytes), base64url, as the browser made them.')
    return { text: JSON.stringify({ endpoint, keys: { p256dh: keys.p256dh, auth: keys.auth } }), host }
  }

  #checkQuiet(quiet: QuietHours | null | undefined): void {
    if (quiet === null || quiet === undefined) return
    if (minuteOf(quiet.from) === minuteOf(quiet.to)) throw invalid('/quiet_hours', '`from` and `to` are the same: that is no time, or all of it.')
    try {
      this.#ports.minuteOfDay(this.#ports.clock.wall(), quiet.timeZone)
    } catch {
      throw invalid('/quiet_hours/time_zone', 'There is no such time zone. Example: Europe/Berlin.')
    }
  }

  #event(type: EventType, channel: Channel, actor: Actor, data: JsonObject): NewEvent {
    const { entropy, clock } = this.#ports
    const common = { organization: channel.organization, connection: null, subject: channel.id }
    return { id: newId('evt', entropy), type, at: clock.wall(), actor, ...common, data }
  }
}

function checkRecipients(to: readonly string[]): void {
  if (to.length === 0) throw invalid('/to', 'Give `to`, at least one mail address.')
  const bad = to.findIndex((address) => !ADDRESS.test(address))
  if (bad >= 0) throw invalid(`/to/${bad}`, 'This is no plain mail address. Example: ops@example.com.')
}

function invalid(field: string, detail: string): Fault {
  return new Fault('invalid_request', { field, detail })
}

type Given<Fields> = { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> }

function withoutUndefined<Fields extends object>(fields: Fields): Given<Fields> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Given<Fields>
}
