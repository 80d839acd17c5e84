import { Dice } from '../chaos/dice.ts'
import { at } from '../http.ts'
import { type Answered, sendOnce } from '../kept-request.ts'
import { Times } from './figures.ts'
import { askToSignIn, type User, type World } from './world.ts'

/** What people do between two pauses, by weight. Programs renew their credentials beside it. */
const MIX = [
  ['token_read', 400],
  ['proxy', 150],
  ['session_status', 150],
  ['session_validate', 120],
  ['session_refresh', 100],
  ['connection_list', 50],
  ['connection_refresh', 20],
  ['login', 2],
] as const

export type Kind = (typeof MIX)[number][0] | 'sdk_refresh'

const WEIGHTS = MIX.reduce((sum, [, weight]) => sum + weight, 0)
/** A program renews itself once in so many pauses of a person. */
const PROGRAM_PAUSES = 5

interface CrowdOptions {
  readonly seed: number
  /** Mean pause of a person between two requests: each is drawn between 0 and twice that. */
  readonly thinkMs: number
  /** What they do; everything by default. */
  readonly only?: Kind
  /** Told of every answer that is none of the good ones. */
  readonly refused?: (kind: Kind, answer: Answered | null) => void
}

/** Everybody at work until `stop`. */
export class Crowd {
  readonly times: Readonly<Record<Kind, Times>>
  readonly #world: World
  readonly #options: CrowdOptions
  readonly #pauses = new Set<() => void>()
  #going = true
  #loops: readonly Promise<void>[] = []

  constructor(world: World, options: CrowdOptions) {
    this.#world = world
    this.#options = options
    const kinds: readonly Kind[] = [...MIX.map(([kind]) => kind), 'sdk_refresh']
    this.times = Object.fromEntries(kinds.map((kind) => [kind, new Times()])) as unknown as Record<Kind, Times>
  }

  start(): void {
    const dice = new Dice(this.#options.seed)
    const people = this.#world.users.map((user, index) => this.#person(user, dice.apart(index)))
    const programs =
      this.#options.only === undefined ? this.#world.programs.map((program, index) => this.#program(() => program.refresh(), dice.apart(-index))) : []
    this.#loops = [...people, ...programs]
  }

  async stop(): Promise<void> {
    this.#going = false
    for (const wake of this.#pauses) wake()
    await Promise.all(this.#loops)
  }

  async #person(user: User, dice: Dice): Promise<void> {
    const { thinkMs, only } = this.#options
    for (;;) {
      await this.#pause(dice.next() * 2 * thinkMs)
      if (!this.#going) return
      const kind = only ?? kindOf(dice)
      await this.#timed(kind, () => act(kind, user, this.#world))
    }
  }

  async #program(refresh: World['programs'][number]['refresh'], dice: Dice): Promise<void> {
    for (;;) {
      await this.#pause(dice.next() * 2 * PROGRAM_PAUSES * this.#options.thinkMs)
      if (!this.#going) return
      await this.#timed('sdk_refresh', async () => (await refresh()) as Answered)
    }
  }

  async #timed(kind: Kind, call: () => Promise<Answered | null>): Promise<void> {
    const startedAt = performance.now()
    let failure: string | null = null
    try {
      const answer = await call()
      if (answer !== null && answer.status !== 200) {
        failure = `${answer.status} ${String(at(answer.body, 'code') ?? '')}`
        this.#options.refused?.(kind, answer)
      }
    } catch (error) {
      failure = error instanceof Error && 'code' in error ? `no answer: ${String(error.code)}` : `no answer: ${String(error)}`
      this.#options.refused?.(kind, null)
    }
    this.times[kind].add(performance.now() - startedAt, failure)
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer)
        this.#pauses.delete(wake)
        resolve()
      }
      const timer = setTimeout(wake, ms)
      this.#pauses.add(wake)
    })
  }
}

function kindOf(dice: Dice): Exclude<Kind, 'sdk_refresh'> {
  let left = dice.next() * WEIGHTS
  for (const [kind, weight] of MIX) {
    left -= weight
    if (left < 0) return kind
  }
  return 'token_read'
}

async function act(kind: Kind, user: User, { key }: World): Promise<Answered | null> {
  const { node, socket, connection, owner, person } = user
  const get = (path: string, headers = key) => sendOnce(socket, node, { method: 'GET', path, headers })
  const session = { authorization: `Bearer ${user.accessToken}` }
  switch (kind) {
    case 'token_read':
      return get(`/api/v1/connections/${connection}/token`)
    case 'proxy':
      return get(`/api/v1/proxy/${connection}/api/me`)
    case 'session_status':
      return get('/api/v1/auth/token-status', session)
    case 'session_validate':
      return get('/api/v1/auth/validate', session)
    case 'session_refresh':
      return refreshed(user)
    case 'connection_list':
      return get(`/api/v1/connections?owner=${owner}&limit=50`)
    case 'connection_refresh':
      return sendOnce(socket, node, { method: 'POST', path: `/api/v1/connections/${connection}/refresh`, headers: key, body: {} })
    case 'login':
      return askToSignIn(node, person)
    case 'sdk_refresh':
      return null
  }
}

async function refreshed(user: User): Promise<Answered> {
  const answer = await sendOnce(user.socket, user.node, { method: 'POST', path: '/api/v1/auth/refresh', body: { refresh_token: user.refreshToken } })
  if (answer.status !== 200) return answer
  user.accessToken = String(at(answer.body, 'access_token'))
  user.refreshToken = String(at(answer.body, 'refresh_token'))
  return answer
}
