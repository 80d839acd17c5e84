import { randomBytes } from 'node:crypto'
import { EnrolledProgram } from '../enrolled-program.ts'
import { at } from '../http.ts'
import type { Answered, Sent } from '../kept-request.ts'
import { rest } from '../until.ts'
import type { Balancer } from './balancer.ts'

interface TrafficSetting {
  readonly balancer: Balancer
  /** What every node says its address is: proofs name it. */
  readonly publicUrl: string
  /** The header of a key that may do everything. */
  readonly key: Readonly<Record<string, string>>
  readonly connections: readonly string[]
  /** Callers of each kind. */
  readonly callers: number
  /** Between two requests of one caller. */
  readonly restMs: number
  /** Told of every token that is handed out. */
  readonly handedOut: (connection: string, answer: Answered, startedAt: number) => void
}

type Kind = 'token_read' | 'connection_refresh' | 'session_validate' | 'session_refresh' | 'sdk_refresh'

interface Tally {
  sent: number
  slowestMs: number
}

interface KindOfCaller {
  readonly kind: Kind
  readonly call: (turn: number) => Promise<Answered>
}

/**
 * Callers behind the load balancer: backends that read and renew tokens, people whose sessions are checked and renewed, programs that renew their
 * own. Nobody tries again. Failed: an answer from 500 on, none at all, or one that a caller with a good credential must never get.
 */
export class Traffic {
  readonly tally: Record<Kind, Tally> = {
    token_read: { sent: 0, slowestMs: 0 },
    connection_refresh: { sent: 0, slowestMs: 0 },
    session_validate: { sent: 0, slowestMs: 0 },
    session_refresh: { sent: 0, slowestMs: 0 },
    sdk_refresh: { sent: 0, slowestMs: 0 },
  }
  readonly failed: string[] = []
  readonly #setting: TrafficSetting
  readonly #callers: readonly KindOfCaller[]
  #going = true
  #loops: readonly Promise<void>[] = []

  private constructor(setting: TrafficSetting, callers: readonly KindOfCaller[]) {
    this.#setting = setting
    this.#callers = callers
  }

  static async open(setting: TrafficSetting): Promise<Traffic> {
    const callers: KindOfCaller[] = []
    const people = await makePeople(setting)
    for (let index = 0; index < setting.callers; index += 1) {
      const session = await signIn(setting, people)
      const program = people.agent === null ? null : await enrolled(setting, people.agent)
      callers.push(
        { kind: 'token_read', call: (turn) => readToken(setting, index + turn) },
        { kind: 'connection_refresh', call: (turn) => renewConnection(setting, index, turn) },
        { kind: 'session_validate', call: () => validate(setting, session) },
        { kind: 'session_refresh', call: () => renewSession(setting, session) },
      )
      if (program !== null) callers.push({ kind: 'sdk_refresh', call: async () => (await program.refresh()) as Answered })
    }
    return new Traffic(setting, callers)
  }

  start(): void {
    this.#loops = this.#callers.map(({ kind, call }, index) => this.#loop(kind, call, index))
  }

  async stop(): Promise<void> {
    this.#going = false
    await Promise.all(this.#loops)
  }

  get sent(): number {
    return Object.values(this.tally).reduce((sum, { sent }) => sum + sent, 0)
  }

  async #loop(kind: Kind, call: KindOfCaller['call'], index: number): Promise<void> {
    for (let turn = 0; this.#going; turn += 1) {
      await rest(this.#setting.restMs * (0.5 + ((index * 7 + turn * 3) % 10) / 10))
      const startedAt = performance.now()
      const said = await call(turn).then(
        (answer) =>
          answer.status === 200 ? null : `${answer.status} ${String(at(answer.body, 'code'))} ${String(at(answer.body, 'detail'))} from ${answer.node}`,
        (error: unknown) => `no answer: ${String(error)}`,
      )
      this.tally[kind].sent += 1
      this.tally[kind].slowestMs = Math.max(this.tally[kind].slowestMs, performance.now() - startedAt)
      if (said !== null) this.failed.push(`${kind} after ${Math.round(performance.now() - startedAt)} ms: ${said}`)
    }
  }
}

interface People {
  readonly email: string
  readonly password: string
  /** Null: the code is older than programs are. */
  readonly agent: string | null
}

/** One person who may sign in, and an agent of theirs. */
async function makePeople({ balancer, key }: TrafficSetting): Promise<People> {
  const name = `lab-${randomBytes(4).toString('hex')}`
  const [email, password] = [`${name}@example.com`, `lab ${randomBytes(12).toString('base64url')}`]
  const user = await wanted(balancer, { method: 'POST', path: '/api/v1/users', headers: key, body: { email, name: 'Lab', role: 'operator', password } })
  const agent = await balancer.send({ method: 'POST', path: '/api/v1/agents', headers: key, body: { name, owner: at(user.body, 'id') } })
  if (agent.status === 404) return { email, password, agent: null }
  return { email, password, agent: String(at(good(agent).body, 'id')) }
}

/** Bearer mode: each caller has a session of its own. */
interface HeldSession {
  accessToken: string
  refreshToken: string
}

async function signIn({ balancer }: TrafficSetting, { email, password }: People): Promise<HeldSession> {
  const { body } = await wanted(balancer, { method: 'POST', path: '/api/v1/auth/login', body: { email, password, mode: 'bearer' } })
  return { accessToken: String(at(body, 'access_token')), refreshToken: String(at(body, 'refresh_token')) }
}

async function enrolled({ balancer, key, publicUrl }: TrafficSetting, agent: string): Promise<EnrolledProgram> {
  const { body } = await wanted(balancer, { method: 'POST', path: `/api/v1/agents/${agent}/enrolment-codes`, headers: key, body: {} })
  return EnrolledProgram.enrol({ publicUrl, send: (sent) => balancer.send(sent) }, String(at(body, 'code')))
}

async function readToken({ balancer, key, connections, handedOut }: TrafficSetting, turn: number): Promise<Answered> {
  const connection = connections[turn % connections.length] ?? ''
  const startedAt = performance.now()
  const answer = await balancer.send({ method: 'GET', path: `/api/v1/connections/${connection}/token`, headers: key })
  if (answer.status === 200) handedOut(connection, answer, startedAt)
  return answer
}

/** Each caller has connections of its own: two who renew the same one are told to wait, as they should be. */
function renewConnection({ balancer, key, connections, callers }: TrafficSetting, index: number, turn: number): Promise<Answered> {
  const own = connections.filter((_, place) => place % callers === index)
  const connection = own[turn % own.length] ?? ''
  return balancer.send({ method: 'POST', path: `/api/v1/connections/${connection}/refresh`, headers: key, body: {} })
}

function validate({ balancer }: TrafficSetting, session: HeldSession): Promise<Answered> {
  return balancer.send({ method: 'GET', path: '/api/v1/auth/validate', headers: { authorization: `Bearer ${session.accessToken}` } })
}

async function renewSession({ balancer }: TrafficSetting, session: HeldSession): Promise<Answered> {
  const answer = await balancer.send({ method: 'POST', path: '/api/v1/auth/refresh', body: { refresh_token: session.refreshToken } })
  if (answer.status !== 200) return answer
  session.accessToken = String(at(answer.body, 'access_token'))
  session.refreshToken = String(at(answer.body, 'refresh_token'))
  return answer
}

async function wanted(balancer: Balancer, sent: Sent): Promise<Answered> {
  return good(await balancer.send(sent))
}

function good(answer: Answered): Answered {
  if (answer.status !== 200 && answer.status !== 201) throw new Error(`a caller was answered ${answer.status}: ${answer.text.slice(0, 500)}`)
  return answer
}
