import { createHash } from 'node:crypto'
import { DAY } from '../core/time.ts'
import type { Role, User } from '../core/user/user.ts'
import type { Derive } from '../seal/password-hash.ts'
import { type ApiAnswer, type ApiLab, type ApiLabOptions, createApiLab } from './api-lab.ts'

export const ORIGIN = 'https://evergrant.example'
/** What a page of our own sends with every request that carries a cookie. */
export const OWN_PAGE = { origin: ORIGIN, 'sec-fetch-site': 'same-origin', 'evergrant-client': '1' } as const
export const PASSWORD = 'correct kettle battery orbit'

interface Visit {
  readonly address?: string
  readonly headers?: Readonly<Record<string, string>>
  /** An access token. */
  readonly token?: string
}

export interface IdentityLab extends ApiLab {
  /** Computations of the password hash so far. */
  readonly hashed: { count: number }
  addPerson(email: string, role?: Role): Promise<User>
  post(path: string, body: unknown, visit?: Visit): Promise<ApiAnswer>
  /** Bearer mode. */
  login(email: string, password?: string, visit?: Visit): Promise<ApiAnswer>
  /** The token in the link of the newest letter to this address. */
  tokenTo(email: string): Promise<string>
  /** When all letters and notes behind the answers are through. */
  settled(): Promise<void>
}

/** Turns of the event loop in which what happens behind an answer is through: a few reads and writes of a database in memory. */
const SETTLING_TURNS = 20

/** The API with a hash that costs nothing and counts, and letters that go into a list. */
export async function createIdentityLab(options: ApiLabOptions = {}): Promise<IdentityLab> {
  const hashed = { count: 0 }
  const derive: Derive = async (password, salt) => {
    hashed.count += 1
    return createHash('sha256').update(password).update(salt).digest()
  }
  const lab = await createApiLab({ ...options, identity: { derive, ...options.identity } })
  const post = async (path: string, body: unknown, { address = '203.0.113.7', headers = {}, token }: Visit = {}): Promise<ApiAnswer> => {
    const answer = await lab.app.inject({
      method: 'POST',
      url: `/api/v1/${path}`,
      remoteAddress: address,
      headers: { 'content-type': 'application/json', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...headers },
      payload: JSON.stringify(body),
    })
    return { status: answer.statusCode, headers: answer.headers, text: answer.body, json: answer.body === '' ? null : JSON.parse(answer.body) }
  }
  const settled = async () => {
    for (let turn = 0; turn < SETTLING_TURNS; turn++) await lab.time.advance(0)
  }
  return {
    ...lab,
    hashed,
    post,
    settled,
    addPerson: (email, role = 'member') =>
      lab.services.identity.joining.create({ email, name: null, password: PASSWORD }, { organization: lab.organization, role }, { kind: 'cli', id: null }),
    login: (email, password = PASSWORD, visit = {}) => post('auth/login', { email, password, mode: 'bearer' }, visit),
    tokenTo: async (email) => {
      await settled()
      const text = lab.letters.findLast(({ to }) => to === email)?.text ?? ''
      const token = /#([A-Za-z0-9_-]{43})\b/.exec(text)?.[1]
      if (token === undefined) throw new Error(`no letter to ${email} has a link`)
      return token
    },
  }
}

/** What one test works with: the lab on a new day, when nothing is held against anybody, and two addresses that nobody had before. */
interface Visited {
  readonly lab: IdentityLab
  readonly ANA: string
  readonly BEN: string
}

/** One lab for many tests: starting it costs more than most of them. */
export function sharedIdentityLab(options: ApiLabOptions = {}): () => Promise<Visited> {
  let made: Promise<IdentityLab> | undefined
  let days = 0
  return async () => {
    made ??= createIdentityLab(options)
    const lab = await made
    await lab.time.advance(DAY)
    lab.letters.length = 0
    days += 1
    return { lab, ANA: `ana${days}@example.com`, BEN: `ben${days}@example.com` }
  }
}

/** One cookie out of an answer. */
export function cookieIn(answer: ApiAnswer, name: string): string | null {
  const header = answer.headers['set-cookie']
  const lines = header === undefined ? [] : Array.isArray(header) ? header : [String(header)]
  const line = lines.find((candidate) => candidate.startsWith(`${name}=`))
  return line === undefined ? null : (line.slice(name.length + 1).split(';')[0] ?? '')
}
