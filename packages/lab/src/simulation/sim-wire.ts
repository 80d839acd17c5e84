import { NotSent, type OpenLine, type ProviderRequest, type TokenEndpoint, type WireOutcome } from '../../../evergrant/src/engine.ts'
import type { Oracle } from './invariants/oracle.ts'
import type { Life } from './life.ts'
import { requestLifeMs, type Weather } from './profile.ts'
import { DELIVERED_TWICE, type Presentation, type Site } from './provider-truth.ts'
import type { Random } from './random.ts'
import type { HttpAnswer, SimProvider } from './sim-provider.ts'
import type { World } from './world.ts'

const encoder = new TextEncoder()
const CONNECT_TIMEOUT_MS = 10_000

interface Journey {
  /** From the socket to the decision; null: it never arrives. */
  readonly there: number | null
  /** From the decision to our kernel; null: it never arrives. */
  readonly back: number | null
  /** The connection breaks at this moment instead of falling silent. */
  readonly resetAfter: number | null
  readonly duplicateAfter: number | null
}

/** The network between nodes and providers. */
export class SimWire {
  readonly #world: World
  readonly #weather: Weather
  readonly #provider: SimProvider
  readonly #oracle: Oracle
  readonly #random: Random
  readonly #faults: Record<'a' | 'b' | 'c' | 'z', Random>
  #presentations = 0

  constructor(world: World, weather: Weather, provider: SimProvider, oracle: Oracle) {
    this.#world = world
    this.#weather = weather
    this.#provider = provider
    this.#oracle = oracle
    this.#random = world.streams.of('wire')
    const of = (letter: string) => world.streams.of(`fault ${letter}`)
    this.#faults = { a: of('a'), b: of('b'), c: of('c'), z: of('z') }
  }

  /** What one life of a node sees of it. */
  endpointOf(life: Life): TokenEndpoint {
    return { open: (url) => this.#open(life, url) }
  }

  #open(life: Life, url: string): Promise<OpenLine> {
    if (!life.alive) return never()
    const site = this.#provider.sites.find((one) => one.url === url)
    if (site === undefined) throw new Error(`nobody lives at ${url}`)
    return new Promise((resolve, reject) => {
      if (this.#unreachable(life, site)) {
        this.#oracle.unreachable(life, site)
        const silent = this.#random.chance(0.3)
        life.later(silent ? CONNECT_TIMEOUT_MS : 5, () => reject(new NotSent(silent ? 'connect_timeout' : 'ECONNREFUSED', 'not there')))
        return
      }
      life.later(this.#random.between(3, 40), () => resolve({ send: (request, deadline) => this.#send(life, site, request, deadline), close: () => {} }))
    })
  }

  #unreachable(life: Life, site: Site): boolean {
    return site.mood.down || life.node.cutFrom.has(site.index)
  }

  #send(life: Life, site: Site, request: ProviderRequest, deadlineMs: number): Promise<WireOutcome> {
    if (!life.alive || this.#oracle.buggify(life, 'before send')) return never()
    const text = refreshTokenIn(request)
    const token = this.#provider.mint.refreshOf(text)
    if (token === undefined) {
      this.#world.violate('world', 'a refresh token was sent that no provider ever made')
      return Promise.resolve({ kind: 'no_answer', cause: 'nothing' })
    }
    const presentation = this.#oracle.sent(life, token, site, this.#presentations++)
    const journey = this.#journey(life, site)
    this.#oracle.buggify(life, 'sent')
    return new Promise((resolve) => this.#travel(life, presentation, journey, deadlineMs, resolve))
  }

  #travel(life: Life, presentation: Presentation, journey: Journey, deadlineMs: number, resolve: (outcome: WireOutcome) => void): void {
    let over = false
    let buffered: HttpAnswer | null = null
    const read = () => {
      if (over || buffered === null) return
      over = presentation.over = true
      this.#oracle.read(life, presentation, buffered)
      resolve(answered(buffered))
      this.#oracle.buggify(life, 'answer read')
    }
    const giveUp = (cause: string) => {
      // The socket is looked at once more: what has arrived is not thrown away.
      if (buffered !== null) return read()
      if (over) return
      over = presentation.over = true
      resolve({ kind: 'no_answer', cause })
    }
    const arrive = (answer: HttpAnswer) => {
      if (over || !life.alive) return this.#oracle.destroyed(presentation, life.alive ? 'came after the socket was closed' : 'the process was dead')
      buffered = answer
      presentation.arrived = true
      if (this.#oracle.buggify(life, 'answer arrived')) return
      life.later(1, read)
    }
    const reach = () => this.#reach(presentation, journey, arrive)
    life.later(deadlineMs, () => giveUp('timeout'))
    if (journey.resetAfter !== null) life.later(journey.resetAfter, () => giveUp('ECONNRESET'))
    if (journey.there === null) {
      presentation.settled = true
      return
    }
    this.#world.after(journey.there, reach)
    if (journey.duplicateAfter !== null) this.#world.after(journey.there + journey.duplicateAfter, () => this.#duplicate(presentation))
  }

  #reach(presentation: Presentation, journey: Journey, arrive: (answer: HttpAnswer) => void): void {
    const answer = this.#provider.receive(presentation)
    this.#oracle.decided(presentation, answer.status)
    if (journey.back === null) return this.#oracle.destroyed(presentation, 'the answer was lost on the way')
    this.#world.after(journey.back, () => arrive(answer))
  }

  /** The network delivers the request a second time. Nobody hears the answer. */
  #duplicate(presentation: Presentation): void {
    const copy: Presentation = { ...presentation, carried: null, destroyed: DELIVERED_TWICE }
    this.#provider.receive(copy)
    this.#oracle.duplicated(presentation, copy)
  }

  #journey(life: Life, site: Site): Journey {
    const { random, slow } = { random: this.#random, slow: this.#strikes('c') }
    const reach = random.between(10, 120)
    const work = slow ? this.#faults.c.between(4_500, 37_000) : random.between(20, 300)
    const late = slow && this.#faults.c.chance(0.3) ? this.#faults.c.between(0, requestLifeMs(this.#weather.profile, site.reuse)) : 0
    const lostThere = this.#strikes('b') || this.#unreachable(life, site)
    const lostBack = this.#strikes('a')
    const there = Math.max(reach, late)
    return {
      there: lostThere ? null : there,
      back: lostBack ? null : work + reach,
      resetAfter: (lostThere || lostBack) && random.chance(0.5) ? there + work : null,
      duplicateAfter: this.#strikes('z') ? this.#faults.z.between(1, 2_000) : null,
    }
  }

  #strikes(fault: 'a' | 'b' | 'c' | 'z'): boolean {
    if (!this.#weather.has(fault) || !this.#faults[fault].chance(this.#weather.profile.chance[fault])) return false
    this.#world.count(`fault ${fault}`)
    return true
  }

  /** One revocation call; the same network. */
  revoke(life: Life, request: ProviderRequest): Promise<WireOutcome> {
    if (!life.alive) return never()
    return new Promise((resolve) => {
      const site = this.#provider.sites.find((one) => one.revokeUrl === request.url)
      const lost = site === undefined || this.#unreachable(life, site) || this.#strikes('b')
      if (lost) return void life.later(5_000, () => resolve({ kind: 'no_answer', cause: 'timeout' }))
      this.#world.after(this.#random.between(20, 200), () => {
        const answer = this.#provider.revoke(parameter(request.body ?? '', 'token'))
        this.#oracle.revoked(parameter(request.body ?? '', 'token'))
        life.later(this.#random.between(20, 200), () => resolve(answered(answer)))
      })
    })
  }
}

export function never<Value>(): Promise<Value> {
  return new Promise(() => {})
}

function answered(answer: HttpAnswer): WireOutcome {
  return { kind: 'answered', answer: { ...answer, body: encoder.encode(answer.text) } }
}

function refreshTokenIn(request: ProviderRequest): string {
  return parameter(request.body ?? '', 'refresh_token')
}

function parameter(body: string, name: string): string {
  const start = body.startsWith(`${name}=`) ? 0 : body.indexOf(`&${name}=`) + 1
  const from = start + name.length + 1
  const end = body.indexOf('&', from)
  return body.slice(from, end === -1 ? undefined : end)
}
