import type { Seal } from '../../core/seal/seal.ts'

/** The server's key pair for push services (RFC 8292), base64url. */
export interface VapidKeys {
  readonly publicKey: string
  readonly privateKey: string
}

/** A place for one sealed value, shared by all nodes. */
interface KeptValue {
  get(name: string): Promise<Uint8Array | undefined>
  /** Writes only if absent; returns what is stored afterwards. */
  putIfAbsent(name: string, value: Uint8Array): Promise<Uint8Array>
}

const NAME = 'vapid_keys'
const CONTEXT = { organization: '', table: 'meta', row: NAME, column: 'value' }

/** The library is loaded by whoever needs it: most nodes never do. */
async function newPair(): Promise<VapidKeys> {
  const { default: webPush } = await import('web-push')
  return webPush.generateVAPIDKeys()
}

/** Made when the first browser asks; all nodes then have the same. A subscription is bound to the key, so it is never replaced by itself. */
export function createVapidKeys(meta: KeptValue, seal: Pick<Seal, 'seal' | 'openText'>): () => Promise<VapidKeys> {
  let known: VapidKeys | null = null
  return async () => {
    if (known !== null) return known
    const stored = (await meta.get(NAME)) ?? (await meta.putIfAbsent(NAME, seal.seal(JSON.stringify(await newPair()), CONTEXT)))
    const keys: VapidKeys = JSON.parse(seal.openText(stored, CONTEXT))
    known = keys
    return keys
  }
}
