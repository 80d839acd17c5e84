import { createHmac } from 'node:crypto'
import type { SendWebhook } from '../../core/webhook/delivery-work.ts'
import { type PostOptions, post } from './post.ts'

const SECRET = /^whsec_([A-Za-z0-9+/]+={0,2})$/

/**
 * One signature of a message (Standard Webhooks, "Symmetric": HMAC-SHA256 over `id.timestamp.body`, base64, behind `v1,`).
 * @throws RangeError when the secret is not `whsec_` and base64
 */
export function signatureOf(secret: string, id: string, timestamp: number, body: string): string {
  const [, key] = SECRET.exec(secret) ?? []
  if (key === undefined) throw new RangeError('a webhook secret is whsec_ and base64')
  return `v1,${createHmac('sha256', Buffer.from(key, 'base64')).update(`${id}.${timestamp}.${body}`).digest('base64')}`
}

export function createWebhookSender(options: PostOptions): SendWebhook {
  return ({ url, id, at, body, secrets }) => {
    const timestamp = Math.floor(at / 1_000)
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'Evergrant-Webhooks/1',
      'webhook-id': id,
      'webhook-timestamp': String(timestamp),
      'webhook-signature': secrets.map((secret) => signatureOf(secret.reveal(), id, timestamp, body)).join(' '),
    }
    return post({ url, headers, body: Buffer.from(body, 'utf8') }, options)
  }
}
