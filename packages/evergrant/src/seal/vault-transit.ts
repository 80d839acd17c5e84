import { Fault } from '../core/fault/fault.ts'
import type { Secret } from '../core/seal/secret.ts'
import { SECOND, type Timers } from '../core/time.ts'
import type { KeyProvider } from './key-provider.ts'

interface VaultTransitOptions {
  /** `https://vault.example.com:8200/v1/<mount>/keys/<key>`. */
  readonly address: string
  readonly token: Secret
  readonly timers: Timers
  readonly fetch?: typeof fetch
}

const TRIES = 5
const FIRST_WAIT_MS = SECOND / 2
const DEADLINE_MS = 10 * SECOND
/** Sealed or starting (503), a standby without its leader (500, 502), eventual consistency (412), rate limit (429), health of standbys (472, 473). */
const PASSING = new Set([412, 429, 472, 473, 500, 502, 503])
/** Whatever the name of the key at Vault, what was wrapped for another purpose there does not unwrap as a master key. */
const CONTEXT = Buffer.from('evergrant master key v1', 'utf8').toString('base64')

/** `/v1/<mount>/keys/<key>` of an address, taken apart. Undefined: it is not of this form. */
export function transitPlace(address: string): { readonly base: string; readonly key: string } | undefined {
  const url = URL.parse(address)
  const [, mount, key] = /^\/v1\/((?:[\w.-]+\/)*[\w.-]+)\/keys\/([\w.-]+)$/.exec(url?.pathname ?? '') ?? []
  if (url === null || !/^https?:$/.test(url.protocol) || mount === undefined || key === undefined) return undefined
  if (url.username !== '' || url.search !== '' || url.hash !== '') return undefined
  return { base: `${url.origin}/v1/${mount}`, key }
}

/**
 * The Transit engine of HashiCorp Vault and OpenBao over HTTP (`POST <mount>/encrypt/<key>` and `decrypt/<key>`, header `X-Vault-Token`). The key
 * at Vault may be derived or not: a context is always sent, and a key that is not derived ignores it.
 */
export function vaultTransit({ address, token, timers, fetch: send = fetch }: VaultTransitOptions): KeyProvider {
  const place = transitPlace(address)
  if (place === undefined) throw refusal('EVERGRANT_VAULT_KEY', 'is not of the form https://vault.example.com:8200/v1/transit/keys/evergrant')
  const name = `Vault at ${new URL(address).origin}`
  const ask = async (deed: 'encrypt' | 'decrypt', body: Readonly<Record<string, string>>, answer: string): Promise<string> => {
    const url = `${place.base}/${deed}/${place.key}`
    for (let tried = 1; ; tried += 1) {
      const reply = await request(send, timers, url, token, { ...body, context: CONTEXT })
      if (reply.kind === 'answered' && reply.status === 200) return fieldOf(reply.body, answer, name)
      const passing = reply.kind === 'unreachable' || PASSING.has(reply.status)
      if (!passing || tried === TRIES) throw explained(name, place.key, deed, reply)
      await timers.sleep(FIRST_WAIT_MS * 2 ** (tried - 1))
    }
  }
  return {
    name,
    wrap: (key) => ask('encrypt', { plaintext: Buffer.from(key).toString('base64') }, 'ciphertext'),
    unwrap: async (wrapped) => new Uint8Array(Buffer.from(await ask('decrypt', { ciphertext: wrapped }, 'plaintext'), 'base64')),
  }
}

type Reply = { readonly kind: 'answered'; readonly status: number; readonly body: unknown } | { readonly kind: 'unreachable'; readonly why: string }

/** No redirect is followed: the token is for the address that was given. */
async function request(send: typeof fetch, timers: Timers, url: string, token: Secret, body: object): Promise<Reply> {
  const limit = new AbortController()
  const cancel = timers.after(DEADLINE_MS, () => limit.abort())
  try {
    const headers = { 'x-vault-token': token.reveal(), 'x-vault-request': 'true', 'content-type': 'application/json' }
    const answer = await send(url, { method: 'POST', headers, body: JSON.stringify(body), redirect: 'manual', signal: limit.signal })
    const text = await answer.text()
    return { kind: 'answered', status: answer.status, body: parsed(text) }
  } catch (error) {
    return { kind: 'unreachable', why: limit.signal.aborted ? `no answer in ${DEADLINE_MS / SECOND} s` : causeOf(error) }
  } finally {
    cancel()
  }
}

function causeOf(error: unknown): string {
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error
  return inner instanceof Error && 'code' in inner ? String(inner.code) : 'no connection'
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

const member = (value: unknown, name: string): unknown => (typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined)

function fieldOf(body: unknown, field: string, name: string): string {
  const value = member(member(body, 'data'), field)
  if (typeof value === 'string' && value !== '') return value
  throw refusal('EVERGRANT_VAULT_KEY', `names ${name}, which answered without \`data.${field}\`: check that the address is that of a Transit key`)
}

/** What Vault says of itself, cut: it names paths and policies, never a secret of ours. */
function saidBy(body: unknown): string {
  const errors = member(body, 'errors')
  const text = Array.isArray(errors) ? errors.map(String).join('; ').replaceAll(/\s+/g, ' ').slice(0, 200) : ''
  return text === '' ? '' : ` It said: ${text}.`
}

function explained(name: string, key: string, deed: 'encrypt' | 'decrypt', reply: Reply): Fault {
  if (reply.kind === 'unreachable') return away(`${name} cannot be reached (${reply.why}): check EVERGRANT_VAULT_KEY and the network.`)
  const said = saidBy(reply.body)
  const words = said.toLowerCase()
  switch (reply.status) {
    case 503:
      return away(`${name} is sealed or in maintenance: unseal it (vault operator unseal), then start again.${said}`)
    case 403:
      return refusal(
        'EVERGRANT_VAULT_TOKEN',
        `is not allowed to ${deed} with key ${key} at ${name}, or has expired: give it a policy with update on ${deed}/${key}.${said}`,
      )
    case 404:
      return refusal('EVERGRANT_VAULT_KEY', `names a place that ${name} does not have: check the mount and that the Transit engine is enabled.${said}`)
    case 400:
      return words.includes('key not found')
        ? refusal('EVERGRANT_VAULT_KEY', `names key ${key}, which ${name} does not have: make it (vault write -f <mount>/keys/${key}).${said}`)
        : refusal(
            'EVERGRANT_MASTER_KEYS',
            `has a wrapped key that ${name} does not ${deed} with key ${key}: it was wrapped by another key, or its version was archived.${said}`,
          )
    default:
      return PASSING.has(reply.status)
        ? away(`${name} answered ${reply.status} ${TRIES} times: start again when it is well.${said}`)
        : refusal('EVERGRANT_VAULT_KEY', `names ${name}, which answered ${reply.status} to ${deed}: check the address.${said}`)
  }
}

const tail = 'Nothing was changed; no connection is lost.'
const away = (detail: string): Fault => new Fault('store_unavailable', { field: 'EVERGRANT_VAULT_KEY', detail: `${detail} ${tail}` })
const refusal = (field: string, why: string): Fault => new Fault('invalid_request', { field, detail: `${field} ${why}${why.endsWith('.') ? '' : '.'} ${tail}` })
