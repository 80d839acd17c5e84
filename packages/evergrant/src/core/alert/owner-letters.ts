import { type NewEvent, SYSTEM_ACTOR } from '../audit/event.ts'
import type { ConnectionDetails } from '../connection/connection-service.ts'
import type { Letter, Mailer } from '../identity/letter.ts'
import { type ConnectionId, newId, type OrganizationId } from '../ids.ts'
import type { Log } from '../log.ts'
import { backoffMs } from '../refresh/backoff.ts'
import { type Clock, DAY, type Entropy, HOUR, MINUTE } from '../time.ts'
import type { Alerts } from './alerts.ts'
import type { OwnerLetter } from './owner-letter.ts'
import { ownerCanMend } from './signals.ts'

/** What a letter says; the sender makes text and HTML of it. */
export interface OwnerNews {
  readonly provider: string
  readonly account: string | null
  readonly application: string
  /** Where to reconnect. */
  readonly url: string
  readonly supportEmail: string | null
}

interface OwnerLetterPorts {
  readonly alerts: Pick<Alerts, 'takeLetters' | 'settleLetter'>
  readonly details: (organization: OrganizationId, id: ConnectionId) => Promise<ConnectionDetails | undefined>
  /** Where its owner repairs it; null where no link can. */
  readonly reconnectUrl: (details: ConnectionDetails) => string | null
  /** The address of a person of ours behind an owner; null when the owner is nobody we know. */
  readonly addressOf: (organization: OrganizationId, owner: string) => Promise<string | null>
  /** As the organization wants to be called; null when it does not want Evergrant to write. */
  readonly sender: (organization: OrganizationId) => Promise<{ readonly application: string; readonly supportEmail: string | null } | null>
  readonly compose: (to: string, news: OwnerNews) => Letter
  readonly mailer: Mailer
  readonly clock: Clock
  readonly entropy: Entropy
  readonly log: Log
}

const BATCH = 20
const GIVE_UP_MS = DAY
const BACKOFF = { baseMs: MINUTE, capMs: 2 * HOUR }
const ADDRESS = /^[^\s<>()[\],;:"\\@]{1,64}@[^\s<>()[\],;:"\\@]{1,190}$/
/** Where an application may put the address of the owner. */
const ADDRESS_FIELDS = ['email', 'owner_email'] as const

/** Writes to end users: once for each cause, only what they can mend, and only if it is still so. */
export class OwnerLetters {
  readonly #ports: OwnerLetterPorts

  constructor(ports: OwnerLetterPorts) {
    this.#ports = ports
  }

  /** True when there may be more. */
  async run(): Promise<boolean> {
    for (let written = 0; written < BATCH; written += 1) {
      // One by one: what is taken is never sent twice, so whatever is taken when a process or its database ends is not sent at all.
      const [letter] = await this.#ports.alerts.takeLetters(this.#ports.clock.wall(), 1)
      if (letter === undefined) return false
      await this.#write(letter)
    }
    return true
  }

  async #write(letter: OwnerLetter): Promise<void> {
    const { alerts, log, mailer } = this.#ports
    try {
      const ready = await this.#prepare(letter)
      if (ready === null) return await alerts.settleLetter(letter.id, 'skipped', null, null)
      await mailer.send(ready)
    } catch (error) {
      // It could not be written, or the mail server did not take it: nobody has been sent anything, so it is tried again.
      log.warn({ letter: letter.id, error: error instanceof Error ? error.message : 'unknown' }, 'a letter to an owner was not sent')
      return this.#later(letter)
    }
    await alerts.settleLetter(letter.id, 'sent', null, this.#event(letter))
  }

  #later({ id, attempts, createdAt }: OwnerLetter): Promise<void> {
    const { alerts, clock, entropy } = this.#ports
    const now = clock.wall()
    if (now - createdAt > GIVE_UP_MS) return alerts.settleLetter(id, 'failed', null, null)
    const wait = backoffMs({ ...BACKOFF, failures: attempts, floorMs: 0 }, entropy.uniform())
    return alerts.settleLetter(id, 'waiting', now + wait, null)
  }

  /** Null: healed meanwhile, no address, or not wanted any more. */
  async #prepare({ organization, connection }: OwnerLetter): Promise<Letter | null> {
    const sender = await this.#ports.sender(organization)
    const details = sender === null ? undefined : await this.#ports.details(organization, connection)
    if (sender === null || details === undefined || !isStillSo(details)) return null
    const { metadata, owner, accountLabel, account } = details.row.connection
    const given = ADDRESS_FIELDS.map((field) => metadata[field]).find((value) => typeof value === 'string' && ADDRESS.test(value))
    const to = typeof given === 'string' ? given : await this.#ports.addressOf(organization, owner)
    const url = this.#ports.reconnectUrl(details)
    if (to === null || url === null) return null
    return this.#ports.compose(to, { provider: details.providerName, account: accountLabel ?? account, url, ...sender })
  }

  #event({ organization, connection, why, id }: OwnerLetter): NewEvent {
    const { entropy, clock } = this.#ports
    const common = { actor: SYSTEM_ACTOR, connection, subject: id }
    return { id: newId('evt', entropy), organization, type: 'owner.notified', at: clock.wall(), ...common, data: { why, by: 'email' } }
  }
}

function isStillSo({ row, status }: ConnectionDetails): boolean {
  return status === 'needs_reauth' && ownerCanMend(row.connection.fault?.code ?? null)
}
