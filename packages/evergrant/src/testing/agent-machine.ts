import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import { systemEntropy } from '../system.ts'
import { testSeal } from './seal.ts'

/** What a machine needs of the server: its address, its time, and a way to send. */
export interface AgentServer {
  readonly publicUrl: string
  readonly now: () => number
  send(method: Method, path: string, options: { readonly headers: Readonly<Record<string, string>>; readonly body?: unknown }): Promise<MachineAnswer>
}

type Method = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'

export interface MachineAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | number | undefined>>
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers of many shapes
  readonly json: any
}

interface ProofOptions {
  readonly credential?: string
  readonly accessToken?: string
  readonly nonce?: string | null
}

/** A program with a key of its own, that speaks the protocol of docs/reference/sdk-protocol.md by hand. */
export class AgentMachine {
  readonly thumbprint: string
  nonce: string | null = null
  accessToken: string | null = null
  refreshToken: string | null = null
  readonly #server: AgentServer
  readonly #privateKey: CryptoKey
  readonly #jwk: JWK

  private constructor(server: AgentServer, privateKey: CryptoKey, jwk: JWK, thumbprint: string) {
    this.#server = server
    this.#privateKey = privateKey
    this.#jwk = jwk
    this.thumbprint = thumbprint
  }

  static async make(server: AgentServer): Promise<AgentMachine> {
    const { privateKey, publicKey } = await generateKeyPair('ES256')
    const jwk = await exportJWK(publicKey)
    return new AgentMachine(server, privateKey, jwk, await calculateJwkThumbprint(jwk, 'sha256'))
  }

  static attempt(): string {
    return Buffer.from(systemEntropy.bytes(16)).toString('base64url')
  }

  proof(method: string, path: string, { credential, accessToken, nonce = this.nonce }: ProofOptions = {}): Promise<string> {
    const digest = (text: string) => testSeal().digest(text)
    return new SignJWT({
      htm: method,
      htu: `${this.#server.publicUrl}${path.split('?')[0]}`,
      jti: systemEntropy.uuid(),
      iat: Math.floor(this.#server.now() / 1_000),
      ...(nonce === null ? {} : { nonce }),
      ...(credential === undefined ? {} : { rth: digest(credential) }),
      ...(accessToken === undefined ? {} : { ath: digest(accessToken) }),
    })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: this.#jwk })
      .sign(this.#privateKey)
  }

  /** With a proof over the credential in the body; once more with the nonce where the server asks for one. */
  async post(path: string, credential: string, body: unknown): Promise<MachineAnswer> {
    const once = async () => this.#heard(await this.#server.send('POST', path, { headers: { dpop: await this.proof('POST', path, { credential }) }, body }))
    const first = await once()
    return first.json?.code === 'dpop_nonce_required' ? once() : first
  }

  /** One use of the enrolment credential, kept when it went well. */
  async enrol(
    credential: { readonly code?: string; readonly device_code?: string; readonly workload_token?: string },
    more: object = {},
  ): Promise<MachineAnswer> {
    const text = credential.code?.split('.')[0] ?? credential.device_code ?? credential.workload_token ?? ''
    const answer = await this.post('/api/v1/agents/enroll', text, {
      attempt_id: AgentMachine.attempt(),
      hints: { host: 'web-2', platform: 'linux' },
      ...credential,
      ...more,
    })
    this.#keep(answer)
    return answer
  }

  async refresh(): Promise<MachineAnswer> {
    const token = this.refreshToken ?? ''
    const answer = await this.post('/api/v1/auth/sdk/refresh', token, { refresh_token: token, attempt_id: AgentMachine.attempt() })
    this.#keep(answer)
    return answer
  }

  /** With the access token and a proof for it. */
  async call(method: Method, path: string, body?: unknown, more: Readonly<Record<string, string>> = {}): Promise<MachineAnswer> {
    const accessToken = this.accessToken ?? ''
    const headers = { ...more, authorization: `DPoP ${accessToken}`, dpop: await this.proof(method, path, { accessToken }) }
    return this.#heard(await this.#server.send(method, path, { headers, ...(body === undefined ? {} : { body }) }))
  }

  #heard(answer: MachineAnswer): MachineAnswer {
    const nonce = answer.headers['dpop-nonce']
    if (typeof nonce === 'string') this.nonce = nonce
    return answer
  }

  #keep({ status, json }: MachineAnswer): void {
    if (status !== 200) return
    this.accessToken = json.access_token
    this.refreshToken = json.refresh_token
  }
}
