import { Fault } from '../fault/fault.ts'
import type { Seal } from '../seal/seal.ts'
import { readRefreshCredential } from '../session/refresh-credential.ts'
import { judgePresentation } from '../session/rotation.ts'
import type { CallerFacts } from '../session/session-events.ts'
import { refusalOf, SIGN_OUT_CODES } from '../session/session-refusals.ts'
import type { Opened, Present, SessionService } from '../session/session-service.ts'
import type { Sessions } from '../session/sessions.ts'
import { type Clock, DAY } from '../time.ts'

interface PageSessionPorts {
  readonly seal: Pick<Seal, 'mac'>
  readonly sessions: Pick<Sessions, 'get' | 'markUsed'>
  readonly service: Pick<SessionService, 'refresh' | 'genuine' | 'end'>
  readonly clock: Pick<Clock, 'wall'>
}

/** Pages alone keep a session alive, too: the credential rotates when it is older than this. */
const RENEW_AFTER_MS = DAY

/** Who looks at a page of ours. Looking rotates nothing: pages load side by side, and a browser may never read the answer. */
export class PageSessions {
  readonly #ports: PageSessionPorts

  constructor(ports: PageSessionPorts) {
    this.#ports = ports
  }

  /** The person behind the cookies of our name; null when nobody is signed in. @throws Fault when the store does not answer */
  async look(cookies: readonly string[], facts: CallerFacts): Promise<Present | null> {
    for (const text of this.#ports.service.genuine(cookies)) {
      const person = await this.#personOf(text, facts)
      if (person !== null) return person
    }
    return null
  }

  /** New credentials when those of the cookie are old; null when they are young. @throws Fault */
  async renew(cookies: readonly string[], { session }: Present, facts: CallerFacts): Promise<Opened | null> {
    if (this.#ports.clock.wall() - session.issuedAt < RENEW_AFTER_MS) return null
    const own = this.#ports.service.genuine(cookies).find((text) => readRefreshCredential(text, this.#ports.seal)?.session === session.id)
    return own === undefined ? null : this.#ports.service.refresh(own, facts, { mode: 'cookie', key: null })
  }

  async #personOf(text: string, facts: CallerFacts): Promise<Present | null> {
    const credential = readRefreshCredential(text, this.#ports.seal)
    const signedIn = credential === null ? undefined : await this.#ports.sessions.get(credential.session)
    if (credential === null || signedIn === undefined || signedIn.session.mode !== 'cookie') return null
    const at = this.#ports.clock.wall()
    const { session } = signedIn
    // What the next credential would be does not matter here, so its lifetime does not either.
    const { kind } = judgePresentation(session, credential.generation, at, { idleMs: 0 })
    if (kind === 'reuse') {
      await this.#endStolen(text, facts)
      return null
    }
    if (kind === 'ended' || refusalOf(signedIn, at) !== null || signedIn.role === null) return null
    // Theft is told by who was seen with which generation; a page is such a sight.
    if (credential.generation === session.generation && session.usedAt === null)
      await this.#ports.sessions.markUsed([{ session: session.id, generation: session.generation, at }])
    return { ...signedIn, role: signedIn.role }
  }

  /** As the API would: presented, so that the session ends for whoever else holds it. */
  async #endStolen(text: string, facts: CallerFacts): Promise<void> {
    try {
      await this.#ports.service.refresh(text, facts, { mode: 'cookie', key: null })
    } catch (error) {
      if (!(error instanceof Fault && SIGN_OUT_CODES.has(error.code))) throw error
    }
  }
}
