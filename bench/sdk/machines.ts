import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { Agent, request } from 'node:http'
import { type JsonClient, textAt } from '../../packages/lab/src/http.ts'
import type { ServerProcess } from '../../packages/lab/src/server-process.ts'

/** An installation that speaks the protocol by hand. Each has an address of its own on the loopback net, so that no limit of one address holds it back. */
export class Machine {
  readonly #url: URL
  readonly #agent: Agent
  readonly #key: KeyObject
  readonly #header: string
  #nonce: string | null = null
  #token = ''

  constructor(server: ServerProcess, index: number) {
    this.#url = new URL(server.url)
    this.#agent = new Agent({ keepAlive: true, maxSockets: 1, localAddress: `127.0.${1 + Math.floor(index / 200)}.${1 + (index % 200)}` })
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    this.#key = privateKey
    this.#header = encoded({ typ: 'dpop+jwt', alg: 'ES256', jwk: publicKey.export({ format: 'jwk' }) })
  }

  async enrol(code: string): Promise<void> {
    const secret = code.split('.')[0] ?? ''
    await this.#present('/api/v1/agents/enroll', secret, { code: secret })
  }

  async refresh(): Promise<void> {
    await this.#present('/api/v1/auth/sdk/refresh', this.#token, { refresh_token: this.#token })
  }

  close(): void {
    this.#agent.destroy()
  }

  async #present(path: string, credential: string, body: object): Promise<void> {
    const text = JSON.stringify({ ...body, attempt_id: randomBytes(16).toString('base64url') })
    let answer = await this.#post(path, credential, text)
    if (answer.status === 401) answer = await this.#post(path, credential, text)
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.body}`)
    this.#token = JSON.parse(answer.body).refresh_token
  }

  #post(path: string, credential: string, text: string): Promise<{ readonly status: number; readonly body: string }> {
    const { hostname, port, origin } = this.#url
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text), dpop: this.#proof(`${origin}${path}`, credential) }
    return new Promise((resolve, reject) => {
      const sent = request({ agent: this.#agent, hostname, port, path, method: 'POST', headers }, (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('error', reject)
        answer.on('end', () => {
          const nonce = answer.headers['dpop-nonce']
          if (typeof nonce === 'string') this.#nonce = nonce
          resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString() })
        })
      })
      sent.on('error', reject)
      sent.end(text)
    })
  }

  #proof(htu: string, credential: string): string {
    const rth = createHash('sha256').update(credential).digest('base64url')
    const jti = randomBytes(16).toString('base64url')
    const input = `${this.#header}.${encoded({ jti, htm: 'POST', htu, iat: Math.floor(Date.now() / 1_000), rth, ...(this.#nonce === null ? {} : { nonce: this.#nonce }) })}`
    return `${input}.${sign('sha256', Buffer.from(input), { key: this.#key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
  }
}

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** An agent of a new person, with this many machines. */
export async function enrolledMachines(server: ServerProcess, count: number): Promise<readonly Machine[]> {
  const admin = await server.client()
  const owner = await newOwner(admin)
  const agent = textAt(await made(admin, '/agents', { name: 'bench', owner, policy: {} }), 'id')
  const machines = Array.from({ length: count }, (_, index) => new Machine(server, index))
  for (const machine of machines) await machine.enrol(textAt(await made(admin, `/agents/${agent}/enrolment-codes`, {}), 'code'))
  return machines
}

async function newOwner(admin: JsonClient): Promise<string> {
  const email = `${randomBytes(6).toString('hex')}@example.com`
  return textAt(await made(admin, '/users', { email, password: `bench ${randomBytes(9).toString('base64url')}`, name: 'Bench', role: 'operator' }), 'id')
}

async function made(admin: JsonClient, path: string, body: object) {
  const answer = await admin.post(path, body)
  if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${answer.text}`)
  return answer
}
