import type { Ticket, TicketPurpose, Tickets } from '../../core/identity/ticket.ts'
import type { OrganizationId, UserId } from '../../core/ids.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Instant } from '../../core/time.ts'
import { type Database, type Dialect, type Program, type Row, row, rows, run } from './program.ts'
import { integer, json, text, textOrNull } from './rows.ts'

const COLUMNS = 'hash, purpose, user_id, organization_id, data, attempts, created_at, expires_at'
const LIVE = 'hash = ? and purpose = ? and spent_at is null and expires_at > now_ms()'

function toTicket(found: Row): Ticket {
  return {
    hash: text(found, 'hash'),
    purpose: text(found, 'purpose') as TicketPurpose,
    user: textOrNull(found, 'user_id') as UserId | null,
    organization: textOrNull(found, 'organization_id') as OrganizationId | null,
    data: json<JsonObject>(found, 'data'),
    attempts: integer(found, 'attempts'),
    createdAt: integer(found, 'created_at'),
    expiresAt: integer(found, 'expires_at'),
  }
}

function* insert(ticket: Ticket): Program<void> {
  yield* run(
    `insert into ticket (${COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?) on conflict (hash) do nothing`,
    ticket.hash,
    ticket.purpose,
    ticket.user,
    ticket.organization,
    JSON.stringify(ticket.data),
    ticket.attempts,
    ticket.createdAt,
    ticket.expiresAt,
  )
}

function* find(hash: string, purpose: TicketPurpose): Program<Ticket | undefined> {
  const found = yield* row(`select ${COLUMNS} from ticket where ${LIVE}`, hash, purpose)
  return found === undefined ? undefined : toTicket(found)
}

function* attempt(hash: string, purpose: TicketPurpose, limit: number): Program<Ticket | undefined> {
  const counted = yield* run(`update ticket set attempts = attempts + 1 where ${LIVE} and attempts < ?`, hash, purpose, limit)
  return counted === 0 ? undefined : yield* find(hash, purpose)
}

/** In one transaction with what the person gains by it. Of two who come at once the row's lock lets one through; the second finds the ticket spent. */
export function* spend(hash: string, purpose: TicketPurpose): Program<Ticket | undefined> {
  if ((yield* run(`update ticket set spent_at = now_ms() where ${LIVE}`, hash, purpose)) === 0) return undefined
  const found = yield* row(`select ${COLUMNS} from ticket where hash = ?`, hash)
  if (found === undefined) return undefined
  const ticket = toTicket(found)
  // The row stays as a sign that it was used; an address or a name in it would outlive the person who is erased.
  yield* run("update ticket set data = '{}' where hash = ?", hash)
  if (purpose === 'setup') yield* run("update ticket set spent_at = now_ms() where purpose = 'setup' and spent_at is null")
  else if (ticket.user !== null && (purpose === 'reset_password' || purpose === 'verify_email')) yield* endAll(ticket.user, [purpose])
  return ticket
}

export function* endAll(user: UserId, purposes: readonly TicketPurpose[]): Program<number> {
  let ended = 0
  for (const purpose of purposes)
    ended += yield* run('update ticket set spent_at = now_ms() where user_id = ? and purpose = ? and spent_at is null', user, purpose)
  return ended
}

function* invitations(organization: OrganizationId): Program<readonly Ticket[]> {
  const found = yield* rows(
    `select ${COLUMNS} from ticket
     where purpose = 'invitation' and organization_id = ? and spent_at is null and expires_at > now_ms() order by created_at desc limit 200`,
    organization,
  )
  return found.map(toTicket)
}

function* purge(dialect: Dialect, before: Instant, limit: number): Program<number> {
  const old = yield* rows('select hash from ticket where expires_at < ? order by expires_at limit ?', before, limit)
  if (old.length === 0) return 0
  return yield* run(`delete from ticket where ${dialect.among('hash')}`, JSON.stringify(old.map((found) => found.hash)))
}

export function ticketsStore(database: Database): Tickets {
  const { dialect } = database
  return {
    insert: (ticket) => database.write(() => insert(ticket), { repeatable: true }),
    find: (hash, purpose) => database.read(() => find(hash, purpose)),
    attempt: (hash, purpose, limit) => database.write(() => attempt(hash, purpose, limit)),
    spend: (hash, purpose) => database.write(() => spend(hash, purpose)),
    invitations: (organization) => database.read(() => invitations(organization)),
    endAll: (user, purposes) => database.write(() => endAll(user, purposes), { repeatable: true }),
    purge: (before, limit) => database.write(() => purge(dialect, before, limit), { repeatable: true }),
  }
}
