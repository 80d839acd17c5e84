import { createHash, createPrivateKey, type KeyObject, sign } from 'node:crypto'
import type { Entropy } from '../core/time.ts'
import type { AgentLab } from './agent-lab.ts'

export const VECTOR_URL = 'https://evergrant.example'
export type PrivateJwk = Readonly<Record<string, string>>

/** What a program does with an answer. docs/reference/sdk-protocol.md, "What a client does". */
type Next = 'store' | 'nonce' | 'poll' | 'recover' | 'refresh' | 'reload' | 're_key' | 'later' | 'ended' | 'stop' | 'show'

/** One request and its answer, as docs/reference/sdk-protocol-vectors.json has it. */
export interface VectorExchange {
  readonly title: string
  /** Row of the page. */
  readonly row: string
  /** What the program has and draws: with it, its request is the one below to the last claim. */
  readonly given: Readonly<Record<string, unknown>>
  readonly request: { readonly method: 'POST'; readonly path: string; readonly dpop: string | null; readonly body: Readonly<Record<string, unknown>> }
  readonly answer: { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: unknown }
  readonly next: Next
}

export interface VectorKey {
  readonly jwk: PrivateJwk
  readonly publicJwk: PrivateJwk
  readonly thumbprint: string
  readonly key: KeyObject
}

const SEED_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')
export const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url')
const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Ed25519 (RFC 8032), whose signatures are the same each time; the seed is the private key. */
export function vectorKey(seed: Uint8Array): VectorKey {
  return keyOf(createPrivateKey({ key: Buffer.concat([SEED_PREFIX, seed]), format: 'der', type: 'pkcs8' }))
}

export function keyOf(key: KeyObject): VectorKey {
  const { d, ...publicJwk } = key.export({ format: 'jwk' }) as Record<string, string>
  const { crv = '', kty = '', x = '', y } = publicJwk
  const defining = { crv, kty, x, ...(y === undefined ? {} : { y }) }
  return { key, publicJwk: defining, jwk: { ...defining, d: d ?? '' }, thumbprint: sha256(JSON.stringify(defining)) }
}

/** A compact JWS of this header and these claims. */
export function signed(key: KeyObject, header: object, claims: object): string {
  const input = `${encoded(header)}.${encoded(claims)}`
  const ec = key.asymmetricKeyType === 'ec'
  const signature = ec ? sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }) : sign(null, Buffer.from(input), key)
  return `${input}.${signature.toString('base64url')}`
}

export const algorithmOf = ({ key }: Pick<VectorKey, 'key'>): 'ES256' | 'EdDSA' => (key.asymmetricKeyType === 'ec' ? 'ES256' : 'EdDSA')

interface Presenting {
  readonly title: string
  readonly row: string
  readonly next: Next
  readonly token?: string
  readonly attempt?: string
  /** The answer is lost: the machine goes on with what it had. */
  readonly lost?: boolean
  readonly nonce?: string | null
  readonly nextKey?: VectorKey
}

/** A program whose every key, identifier and attempt is written down beside what it sends. */
export class VectorMachine {
  key: VectorKey
  nonce: string
  refreshToken = ''
  attempt = ''
  accessToken = ''
  installation = ''
  readonly #lab: AgentLab
  readonly #entropy: Entropy
  readonly #kept: VectorExchange[]

  constructor(lab: AgentLab, entropy: Entropy, kept: VectorExchange[]) {
    this.#lab = lab
    this.#entropy = entropy
    this.#kept = kept
    this.key = vectorKey(entropy.bytes(32))
    this.nonce = lab.services.proofs.nonces.current()
  }

  random(): string {
    return Buffer.from(this.#entropy.bytes(16)).toString('base64url')
  }

  newKey(): VectorKey {
    return vectorKey(this.#entropy.bytes(32))
  }

  /** Without a line in the vectors: what had to happen before. */
  async enrol(code: string): Promise<this> {
    await this.send('/api/v1/agents/enroll', code.split('.')[0] ?? '', { code }, null)
    if (this.refreshToken === '') throw new Error('the machine was not enrolled')
    return this
  }

  refresh(said: Presenting | null = null): Promise<unknown> {
    return this.#present('refresh', said)
  }

  recover(said: Presenting): Promise<unknown> {
    return this.#present('recover', said)
  }

  revoke(said: Presenting): Promise<unknown> {
    return this.send('/api/v1/auth/sdk/revoke', said.token ?? this.refreshToken, { refresh_token: said.token ?? this.refreshToken }, said, false)
  }

  /** Shows the access token, so that its generation was seen. */
  async use(): Promise<void> {
    const url = '/api/v1/connections'
    const proof = this.proof({ htm: 'GET', htu: VECTOR_URL + url, ath: sha256(this.accessToken) })
    await this.#lab.call('GET', url, { key: null, headers: { authorization: `DPoP ${this.accessToken}`, dpop: proof.text } })
    await this.#lab.time.advance(2_000)
  }

  proof(claims: object, { key, nonce }: { readonly key: VectorKey; readonly nonce: string | null } = this) {
    const drawn = { jti: this.random(), iat: Math.floor(this.#lab.time.clock.wall() / 1_000) }
    const header = { typ: 'dpop+jwt', alg: algorithmOf(key), jwk: key.publicJwk }
    return { drawn, text: signed(key.key, header, { ...drawn, ...claims, ...(nonce === null ? {} : { nonce }) }) }
  }

  async send(path: string, credential: string, body: Readonly<Record<string, unknown>>, said: Presenting | null, attempts = true): Promise<unknown> {
    const nonce = said?.nonce === undefined ? this.nonce : said.nonce
    const claims = { htm: 'POST', htu: VECTOR_URL + path, rth: sha256(credential) }
    const proof = this.proof(claims, { key: this.key, nonce })
    const next = said?.nextKey === undefined ? null : this.proof(claims, { key: said.nextKey, nonce })
    const attempt = said?.attempt ?? this.random()
    const { jwk } = this.key
    const sent = { ...body, ...(attempts ? { attempt_id: attempt } : {}), ...(next === null ? {} : { next_key_proof: next.text }) }
    const answer = await this.#lab.call('POST', path, { key: null, headers: { dpop: proof.text, 'request-id': 'vector' }, body: sent })
    if (answer.status === 200 && said?.lost !== true) this.#keep(answer.json, attempt, said?.nextKey)
    this.nonce = String(answer.headers['dpop-nonce'] ?? this.nonce)
    const given = {
      key: jwk,
      nonce,
      credential,
      ...(attempts ? { attempt_id: attempt } : {}),
      ...proof.drawn,
      ...(next === null ? {} : { next_key: said?.nextKey?.jwk, next_jti: next.drawn.jti, next_iat: next.drawn.iat }),
    }
    if (said !== null) this.record(said, given, { method: 'POST', path, dpop: proof.text, body: sent }, answer)
    return answer.json
  }

  record(
    { title, row, next }: Pick<Presenting, 'title' | 'row' | 'next'>,
    given: VectorExchange['given'],
    request: VectorExchange['request'],
    answer: Awaited<ReturnType<AgentLab['call']>>,
  ): void {
    const headers = Object.fromEntries(
      ['dpop-nonce', 'retry-after'].flatMap((name) => (answer.headers[name] === undefined ? [] : [[name, String(answer.headers[name])]])),
    )
    this.#kept.push({ title, row, given, request, answer: { status: answer.status, headers, body: answer.json }, next })
  }

  #present(verb: 'refresh' | 'recover', said: Presenting | null): Promise<unknown> {
    const token = said?.token ?? this.refreshToken
    const body = verb === 'refresh' ? { refresh_token: token } : { old_refresh_token: token }
    return this.send(`/api/v1/auth/sdk/${verb}`, token, body, said)
  }

  // biome-ignore lint/suspicious/noExplicitAny: the answer of the server as JSON
  #keep(body: any, attempt: string, nextKey: VectorKey | undefined): void {
    if (typeof body?.refresh_token !== 'string') return
    this.refreshToken = body.refresh_token
    this.accessToken = body.access_token
    this.installation = body.installation.id
    this.attempt = attempt
    if (nextKey !== undefined) this.key = nextKey
  }
}
