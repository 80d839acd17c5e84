import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A server that speaks the part of Vault's HTTP API that a Transit key needs, and is as strict as Vault about it. */
export interface VaultServer {
  readonly url: string
  readonly token: string
  /** `POST <mount>/keys/<name>/rotate`: the next encryption has the next version. */
  rotate(key: string): void
  /** Versions before this one no longer decrypt. */
  archiveBefore(key: string, version: number): void
  /** While it is sealed everything is answered with 503. */
  sealed: boolean
  /** The next requests are answered with these, one each. */
  readonly next: number[]
  /** Deeds and keys that were asked for, in order. */
  readonly asked: string[]
  close(): Promise<void>
}

interface TransitKey {
  readonly derived: boolean
  readonly versions: Buffer[]
  oldest: number
}

interface Asked {
  readonly deed: string
  readonly key: string
  readonly body: Record<string, unknown>
}

class Refusal extends Error {
  readonly status: number
  constructor(status: number, ...errors: readonly string[]) {
    super(errors.join('\n'))
    this.status = status
  }
}

/** `keys`: Transit keys by name, derived or not. The mount is `transit`. */
export async function startVaultServer(keys: Readonly<Record<string, { readonly derived: boolean }>>): Promise<VaultServer> {
  const rings = new Map(Object.entries(keys).map(([name, { derived }]) => [name, { derived, versions: [randomBytes(32)], oldest: 1 } as TransitKey]))
  const token = `hvs.${randomBytes(18).toString('base64url')}`
  const own = { sealed: false, next: [] as number[], asked: [] as string[] }
  const server = createServer((request, response) => {
    answer(request, response, { rings, token, own }).catch(() => response.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const ringOf = (name: string): TransitKey => rings.get(name) ?? raise(`no key ${name}`)
  return Object.assign(own, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token,
    rotate: (name: string) => void ringOf(name).versions.push(randomBytes(32)),
    archiveBefore: (name: string, version: number) => {
      ringOf(name).oldest = version
    },
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  })
}

function raise(message: string): never {
  throw new Error(message)
}

interface World {
  readonly rings: ReadonlyMap<string, TransitKey>
  readonly token: string
  readonly own: { readonly sealed: boolean; readonly next: number[]; readonly asked: string[] }
}

async function answer(request: IncomingMessage, response: ServerResponse, { rings, token, own }: World): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const say = (status: number, body: object) => response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`)
  try {
    if (own.sealed) throw new Refusal(503, 'Vault is sealed')
    const forced = own.next.shift()
    if (forced !== undefined) throw new Refusal(forced, 'asked for by the test')
    const asked = read(request, Buffer.concat(chunks), token)
    own.asked.push(`${asked.deed} ${asked.key}`)
    say(200, {
      request_id: crypto.randomUUID(),
      lease_id: '',
      renewable: false,
      lease_duration: 0,
      data: work(asked, rings),
      wrap_info: null,
      warnings: null,
      auth: null,
    })
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    say(error.status, { errors: error.message === '' ? [] : error.message.split('\n') })
  }
}

/** The token is looked at before the path, as Vault does: who may nothing learns nothing. */
function read(request: IncomingMessage, bytes: Buffer, token: string): Asked {
  if (request.headers['x-vault-token'] !== token) throw new Refusal(403, 'permission denied')
  const [, deed, key] = /^\/v1\/transit\/(encrypt|decrypt|rewrap)\/([\w.-]+)$/.exec(request.url ?? '') ?? []
  if (deed === undefined || key === undefined) throw new Refusal(404)
  if (request.method !== 'POST' && request.method !== 'PUT') throw new Refusal(405, 'unsupported operation')
  try {
    return { deed, key, body: JSON.parse(bytes.toString('utf8')) as Record<string, unknown> }
  } catch {
    throw new Refusal(400, 'failed to parse JSON input')
  }
}

function work({ deed, key, body }: Asked, rings: ReadonlyMap<string, TransitKey>): object {
  const ring = rings.get(key)
  if (ring === undefined) throw new Refusal(400, 'encryption key not found')
  const context = body['context'] === undefined ? null : base64(body['context'], 'failed to base64-decode context')
  if (ring.derived && context === null)
    throw new Refusal(
      400,
      "missing 'context' for key derivation; the key was created using a derived key, which means additional, per-request information must be included in order to perform operations with the key",
    )
  if (deed === 'encrypt')
    return { ciphertext: encrypt(ring, context, base64(body['plaintext'], 'failed to base64-decode plaintext')), key_version: ring.versions.length }
  const plain = decrypt(ring, context, body['ciphertext'])
  return deed === 'rewrap' ? { ciphertext: encrypt(ring, context, plain), key_version: ring.versions.length } : { plaintext: plain.toString('base64') }
}

/** Standard base64 with its padding, nothing else. */
function base64(value: unknown, complaint: string): Buffer {
  if (typeof value !== 'string' || value === '' || !/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(value))
    throw new Refusal(400, complaint)
  return Buffer.from(value, 'base64')
}

/** A key that is not derived ignores the context. */
function keyOf({ derived, versions }: TransitKey, version: number, context: Buffer | null): Buffer {
  const key = versions[version - 1]
  if (key === undefined) throw new Refusal(400, 'invalid ciphertext: version is too new')
  return derived ? Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), context ?? Buffer.alloc(0), 32)) : key
}

function encrypt(ring: TransitKey, context: Buffer | null, plain: Buffer): string {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', keyOf(ring, ring.versions.length, context), nonce)
  return `vault:v${ring.versions.length}:${Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]).toString('base64')}`
}

function decrypt(ring: TransitKey, context: Buffer | null, ciphertext: unknown): Buffer {
  const [, version, data] = /^vault:v(\d+):(.+)$/.exec(typeof ciphertext === 'string' ? ciphertext : '') ?? []
  if (version === undefined || data === undefined) throw new Refusal(400, 'invalid ciphertext: no prefix')
  if (Number(version) < ring.oldest) throw new Refusal(400, 'ciphertext or signature version is disallowed by policy (too old)')
  const bytes = base64(data, 'invalid ciphertext: could not decode base64')
  const decipher = createDecipheriv('aes-256-gcm', keyOf(ring, Number(version), context), bytes.subarray(0, 12))
  decipher.setAuthTag(bytes.subarray(-16))
  try {
    return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()])
  } catch {
    throw new Refusal(400, 'cipher: message authentication failed')
  }
}
