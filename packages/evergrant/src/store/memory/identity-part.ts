import type { NewEvent } from '../../core/audit/event.ts'
import type { Added, Demanded, Factor, FactorConfirmation, Factors, RemovedFactors } from '../../core/identity/factor.ts'
import { charge, FRESH, giveBack, type NamedCharge, type ThrottleState, type Throttles } from '../../core/identity/throttle.ts'
import { FACTOR_TICKETS, type Ticket, type TicketPurpose, type Tickets } from '../../core/identity/ticket.ts'
import type { FactorId, SessionId, UserId } from '../../core/ids.ts'
import type { Instant } from '../../core/time.ts'
import { endOfUser } from './person-sessions-part.ts'
import type { Tables } from './tables.ts'

const ENDS_SIBLINGS: readonly TicketPurpose[] = ['reset_password', 'verify_email']

function live(tables: Tables, hash: string, purpose: TicketPurpose): Ticket | undefined {
  const kept = tables.tickets.get(hash)
  if (kept === undefined || kept.spent || kept.ticket.purpose !== purpose || kept.ticket.expiresAt <= tables.now()) return undefined
  return kept.ticket
}

/** Also of a change of the person that their links do not outlive. */
export function endTickets(tables: Tables, user: UserId, purposes: readonly TicketPurpose[]): number {
  return endWhere(tables, (ticket) => ticket.user === user && purposes.includes(ticket.purpose))
}

function endWhere(tables: Tables, condition: (ticket: Ticket) => boolean): number {
  const found = [...tables.tickets.values()].filter(({ ticket, spent }) => !spent && condition(ticket))
  for (const { ticket } of found) tables.tickets.set(ticket.hash, { ticket, spent: true })
  return found.length
}

/** Also with what a person gains by it. */
export function spend(tables: Tables, hash: string, purpose: TicketPurpose): Ticket | undefined {
  const ticket = live(tables, hash, purpose)
  if (ticket === undefined) return undefined
  tables.tickets.set(hash, { ticket: { ...ticket, data: {} }, spent: true })
  if (purpose === 'setup') endWhere(tables, (other) => other.purpose === 'setup')
  else if (ENDS_SIBLINGS.includes(purpose) && ticket.user !== null) endWhere(tables, (other) => other.purpose === purpose && other.user === ticket.user)
  return ticket
}

export function ticketsPart(tables: Tables): Tickets {
  return {
    insert: async (ticket) => {
      if (!tables.tickets.has(ticket.hash)) tables.tickets.set(ticket.hash, { ticket, spent: false })
    },
    find: async (hash, purpose) => live(tables, hash, purpose),
    attempt: async (hash, purpose, limit) => {
      const found = live(tables, hash, purpose)
      if (found === undefined || found.attempts >= limit) return undefined
      const ticket = { ...found, attempts: found.attempts + 1 }
      tables.tickets.set(hash, { ticket, spent: false })
      return ticket
    },
    spend: async (hash, purpose) => spend(tables, hash, purpose),
    invitations: async (organization) =>
      [...tables.tickets.values()]
        .filter(({ ticket, spent }) => !spent && ticket.purpose === 'invitation' && ticket.organization === organization && ticket.expiresAt > tables.now())
        .map(({ ticket }) => ticket)
        .sort((left, right) => right.createdAt - left.createdAt),
    endAll: async (user, purposes) => endTickets(tables, user, purposes),
    purge: async (before, limit) => {
      const old = [...tables.tickets.values()].filter(({ ticket }) => ticket.expiresAt < before).slice(0, limit)
      for (const { ticket } of old) tables.tickets.delete(ticket.hash)
      return old.length
    },
  }
}

function chargeAll(tables: Tables, charges: readonly NamedCharge[]): number {
  const charged: [string, ThrottleState][] = []
  let waitMs = 0
  for (const { name, rule } of charges) {
    const outcome = charge(tables.throttles.get(name) ?? FRESH, rule, tables.now())
    if (outcome.kind === 'wait') waitMs = Math.max(waitMs, outcome.ms)
    else charged.push([name, outcome.next])
  }
  if (waitMs > 0) return waitMs
  for (const [name, next] of charged) tables.throttles.set(name, next)
  return 0
}

export function throttlesPart(tables: Tables): Throttles {
  return {
    charge: async (charges) => chargeAll(tables, charges),
    giveBack: async (names) => {
      for (const name of names) {
        const state = tables.throttles.get(name)
        if (state !== undefined) tables.throttles.set(name, giveBack(state, tables.now()))
      }
    },
    clear: async (names) => {
      for (const name of names) tables.throttles.delete(name)
    },
    purge: async (before, limit) => {
      const old = [...tables.throttles].filter(([, state]) => state.at < before && state.until < before).slice(0, limit)
      for (const [name] of old) tables.throttles.delete(name)
      return old.length
    },
  }
}

const codeKey = (user: UserId, hash: string): string => `${user} ${hash}`
const codesOf = (tables: Tables, user: UserId): string[] => [...tables.recoveryCodes.keys()].filter((key) => key.startsWith(`${user} `))

const codesLeft = (tables: Tables, user: UserId): number => codesOf(tables, user).filter((key) => tables.recoveryCodes.get(key) === null).length

function firstCodes(tables: Tables, user: UserId, codes: readonly string[] | null): boolean {
  if (codes === null || codesLeft(tables, user) > 0) return false
  for (const hash of codes) tables.recoveryCodes.set(codeKey(user, hash), null)
  return true
}

/** Of the session in which something is added. */
const isOver = (tables: Tables, by: SessionId | undefined): boolean => by !== undefined && tables.personSessions.get(by)?.revokedAt !== null

const isProtected = (tables: Tables, user: UserId): boolean => ofUser(tables, user).some(({ confirmedAt }) => confirmedAt !== null)

const ofUser = (tables: Tables, user: UserId): Factor[] =>
  [...tables.factors.values()].filter((factor) => factor.user === user).sort((left, right) => (left.id < right.id ? -1 : 1))

function change(tables: Tables, id: FactorId, allowed: (factor: Factor) => boolean, changes: Partial<Factor>): boolean {
  const factor = tables.factors.get(id)
  if (factor === undefined || !allowed(factor)) return false
  tables.factors.set(id, { ...factor, ...changes })
  return true
}

interface Adding {
  readonly codes: readonly string[] | null
  readonly event: NewEvent | null
  readonly by: SessionId | undefined
}

function insertFactor(tables: Tables, factor: Factor, { codes, event, by }: Adding): Added | 'taken' | 'session_over' {
  if (isOver(tables, by)) return 'session_over'
  const same = [...tables.factors.values()].some(({ credentialId }) => credentialId !== null && credentialId === factor.credentialId)
  if (same) return 'taken'
  if (factor.kind === 'totp')
    for (const other of ofUser(tables, factor.user)) if (other.kind === 'totp' && other.confirmedAt === null) tables.factors.delete(other.id)
  tables.factors.set(factor.id, factor)
  const kept = firstCodes(tables, factor.user, codes)
  if (event !== null) tables.append(event)
  return { kind: 'added', codes: kept }
}

function confirm(tables: Tables, { user, id, step, codes, at, event }: FactorConfirmation, by: SessionId | undefined): Added | 'gone' | 'session_over' {
  if (isOver(tables, by)) return 'session_over'
  const allowed = (factor: Factor) => factor.user === user && factor.confirmedAt === null
  if (!change(tables, id, allowed, { confirmedAt: at, lastStep: step, lastUsedAt: at })) return 'gone'
  const kept = firstCodes(tables, user, codes)
  tables.append(event)
  return { kind: 'added', codes: kept }
}

function remove(tables: Tables, user: UserId, id: FactorId, event: NewEvent): 'removed' | 'gone' | Demanded {
  const factor = tables.factors.get(id)
  if (factor?.user !== user) return 'gone'
  const others = ofUser(tables, user).some((other) => other.confirmedAt !== null && other.id !== id)
  const by = factor.confirmedAt === null || others ? undefined : whoDemands(tables, user)
  if (by !== undefined) return { kind: 'demanded', by }
  tables.factors.delete(id)
  if (!isProtected(tables, user)) for (const key of codesOf(tables, user)) tables.recoveryCodes.delete(key)
  tables.append(event)
  return 'removed'
}

/** The name of an organization that asks the person's role there for a second factor. */
function whoDemands(tables: Tables, user: UserId): string | undefined {
  const asking = [...tables.memberships.values()]
    .filter((membership) => membership.user === user)
    .sort((left, right) => (left.organization < right.organization ? -1 : 1))
    .map(({ organization, role }) => ({ role, found: tables.organizations.get(organization) }))
  return asking.find(({ role, found }) => found?.requireSecondFactor.includes(role))?.found?.name
}

function forgetUnconfirmed(tables: Tables, before: Instant, limit: number): number {
  const old = [...tables.factors.values()].filter(({ confirmedAt, createdAt }) => confirmedAt === null && createdAt < before).slice(0, limit)
  for (const { id } of old) tables.factors.delete(id)
  return old.length
}

function removeAll(
  tables: Tables,
  user: UserId,
  { at, removed, ended }: { readonly at: Instant; readonly removed: NewEvent; readonly ended: NewEvent },
): RemovedFactors | 'none' {
  const confirmed = ofUser(tables, user).filter(({ confirmedAt }) => confirmedAt !== null)
  if (confirmed.length === 0) return 'none'
  const totp = confirmed.filter(({ kind }) => kind === 'totp').length
  const passkeys = confirmed.length - totp
  const recoveryCodes = codesLeft(tables, user)
  for (const { id } of ofUser(tables, user)) tables.factors.delete(id)
  for (const key of codesOf(tables, user)) tables.recoveryCodes.delete(key)
  endTickets(tables, user, FACTOR_TICKETS)
  const sessions = endOfUser(tables, user, { organization: null, except: null }, { end: 'ended_by_admin', at }).length
  tables.append({ ...removed, data: { ...removed.data, totp, passkeys, recovery_codes: recoveryCodes, sessions } })
  if (sessions > 0) tables.append(ended)
  tables.changed({ kind: 'user', user })
  return { totp, passkeys, recoveryCodes, sessions }
}

export function factorsPart(tables: Tables): Factors {
  return {
    listOf: async (user) => ofUser(tables, user),
    byCredential: async (credentialId) => [...tables.factors.values()].find((factor) => factor.credentialId === credentialId),
    insert: async (factor, codes, event, by) => insertFactor(tables, factor, { codes, event, by }),
    confirm: async (confirmation, by) => confirm(tables, confirmation, by),
    remove: async (user, id, event) => remove(tables, user, id, event),
    removeAll: async (user, at, events) => removeAll(tables, user, { at, ...events }),
    useStep: async (id, step, at) => change(tables, id, ({ lastStep }) => (lastStep ?? -1) < step, { lastStep: step, lastUsedAt: at }),
    useCount: async (id, signCount, at) =>
      change(tables, id, (factor) => factor.signCount < signCount || (factor.signCount === 0 && signCount === 0), { signCount, lastUsedAt: at }),
    replaceCodes: async (user, hashes, event, by) => {
      if (isOver(tables, by)) return 'session_over'
      if (!isProtected(tables, user)) return 'none'
      for (const key of codesOf(tables, user)) tables.recoveryCodes.delete(key)
      for (const hash of hashes) tables.recoveryCodes.set(codeKey(user, hash), null)
      tables.append(event)
      return 'replaced'
    },
    spendCode: async (user, hash, at) => {
      if (tables.recoveryCodes.get(codeKey(user, hash)) !== null) return false
      tables.recoveryCodes.set(codeKey(user, hash), at)
      return true
    },
    codesLeft: async (user) => codesLeft(tables, user),
    purge: async (before, limit) => forgetUnconfirmed(tables, before, limit),
  }
}
