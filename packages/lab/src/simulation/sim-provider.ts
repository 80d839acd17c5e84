import type { Weather } from './profile.ts'
import { type AccessTruth, decide, endFamily, type Family, type Presentation, type RefreshTruth, type Site, useAccess } from './provider-truth.ts'
import type { Random } from './random.ts'
import type { TokenMint } from './token-mint.ts'
import type { World } from './world.ts'

export interface HttpAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
  /** A grant that can be read. */
  readonly grants?: boolean
}

const JSON_TYPE = { 'content-type': 'application/json' }
const HTML_TYPE = { 'content-type': 'text/html' }

/** All providers: they hold the truth, decide about every token, and have bad hours. */
export class SimProvider {
  readonly sites: Site[] = []
  readonly mint: TokenMint
  readonly #world: World
  readonly #weather: Weather
  readonly #random: Random
  readonly #faults: Record<'d' | 'e' | 'f' | 'g', Random>
  #families = 0

  constructor(world: World, weather: Weather, mint: TokenMint) {
    this.#world = world
    this.#weather = weather
    this.mint = mint
    this.#random = world.streams.of('provider')
    const of = (letter: string) => world.streams.of(`fault ${letter}`)
    this.#faults = { d: of('d'), e: of('e'), f: of('f'), g: of('g') }
  }

  /** A person grants access: a new family with its first tokens. */
  consent(site: Site, connection: number, owner: string): { readonly refresh: RefreshTruth; readonly access: AccessTruth } {
    const absolute = site.record.lifetimes.refreshAbsoluteSeconds
    const now = this.#world.now
    const family: Family = {
      id: this.#families++,
      site,
      connection,
      owner,
      consentedAt: now,
      absoluteEnd: absolute === null ? null : now + absolute * 1_000,
      place: 0,
      current: undefined as unknown as RefreshTruth,
      end: null,
    }
    family.current = this.mint.refresh(family, 1)
    site.families.push(family)
    return { refresh: family.current, access: this.mint.access(family.current, now + site.lifetimeMs) }
  }

  /** The token endpoint: the instant at which a presentation takes effect. */
  receive(presentation: Presentation): HttpAnswer {
    const { token } = presentation
    const { site } = token.family
    const refusal = this.#beforeCommit(site, presentation)
    if (refusal !== null) return refusal
    const decision = decide(token, this.#world.now, presentation, (family) => this.#rotate(family))
    if (decision.kind === 'refused') {
      presentation.effect = 'refused'
      // Some providers repeat what they were sent: no evidence of ours may.
      const echo = this.#random.chance(0.2) ? `the token ${token.text} is not valid` : 'The refresh token is invalid, expired or revoked.'
      return { status: 400, headers: JSON_TYPE, text: `{"error":"invalid_grant","error_description":"${echo}"}` }
    }
    presentation.effect = decision.again ? 'again' : decision.rotated ? 'rotated' : 'none'
    if (decision.rotated) presentation.carried = decision.refresh
    const access = this.mint.access(decision.refresh, this.#world.now + site.lifetimeMs)
    return this.#afterCommit(presentation, this.#grantText(site, decision.refresh, decision.rotated, access))
  }

  /** RFC 7009: whatever the token, the answer is 200. */
  revoke(token: string): HttpAnswer {
    const refresh = this.mint.refreshOf(token)
    if (refresh !== undefined) endFamily(refresh.family, 'revoked_by_us', this.#world.now)
    return { status: 200, headers: JSON_TYPE, text: '{}' }
  }

  /** The API: 200 or 401. */
  use(access: AccessTruth): boolean {
    return useAccess(access, this.#world.now)
  }

  #rotate(family: Family): RefreshTruth | null {
    const { rotation } = family.site
    if (rotation === 'never' || (rotation === 'sometimes' && this.#random.chance(0.5))) return null
    return this.mint.refresh(family, family.current.number + 1)
  }

  #grantText(site: Site, refresh: RefreshTruth, rotated: boolean, access: AccessTruth): string {
    const repeated = rotated || this.#random.chance(0.5)
    const token = repeated ? `,"refresh_token":"${refresh.text}"` : ''
    return `{"access_token":"${access.text}","token_type":"Bearer","expires_in":${Math.floor(site.lifetimeMs / 1_000)}${token}}`
  }

  #beforeCommit(site: Site, presentation: Presentation): HttpAnswer | null {
    if (site.mood.clientRejected) {
      presentation.effect = 'config'
      return { status: 401, headers: JSON_TYPE, text: '{"error":"invalid_client"}' }
    }
    if (site.mood.mistakenDeath) {
      presentation.effect = 'mistaken_death'
      return { status: 400, headers: JSON_TYPE, text: '{"error":"invalid_grant","error_description":"Token has been revoked."}' }
    }
    if (this.#strikes('f')) {
      const wait = this.#faults.f.chance(0.7) ? { 'retry-after': String(this.#faults.f.between(1, 120)) } : {}
      const status = this.#faults.f.chance(0.7) ? 429 : 503
      return { status, headers: { ...JSON_TYPE, ...wait }, text: '{"error":"slow_down"}'.replace('slow_down', 'temporarily_unavailable') }
    }
    if (this.#strikes('d')) return { status: this.#faults.d.pick([500, 502, 503, 504]), headers: HTML_TYPE, text: '<html><body>error</body></html>' }
    return null
  }

  /** What may come instead of the answer, once the provider has acted. The successor is destroyed then. */
  #afterCommit(presentation: Presentation, text: string): HttpAnswer {
    if (this.#strikes('e')) {
      this.#destroy(presentation, 'server error after the commit')
      const retry: Readonly<Record<string, string>> = this.#faults.e.chance(0.3) ? { 'retry-after': '5' } : {}
      return { status: this.#faults.e.pick([500, 502, 503]), headers: { ...HTML_TYPE, ...retry }, text: '<html>upstream</html>' }
    }
    if (this.#strikes('g')) {
      this.#destroy(presentation, 'garbage instead of the answer')
      const cut = Math.floor(text.length * 0.1)
      return this.#faults.g.pick([
        { status: 200, headers: JSON_TYPE, text: text.slice(0, cut) },
        { status: 200, headers: HTML_TYPE, text: '<!doctype html><p>Sign in' },
        { status: 200, headers: JSON_TYPE, text: '' },
        { status: 403, headers: HTML_TYPE, text: '<html>blocked by the firewall</html>' },
      ])
    }
    return { status: 200, headers: JSON_TYPE, text, grants: true }
  }

  #destroy(presentation: Presentation, how: string): void {
    if (presentation.carried !== null) presentation.destroyed = how
  }

  #strikes(fault: 'd' | 'e' | 'f' | 'g'): boolean {
    if (!this.#weather.has(fault) || !this.#faults[fault].chance(this.#weather.profile.chance[fault])) return false
    this.#world.count(`fault ${fault}`)
    return true
  }
}
