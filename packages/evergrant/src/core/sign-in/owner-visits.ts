import type { Actor, EventType, NewEvent } from '../audit/event.ts'
import type { Events } from '../audit/events.ts'
import { newTicket, TICKET_LIFE_MS, type Ticket, type Tickets, ticketHash } from '../identity/ticket.ts'
import { newId, type OrganizationId } from '../ids.ts'
import type { Seal } from '../seal/seal.ts'
import type { Clock, Entropy, Instant } from '../time.ts'
import { pseudonymOf } from '../user/owner-data.ts'

interface VisitPorts {
  readonly tickets: Pick<Tickets, 'insert' | 'find' | 'spend'>
  readonly events: Pick<Events, 'append'>
  readonly seal: Pick<Seal, 'digest' | 'mac'>
  readonly clock: Pick<Clock, 'wall'>
  readonly entropy: Entropy
  /** Without a slash at the end. */
  readonly publicUrl: string
}

/** Whose connections a page shows, for somebody who has no user here. */
export interface Visit {
  readonly organization: OrganizationId
  readonly owner: string
}

/** Where the link of an owner's page leads. */
export const VISIT_PATH = '/me/visit'

/** The page of an owner without a user: the application vouches for them, by a link that opens it in one browser. */
export class OwnerVisits {
  readonly #ports: VisitPorts

  constructor(ports: VisitPorts) {
    this.#ports = ports
  }

  /** A single-use link that lives 30 minutes. Whoever opens it sees and ends this owner's connections. */
  async invite(visit: Visit, actor: Actor): Promise<{ readonly url: string; readonly expiresAt: Instant }> {
    const ports = this.#ports
    const at = ports.clock.wall()
    const made = newTicket({ purpose: 'owner_page', user: null, organization: visit.organization, data: { owner: visit.owner } }, { ...ports, at })
    await ports.tickets.insert(made.ticket)
    await ports.events.append(this.#event('owner.page_made', visit, actor))
    return { url: `${ports.publicUrl}${VISIT_PATH}/${made.text}`, expiresAt: at + TICKET_LIFE_MS.owner_page }
  }

  /** What a link would open. Spends nothing. */
  look(link: string): Promise<Visit | null> {
    return this.#find(link, 'owner_page')
  }

  /** Spends the link; the text that this browser keeps. Null when somebody was first. */
  async open(link: string): Promise<{ readonly text: string; readonly visit: Visit } | null> {
    const { tickets, seal, events } = this.#ports
    const hash = ticketHash(link, seal)
    const spent = hash === null ? undefined : await tickets.spend(hash, 'owner_page')
    const visit = spent === undefined ? null : visitOf(spent)
    if (visit === null) return null
    const { organization, owner } = visit
    const made = newTicket({ purpose: 'owner_visit', user: null, organization, data: { owner } }, { ...this.#ports, at: this.#ports.clock.wall() })
    await tickets.insert(made.ticket)
    await events.append(this.#event('owner.page_opened', visit, { kind: 'browser', id: null }))
    return { text: made.text, visit }
  }

  /** The visit of a browser, while it lasts. */
  current(text: string): Promise<Visit | null> {
    return this.#find(text, 'owner_visit')
  }

  async leave(text: string): Promise<void> {
    const hash = ticketHash(text, this.#ports.seal)
    if (hash !== null) await this.#ports.tickets.spend(hash, 'owner_visit')
  }

  async #find(text: string, purpose: 'owner_page' | 'owner_visit'): Promise<Visit | null> {
    const hash = ticketHash(text, this.#ports.seal)
    const found = hash === null ? undefined : await this.#ports.tickets.find(hash, purpose)
    return found === undefined ? null : visitOf(found)
  }

  #event(type: EventType, { organization, owner }: Visit, actor: Actor): NewEvent {
    const { entropy, clock, seal } = this.#ports
    const subject = pseudonymOf(seal, organization, owner)
    return { id: newId('evt', entropy), organization, type, at: clock.wall(), actor, connection: null, subject, data: {} }
  }
}

function visitOf({ organization, data }: Ticket): Visit | null {
  const owner = data['owner']
  return organization === null || typeof owner !== 'string' ? null : { organization, owner }
}
