import { randomBytes } from 'node:crypto'
import { Agent } from 'node:http'
import { EnrolledProgram } from '../enrolled-program.ts'
import { at, type JsonClient } from '../http.ts'
import { type Answered, type Sent, sendOnce } from '../kept-request.ts'
import type { PostgresProcess } from '../postgres-process.ts'
import type { ServerProcess } from '../server-process.ts'
import { type Held, Workbench } from '../workbench.ts'

interface WorldOptions {
  readonly users: number
  readonly postgres: PostgresProcess | null
  /** Servers over one PostgreSQL; the embedded database has one. */
  readonly nodes: number
  readonly env?: Readonly<Record<string, string>>
  readonly say: (line: string) => void
}

/** Somebody at work: a connection of theirs, a session, and a socket. */
export interface User {
  readonly node: string
  readonly socket: Agent
  readonly connection: string
  readonly owner: string
  readonly person: Person
  accessToken: string
  refreshToken: string
}

interface Person {
  readonly id: string
  readonly email: string
  readonly password: string
}

interface Program {
  readonly refresh: () => Promise<{ readonly status: number; readonly body: unknown }>
}

/** A session has so many branches; each user of a person has one of them. */
const USERS_A_PERSON = 40
/** One program for so many users. */
const USERS_A_PROGRAM = 20
const AT_ONCE = 16
/** What one address may do is not what is measured: everybody is on this machine. */
const OPEN_DOORS = { EVERGRANT_RATE_LIMIT_PER_ADDRESS: '10000000', EVERGRANT_RATE_LIMIT_PER_KEY: '10000000', EVERGRANT_LOG_LEVEL: 'warn' }

/** Servers with a practice provider, and everybody who uses them. */
export class World {
  readonly bench: Workbench
  readonly servers: readonly ServerProcess[]
  /** On PostgreSQL: its name. */
  readonly database: string
  readonly key: Readonly<Record<string, string>>
  readonly users: readonly User[]
  readonly programs: readonly Program[]

  private constructor(bench: Workbench, database: string, who: Pick<World, 'servers' | 'users' | 'programs'>) {
    this.bench = bench
    this.database = database
    this.servers = who.servers
    this.key = bench.api.headers
    this.users = who.users
    this.programs = who.programs
  }

  static async open({ users: count, postgres, nodes, env = {}, say }: WorldOptions): Promise<World> {
    const name = `load_${randomBytes(4).toString('hex')}`
    await postgres?.create(name)
    // Every node says the same address: proofs name it, wherever a program is served.
    const shared = { ...OPEN_DOORS, EVERGRANT_PUBLIC_URL: PUBLIC_URL, ...env }
    const bench = await Workbench.start({
      timeScale: 1,
      profiles: { p4: 'P4' },
      env: shared,
      ...(postgres === null ? {} : { databaseUrl: postgres.url(name) }),
    })
    try {
      const servers = [bench.server]
      while (postgres !== null && servers.length < nodes) servers.push((await bench.addNode()).server)
      const held = await inParts(count, () => bench.hold('p4', 3_600))
      say(`${held.length} connections`)
      const users = await makeUsers(bench, servers, held)
      say(`${users.length} sessions`)
      const programs = await makePrograms(bench, servers, users)
      say(`${programs.length} programs`)
      return new World(bench, name, { servers, users, programs })
    } catch (error) {
      await bench.dispose()
      throw error
    }
  }

  async close(): Promise<void> {
    for (const { socket } of this.users) socket.destroy()
    await this.bench.dispose()
  }
}

const PUBLIC_URL = 'http://127.0.0.1:4400'

const socketOfOnesOwn = (): Agent => new Agent({ keepAlive: true, maxSockets: 1 })

async function makeUsers({ api }: Workbench, servers: readonly ServerProcess[], held: readonly Held[]): Promise<readonly User[]> {
  const people = await inParts(Math.ceil(held.length / USERS_A_PERSON), (index) => makePerson(api, `load-${index}@example.com`))
  const firsts = await inParts(people.length, (index) => signIn(servers[0]?.url ?? '', people[index] as Person))
  return inParts(held.length, async (index) => {
    const { connection, owner } = held[index] as Held
    const place = Math.floor(index / USERS_A_PERSON)
    const [person, first] = [people[place] as Person, firsts[place]]
    const node = servers[index % servers.length]?.url ?? ''
    const socket = socketOfOnesOwn()
    const branched = await wanted(socket, node, {
      method: 'POST',
      path: '/api/v1/auth/branch',
      headers: { authorization: `Bearer ${first?.accessToken ?? ''}` },
      body: { refresh_token: first?.refreshToken },
    })
    return {
      node,
      socket,
      connection,
      owner,
      person,
      accessToken: String(at(branched.body, 'access_token')),
      refreshToken: String(at(branched.body, 'refresh_token')),
    }
  })
}

async function makePerson(api: JsonClient, email: string): Promise<Person> {
  const password = `lab ${randomBytes(12).toString('base64url')}`
  const made = await api.post('/users', { email, name: 'Lab', role: 'operator', password })
  if (made.status !== 201 && made.status !== 200) throw new Error(`no user could be made: ${made.status} ${made.text}`)
  return { id: String(at(made.body, 'id')), email, password }
}

/** Bearer mode. @throws Error unless it goes well */
async function signIn(node: string, person: Person): Promise<{ readonly accessToken: string; readonly refreshToken: string }> {
  const { body } = well('signing in', await askToSignIn(node, person))
  return { accessToken: String(at(body, 'access_token')), refreshToken: String(at(body, 'refresh_token')) }
}

/** From a browser of its own; whatever the server answers. */
export async function askToSignIn(node: string, { email, password }: Person): Promise<Answered> {
  const socket = socketOfOnesOwn()
  try {
    return await sendOnce(socket, node, { method: 'POST', path: '/api/v1/auth/login', body: { email, password, mode: 'bearer' } })
  } finally {
    socket.destroy()
  }
}

async function makePrograms({ api }: Workbench, servers: readonly ServerProcess[], users: readonly User[]): Promise<readonly Program[]> {
  const owner = users[0]?.person.id
  const agent = await api.post('/agents', { name: 'load', owner })
  const id = at(agent.body, 'id')
  return inParts(Math.ceil(users.length / USERS_A_PROGRAM), async (index) => {
    const { body } = await api.post(`/agents/${String(id)}/enrolment-codes`)
    const node = servers[index % servers.length]?.url ?? ''
    const socket = socketOfOnesOwn()
    return EnrolledProgram.enrol({ publicUrl: PUBLIC_URL, send: (sent) => sendOnce(socket, node, sent) }, String(at(body, 'code')))
  })
}

async function wanted(socket: Agent, node: string, sent: Sent): Promise<Answered> {
  return well(sent.path, await sendOnce(socket, node, sent))
}

function well(what: string, answer: Answered): Answered {
  if (answer.status !== 200) throw new Error(`${what} was answered ${answer.status}: ${answer.text.slice(0, 500)}`)
  return answer
}

/** `make(0)` to `make(count - 1)`, a few at once. */
async function inParts<Item>(count: number, make: (index: number) => Promise<Item>): Promise<Item[]> {
  const made: Item[] = []
  for (let first = 0; first < count; first += AT_ONCE) {
    made.push(...(await Promise.all(Array.from({ length: Math.min(AT_ONCE, count - first) }, (_, place) => make(first + place)))))
  }
  return made
}
