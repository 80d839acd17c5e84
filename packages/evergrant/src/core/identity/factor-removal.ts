import type { Actor } from '../audit/event.ts'
import { Fault } from '../fault/fault.ts'
import type { UserId } from '../ids.ts'
import { normalEmail, type User } from '../user/user.ts'
import type { Factor, RemovedFactors } from './factor.ts'
import type { IdentityDesk } from './identity-desk.ts'
import type { IdentityPorts } from './identity-ports.ts'
import { factorsRemovedLetter } from './letters.ts'

/** What somebody can still sign in with when they have no factor. */
type FirstStep = 'password' | 'provider'

export interface FactorRemovalReport extends RemovedFactors {
  readonly user: User
  /** False: there was nothing to remove, or it was only looked at. */
  readonly removed: boolean
  readonly firstSteps: readonly FirstStep[]
}

/**
 * The way back of somebody who lost every second step and all recovery codes: else they could only be erased and invited anew, and would lose what is
 * theirs. For whoever runs the server alone: people belong to the server, and no organization may open an account that reaches into another.
 */
export class FactorRemoval {
  readonly #ports: IdentityPorts
  readonly #desk: IdentityDesk

  constructor(desk: IdentityDesk) {
    this.#ports = desk.ports
    this.#desk = desk
  }

  /** What {@link removeAll} would remove; nothing is changed, and no session is counted. `whom`: id or e-mail address. @throws Fault `not_found` */
  async look(whom: string): Promise<FactorRemovalReport> {
    const user = await this.#find(whom)
    const held = (await this.#ports.factors.listOf(user.id)).filter(({ confirmedAt }) => confirmedAt !== null)
    const recoveryCodes = held.length === 0 ? 0 : await this.#ports.factors.codesLeft(user.id)
    const of = (wanted: Factor['kind']) => held.filter(({ kind }) => kind === wanted).length
    return { user, removed: false, totp: of('totp'), passkeys: of('passkey'), recoveryCodes, sessions: 0, firstSteps: await this.#firstSteps(user) }
  }

  /**
   * Removes all factors and recovery codes, ends every session, and tells the mailbox. Whoever has none is left as they are.
   * @throws Fault `not_found`, `conflict` for somebody with no other way in, now or by a link
   */
  async removeAll(whom: string, actor: Actor): Promise<FactorRemovalReport> {
    const user = await this.#find(whom)
    const firstSteps = await this.#firstSteps(user)
    if (firstSteps.length === 0 && user.email === null)
      throw new Fault('conflict', {
        detail: 'This person has no password, no account elsewhere and no e-mail address: a passkey is their only way in, and nothing could take its place.',
      })
    const organization = await this.#desk.homeOf(user.id)
    const outcome = await this.#ports.factors.removeAll(user.id, this.#ports.clock.wall(), {
      removed: this.#desk.event('user.factors_removed', organization, { user: user.id, actor }),
      ended: this.#desk.event('session.ended', organization, { user: user.id, actor, data: { end: 'ended_by_admin' } }),
    })
    if (outcome === 'none') return { user, removed: false, totp: 0, passkeys: 0, recoveryCodes: 0, sessions: 0, firstSteps }
    if (user.email !== null) await this.#desk.post(factorsRemovedLetter(user.email, await this.#desk.sender()), 'second steps removed', user.id)
    return { user, removed: true, ...outcome, firstSteps }
  }

  /** On the whole server. */
  async #find(whom: string): Promise<User> {
    const { users } = this.#ports
    const user = whom.startsWith('usr_') ? await users.get(whom as UserId) : await users.byEmail(normalEmail(whom))
    if (user === undefined) throw new Fault('not_found', { field: '/user', detail: `There is no user ${whom} on this server.` })
    return user
  }

  async #firstSteps({ id, passwordHash }: User): Promise<readonly FirstStep[]> {
    const identities = await this.#ports.users.identitiesOf(id)
    return [...(passwordHash === null ? [] : (['password'] as const)), ...(identities.length === 0 ? [] : (['provider'] as const))]
  }
}
