import { createHash, timingSafeEqual } from 'node:crypto'

/** A client application that may use the practice provider. */
export interface PracticeClient {
  readonly clientId: string
  readonly clientSecret: string
  /** Compared exactly; `loopback`: any http address of this machine. */
  readonly redirectUris: readonly string[] | 'loopback'
}

const DEFAULT_CLIENT: PracticeClient = { clientId: 'practice', clientSecret: 'practice-secret', redirectUris: 'loopback' }

const LOOPBACK = ['127.0.0.1', '[::1]', 'localhost']

export class ClientRegistry {
  readonly #clients = new Map<string, PracticeClient>([[DEFAULT_CLIENT.clientId, DEFAULT_CLIENT]])

  /** Adds a client, or replaces the one of the same id (a changed secret, for example). */
  register(client: PracticeClient): void {
    if (client.clientId === '' || client.clientSecret === '') throw new TypeError('client fields clientId and clientSecret must not be empty')
    this.#clients.set(client.clientId, client)
  }

  find(clientId: string): PracticeClient | undefined {
    return this.#clients.get(clientId)
  }

  accepts(clientId: string, redirectUri: string): boolean {
    const client = this.#clients.get(clientId)
    if (!client) return false
    if (client.redirectUris !== 'loopback') return client.redirectUris.includes(redirectUri)
    if (!URL.canParse(redirectUri)) return false
    const url = new URL(redirectUri)
    return url.protocol === 'http:' && LOOPBACK.includes(url.hostname) && url.hash === ''
  }

  /** The client that proved itself by Basic (RFC 6749 section 2.3.1) or by the body, never by both; else undefined. */
  authenticate(authorization: string | undefined, form: URLSearchParams): PracticeClient | undefined {
    const basic = authorization === undefined ? undefined : parseBasic(authorization)
    if (basic && form.has('client_secret')) return undefined
    const id = basic?.id ?? form.get('client_id') ?? ''
    const secret = basic?.secret ?? form.get('client_secret') ?? ''
    const client = this.#clients.get(id)
    return client && same(secret, client.clientSecret) ? client : undefined
  }
}

function parseBasic(header: string): { readonly id: string; readonly secret: string } | undefined {
  const match = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(header)
  if (!match?.[1]) return undefined
  const pair = Buffer.from(match[1], 'base64').toString('utf8')
  const colon = pair.indexOf(':')
  if (colon < 0) return undefined
  try {
    return { id: decode(pair.slice(0, colon)), secret: decode(pair.slice(colon + 1)) }
  } catch {
    return undefined
  }
}

const decode = (text: string): string => decodeURIComponent(text.replaceAll('+', ' '))

function same(left: string, right: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(left), digest(right))
}
