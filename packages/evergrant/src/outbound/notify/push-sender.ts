import { ChannelError, type Message, type PushSubscriptionKeys } from '../../core/alert/message.ts'
import { retryAfterMs } from '../../core/provider/retry-after.ts'
import type { Clock } from '../../core/time.ts'
import { type PostOptions, post } from './post.ts'
import type { VapidKeys } from './vapid-keys.ts'

export interface PushOptions extends PostOptions {
  readonly clock: Pick<Clock, 'wall'>
  readonly vapid: () => Promise<VapidKeys>
  /** Whom a push service may write to about us: an https address or mailto (RFC 8292 section 2.1). */
  readonly contact: string
}

const LIFE_SECONDS = 24 * 60 * 60
const URGENCY = { info: 'low', warning: 'normal', critical: 'high' } as const
const LONGEST = 400

/** What the console's service worker shows. Push services take 4,096 bytes (RFC 8030 section 7.2). */
function pushPayload({ title, severity, items, url }: Message): string {
  const [first] = items
  const body = items.length === 1 && first !== undefined ? first.text : items.map((item) => item.title).join('\n')
  return JSON.stringify({ title: title.slice(0, LONGEST), body: body.slice(0, LONGEST), severity, url: items.length === 1 ? (first?.url ?? url) : url })
}

/** Encrypted for the one browser that made the subscription; the push service sees neither words nor names. @throws ChannelError */
export async function tellPush(subscription: PushSubscriptionKeys, message: Message, options: PushOptions): Promise<void> {
  const { publicKey, privateKey } = await options.vapid()
  // Loaded with the first push: most nodes never send one.
  const { default: webPush } = await import('web-push')
  const { endpoint, headers, body } = webPush.generateRequestDetails(subscription, pushPayload(message), {
    vapidDetails: { subject: options.contact, publicKey, privateKey },
    TTL: LIFE_SECONDS,
    urgency: URGENCY[message.severity],
    contentEncoding: 'aes128gcm',
  })
  const fields = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]))
  const outcome = await post({ url: endpoint, headers: fields, body: body ?? Buffer.alloc(0) }, options)
  if (outcome.kind === 'failed') throw new ChannelError(outcome.cause)
  if (outcome.status >= 200 && outcome.status < 300) return
  // RFC 8030 section 7.3: the subscription is over.
  const gone = outcome.status === 404 || outcome.status === 410
  throw new ChannelError(String(outcome.status), gone, retryAfterMs(outcome.headers, options.clock.wall()))
}
