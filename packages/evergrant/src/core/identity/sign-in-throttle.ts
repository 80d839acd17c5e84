import { Fault } from '../fault/fault.ts'
import type { Seal } from '../seal/seal.ts'
import { type Clock, MINUTE, SECOND } from '../time.ts'
import {
  type NamedCharge,
  PER_ACCOUNT,
  PER_ACCOUNT_AND_ADDRESS,
  PER_ADDRESS,
  PER_KNOWN_DEVICE,
  REQUESTS_PER_ADDRESS,
  type ThrottleRule,
  type Throttles,
} from './throttle.ts'

/** Six digits: whoever guesses them has the password already, so waits grow here, wherever the guesses come from. */
const PER_SECOND_FACTOR: ThrottleRule = { free: 5, baseMs: 30 * SECOND, capMs: 15 * MINUTE, forgetMs: 15 * MINUTE }

export interface Attempt {
  /** A user's id; for an address that nobody has, the address: unknown names are counted in the same way. */
  readonly account: string
  /** The address bucket. */
  readonly bucket: string
  /** The known device, see `known-device.ts`; null for a stranger. */
  readonly device: string | null
}

/** An attempt that was let through, counted in advance: what happens at the same time on another node counts, too. */
interface Admitted {
  /** It was a good one: nothing of it counts. */
  succeeded(): Promise<void>
  /** It was never made. */
  withdrawn(): Promise<void>
}

/** Slows guessing down without locking anybody out. Names are MACs: the table says nothing of people. */
export class SignInThrottle {
  readonly #throttles: Throttles
  readonly #seal: Pick<Seal, 'mac'>
  readonly #clock: Pick<Clock, 'wall'>

  constructor({ throttles, seal, clock }: { readonly throttles: Throttles; readonly seal: Pick<Seal, 'mac'>; readonly clock: Pick<Clock, 'wall'> }) {
    this.#throttles = throttles
    this.#seal = seal
    this.#clock = clock
  }

  /** One password. @throws Fault `rate_limited` */
  password({ account, bucket, device }: Attempt): Promise<Admitted> {
    if (device !== null) return this.#admit([{ name: `password ${account} on ${device}`, rule: PER_KNOWN_DEVICE }], 1)
    return this.#admit(
      [
        { name: `password ${account} from ${bucket}`, rule: PER_ACCOUNT_AND_ADDRESS },
        { name: `password ${account}`, rule: PER_ACCOUNT },
        { name: `password from ${bucket}`, rule: PER_ADDRESS },
      ],
      1,
    )
  }

  /** One code of an authenticator, or one recovery code. @throws Fault `rate_limited` */
  secondFactor({ account, device }: Attempt): Promise<Admitted> {
    return this.#admit([{ name: device === null ? `factor ${account}` : `factor ${account} on ${device}`, rule: PER_SECOND_FACTOR }], 1)
  }

  /** One link that is tried, or one letter that is asked for. @throws Fault `rate_limited` */
  request(bucket: string): Promise<Admitted> {
    return this.#admit([{ name: `request from ${bucket}`, rule: REQUESTS_PER_ADDRESS }], 0)
  }

  /** False when this mailbox got enough for now. Never an error: whoever asks learns nothing. */
  async letter(email: string, rule: ThrottleRule): Promise<boolean> {
    return (await this.#throttles.charge([this.#named({ name: `letter to ${email}`, rule })])) === 0
  }

  /** `own`: how many of the names, from the first on, belong to nobody else, and are forgotten after a good attempt. */
  async #admit(charges: readonly NamedCharge[], own: number): Promise<Admitted> {
    const named = charges.map((wanted) => this.#named(wanted))
    const waitMs = await this.#throttles.charge(named)
    if (waitMs > 0) {
      const seconds = Math.ceil(waitMs / SECOND)
      throw new Fault('rate_limited', { detail: `That was tried too often. Wait ${seconds} s, then try again.`, retryAt: this.#clock.wall() + waitMs })
    }
    const names = named.map(({ name }) => name)
    return {
      succeeded: async () => {
        await this.#throttles.clear(names.slice(0, own))
        if (names.length > own) await this.#throttles.giveBack(names.slice(own))
      },
      withdrawn: () => this.#throttles.giveBack(names),
    }
  }

  #named({ name, rule }: NamedCharge): NamedCharge {
    return { name: this.#seal.mac('throttle', name), rule }
  }
}
