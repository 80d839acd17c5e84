import type { Config } from './config.ts'
import { AlertService } from './core/alert/alert-service.ts'
import { AlertWatch } from './core/alert/alert-watch.ts'
import { ChannelService } from './core/alert/channel-service.ts'
import { type NodeFacts, NodeReport } from './core/alert/node-report.ts'
import { Notifier } from './core/alert/notifier.ts'
import { OwnerLetters } from './core/alert/owner-letters.ts'
import type { ConnectionDetails, ConnectionService } from './core/connection/connection-service.ts'
import { Fault } from './core/fault/fault.ts'
import type { Mailer } from './core/identity/letter.ts'
import type { ConnectionId, OrganizationId } from './core/ids.ts'
import type { Log } from './core/log.ts'
import type { HistoryCounter } from './core/observe/history-counter.ts'
import type { Seal } from './core/seal/seal.ts'
import type { Clock, Entropy, Timers } from './core/time.ts'
import type { Tracing } from './core/tracing.ts'
import { userOfOwner } from './core/user/user-of-owner.ts'
import { DeliveryWork, type SendWebhook } from './core/webhook/delivery-work.ts'
import { WebhookService } from './core/webhook/webhook-service.ts'
import { alertView, deliveryView } from './http/alert-view.ts'
import type { Services } from './http/services.ts'
import type { AddressGuard } from './outbound/address-guard.ts'
import { minuteOfDay } from './outbound/notify/local-time.ts'
import { ownerLetter } from './outbound/notify/owner-mail.ts'
import { createTellChannel } from './outbound/notify/tell-channel.ts'
import { createVapidKeys } from './outbound/notify/vapid-keys.ts'
import { createWebhookSender } from './outbound/notify/webhook-sender.ts'
import type { ProxyTransport } from './outbound/proxy-transport.ts'
import type { Store } from './store/index.ts'

export interface AlertComposition {
  readonly config: Pick<Config, 'publicUrl' | 'organizationName'>
  readonly store: Pick<Store, 'alerts' | 'channels' | 'webhooks' | 'organizations' | 'integrations' | 'users' | 'meta' | 'observed'>
  readonly connections: Pick<ConnectionService, 'get'>
  readonly repairLink: Services['repairLink']
  readonly transport: Pick<ProxyTransport, 'send'>
  readonly guard: Pick<AddressGuard, 'allowsPrivate'>
  readonly mailer: Mailer
  readonly seal: Seal
  readonly clock: Clock
  readonly timers: Timers
  readonly entropy: Entropy
  readonly log: Log
  /** Names this node. */
  readonly node: string
  /** The organization that hears of nodes. */
  readonly organization: OrganizationId
  readonly facts: () => Promise<NodeFacts>
  readonly counter: Pick<HistoryCounter, 'count'>
  readonly tracing?: Tracing | null | undefined
}

/** Each try is a span of its own. Its trace does not travel with it: the receiver is not part of this server. */
function traced(send: SendWebhook, tracing: Tracing | null | undefined): SendWebhook {
  if (tracing === null || tracing === undefined) return send
  return (message) =>
    tracing.span('webhook delivery', { 'server.address': URL.parse(message.url)?.host ?? '', 'evergrant.event': message.id }, () => send(message))
}

/** Alerts, channels and webhooks: what the routes use, and what runs by itself. */
export interface AlertParts extends Pick<Services, 'alerts' | 'webhooks' | 'channels' | 'pushKey' | 'alertLinks'> {
  readonly openAlerts: NonNullable<Services['openAlerts']>
  readonly alertChores: {
    readonly watch: Pick<AlertWatch, 'readEvents' | 'look'>
    readonly report: Pick<NodeReport, 'run'>
    readonly deliveries: Pick<DeliveryWork, 'run' | 'settled'>
    readonly notifier: Pick<Notifier, 'run' | 'runDaily'>
    readonly letters: Pick<OwnerLetters, 'run'>
  }
}

export function composeAlerts(parts: AlertComposition): AlertParts {
  const { config, store, seal, clock, timers, entropy, log, transport, mailer } = parts
  const { publicUrl } = config
  const ports = { clock, timers, entropy, log, seal, ...store }
  const details = detailsOf(parts.connections)
  const links = alertLinks(publicUrl)
  const vapid = createVapidKeys(store.meta, seal)
  const tell = createTellChannel({ transport, timers, clock, vapid, contact: contactOf(publicUrl), mailer, application: config.organizationName })
  const work = new DeliveryWork({
    ...ports,
    payload: { iso: (at) => new Date(at).toISOString(), details: (event) => details(event.organization, event.connection), reconnectUrl: parts.repairLink },
    send: traced(createWebhookSender({ transport, timers }), parts.tracing),
    count: (organization, series) => parts.counter.count(organization, '', series),
  })
  const webhooks = new WebhookService({
    ...ports,
    work,
    refusal: refusalOf(parts.guard),
    base64: (bytes) => Buffer.from(bytes).toString('base64'),
  })
  const watch = new AlertWatch({
    ...ports,
    details,
    ownerMail: async (organization) => (await store.organizations.settings(organization)).ownerMail,
    minuteOfDay,
    holder: parts.node,
  })
  return {
    alerts: new AlertService({ ...ports, minuteOfDay }),
    webhooks,
    channels: new ChannelService({
      ...ports,
      tell,
      testWebhook: async (organization, id, actor) => {
        const { attempt } = await webhooks.test(organization, id, actor)
        return attempt.status !== null && attempt.status < 300 ? null : (attempt.error ?? String(attempt.status))
      },
      hostOf: (url) => hostOf(url, parts.guard),
      minuteOfDay,
      consoleUrl: links.all,
    }),
    pushKey: async () => (await vapid()).publicKey,
    alertLinks: links,
    openAlerts: async (organization) => (await store.alerts.open(organization)).map((alert) => alertView(alert, links, clock.wall())),
    alertChores: {
      watch,
      report: new NodeReport({ watch, organization: parts.organization, node: parts.node, facts: parts.facts, alerts: store.alerts, clock }),
      deliveries: work,
      notifier: new Notifier({
        ...ports,
        tell,
        links,
        minuteOfDay,
        report: async (organization) => (await store.observed.eventsOfTypes(organization, ['report.daily'], 1))[0],
      }),
      letters: composeLetters(parts, details),
    },
  }
}

function composeLetters({ store, mailer, clock, entropy, log, repairLink }: AlertComposition, details: ReturnType<typeof detailsOf>): OwnerLetters {
  return new OwnerLetters({
    ...{ alerts: store.alerts, details, reconnectUrl: repairLink, compose: ownerLetter, mailer, clock, entropy, log },
    addressOf: async (organization, owner) => {
      const user = await userOfOwner(store.users, owner)
      if (user === undefined || user.email === null || user.disabledAt !== null) return null
      // Somebody else's owner may be called like a person of ours.
      const memberships = await store.users.membershipsOf(user.id)
      return memberships.some((membership) => membership.organization === organization) ? user.email : null
    },
    sender: async (organization) => {
      const [settings, named] = await Promise.all([store.organizations.settings(organization), store.organizations.get(organization)])
      return settings.ownerMail ? { application: settings.applicationName ?? named?.name ?? '', supportEmail: settings.supportEmail } : null
    },
  })
}

function detailsOf(connections: Pick<ConnectionService, 'get'>) {
  return async (organization: OrganizationId, id: ConnectionId | null): Promise<ConnectionDetails | undefined> => {
    if (id === null) return undefined
    try {
      return await connections.get(organization, id)
    } catch (error) {
      if (error instanceof Fault && error.code === 'not_found') return undefined
      throw error
    }
  }
}

/** Push services take an https address or mailto (RFC 8292 section 2.1); a server of development has neither. */
function contactOf(publicUrl: string): string {
  return publicUrl.startsWith('https:') ? publicUrl : `mailto:evergrant@${new URL(publicUrl).hostname}`
}

function alertLinks(publicUrl: string): Services['alertLinks'] {
  return {
    all: `${publicUrl}/console/alerts`,
    metrics: `${publicUrl}/console/metrics`,
    alert: ({ id }) => `${publicUrl}/console/alerts/${id}`,
    runbook: (kind) => `${publicUrl}/docs/runbooks/${kind.replaceAll('_', '-')}`,
  }
}

function hostOf(text: string, guard: Pick<AddressGuard, 'allowsPrivate'>): string | null {
  return refusalOf(guard)(text) === null ? new URL(text).host : null
}

/** As far as the text of an address tells; what it resolves to is checked at every connection. */
function refusalOf(guard: Pick<AddressGuard, 'allowsPrivate'>): (url: string) => string | null {
  return (text) => {
    if (!URL.canParse(text)) return 'This is no address. Example: https://app.example.com/hooks/evergrant'
    const { protocol, username, password, hostname, port, hash } = new URL(text)
    if (username !== '' || password !== '' || hash !== '') return 'The address may hold no user, no password and no part behind `#`.'
    const number = port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port)
    if (protocol === 'https:' || (protocol === 'http:' && guard.allowsPrivate(hostname, number))) return null
    return 'The address must begin with https. Plain http is for hosts that EVERGRANT_DANGEROUS_PRIVATE_HOSTS names.'
  }
}

const GATHER_MS = 250

/** Tells the live stream of alerts and deliveries that changed here or on another node; several changes within a quarter of a second are one. */
export function feedAlerts(parts: FeedComposition): void {
  const { store, live, alertLinks: links, clock, timers, log } = parts
  const waiting = new Map<string, () => Promise<void>>()
  const flush = (): void => {
    const tellers = [...waiting.values()]
    waiting.clear()
    for (const tell of tellers) tell().catch((error: unknown) => log.warn({ error: String(error) }, 'a change could not be shown live'))
  }
  const gather = (id: string, tell: () => Promise<void>): void => {
    if (waiting.size === 0) timers.after(GATHER_MS, flush)
    waiting.set(id, tell)
  }
  store.changes.subscribe((change) => {
    if (change.kind === 'alert')
      gather(change.alert, async () => {
        const alert = await store.alerts.find(change.alert)
        if (alert !== undefined)
          live.publish(alert.organization, { topic: 'alerts', event: 'alert', data: JSON.stringify(alertView(alert, links, clock.wall())) })
      })
    if (change.kind === 'delivery')
      gather(change.delivery, async () => {
        const delivery = await store.webhooks.find(change.delivery)
        const tries = delivery === undefined ? undefined : (await store.webhooks.tries([delivery.id])).get(delivery.id)
        if (delivery !== undefined)
          live.publish(delivery.organization, { topic: 'deliveries', event: 'delivery', data: JSON.stringify(deliveryView(delivery, tries ?? [])) })
      })
  })
}

interface FeedComposition extends Pick<Services, 'live' | 'alertLinks'> {
  readonly store: Pick<Store, 'alerts' | 'webhooks' | 'changes'>
  readonly clock: Clock
  readonly timers: Timers
  readonly log: Log
}
