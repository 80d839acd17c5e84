import { createHash, generateKeyPairSync, type KeyObject, randomBytes, randomUUID, sign } from 'node:crypto'
import { at } from './http.ts'

/** What a program needs of the server: where it is for proofs, and a way to send. */
interface ProgramServer {
  readonly publicUrl: string
  send(sent: {
    readonly method: string
    readonly path: string
    readonly headers: Readonly<Record<string, string>>
    readonly body: unknown
  }): Promise<{ readonly status: number; readonly headers: Readonly<Record<string, unknown>>; readonly body: unknown; readonly text: string }>
}

type Answer = Awaited<ReturnType<ProgramServer['send']>>

/** An enrolled copy of an agent with a key of its own, by docs/reference/sdk-protocol.md. One call at a time. */
export class EnrolledProgram {
  readonly #server: ProgramServer
  readonly #key: KeyObject
  readonly #jwk: unknown
  #nonce: string | null = null
  #refreshToken = ''

  private constructor(server: ProgramServer) {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    this.#server = server
    this.#key = privateKey
    this.#jwk = publicKey.export({ format: 'jwk' })
  }

  /** @throws Error unless the code is taken */
  static async enrol(server: ProgramServer, code: string): Promise<EnrolledProgram> {
    const program = new EnrolledProgram(server)
    const answer = await program.#present('/api/v1/agents/enroll', code.split('.')[0] ?? '', { attempt_id: attempt(), hints: { platform: 'linux' }, code })
    if (answer.status !== 200) throw new Error(`enrolling answered ${answer.status}: ${answer.text.slice(0, 500)}`)
    return program
  }

  /** The next credential for the present one. What was not answered is presented again, with another attempt. */
  async refresh(): Promise<Answer> {
    const token = this.#refreshToken
    return this.#present('/api/v1/auth/sdk/refresh', token, { refresh_token: token, attempt_id: attempt() })
  }

  async #present(path: string, credential: string, body: unknown): Promise<Answer> {
    const once = async (): Promise<Answer> => {
      const answer = await this.#server.send({ method: 'POST', path, headers: { dpop: this.#proof(path, credential) }, body })
      const nonce = answer.headers['dpop-nonce']
      if (typeof nonce === 'string') this.#nonce = nonce
      return answer
    }
    const first = await once()
    const answer = at(first.body, 'code') === 'dpop_nonce_required' ? await once() : first
    const next = at(answer.body, 'refresh_token')
    if (answer.status === 200 && typeof next === 'string') this.#refreshToken = next
    return answer
  }

  #proof(path: string, credential: string): string {
    const header = encoded({ alg: 'ES256', typ: 'dpop+jwt', jwk: this.#jwk })
    const payload = encoded({
      htm: 'POST',
      htu: `${this.#server.publicUrl}${path}`,
      jti: randomUUID(),
      iat: Math.floor(Date.now() / 1_000),
      rth: createHash('sha256').update(credential).digest('base64url'),
      ...(this.#nonce === null ? {} : { nonce: this.#nonce }),
    })
    const signature = sign('sha256', Buffer.from(`${header}.${payload}`), { key: this.#key, dsaEncoding: 'ieee-p1363' })
    return `${header}.${payload}.${signature.toString('base64url')}`
  }
}

const attempt = (): string => randomBytes(16).toString('base64url')
const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
