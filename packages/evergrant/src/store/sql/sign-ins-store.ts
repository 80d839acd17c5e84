import type { SignInCommit, SignInOutcome, SignIns } from '../../core/sign-in/sign-ins.ts'
import { insert as insertConnection, replaceGrant } from './connection-writes.ts'
import { append } from './event-rows.ts'
import { type Database, type Dialect, type Program, row, run } from './program.ts'
import { addIdentity, addMember, identityUser, insertPerson } from './users-store.ts'

/** Everything that may refuse comes before the first write, so that a refusal leaves nothing behind. The connection refuses before it writes. */
function* commit(dialect: Dialect, { session, owner, event, person, grant }: SignInCommit): Program<SignInOutcome> {
  const found = yield* row(`select s.state from connect_session s where s.id = ? ${dialect.forUpdate('s')}`, session)
  if (found?.state !== 'staged') return 'not_staged'
  const identity = person.kind === 'new' ? person.identity : (person.identity?.identity ?? null)
  if (identity !== null && (yield* identityUser(identity.issuer, identity.subject)) !== undefined) return 'identity_taken'
  if (person.kind === 'known') {
    // Whoever joins has no name from elsewhere: it may be that of somebody else's connections here.
    const unnamed = person.membership === null ? '' : 'and p.external_id is null'
    const sql = `select p.id from person p where p.id = ? and p.disabled_at is null ${unnamed} ${dialect.forUpdate('p')}`
    if ((yield* row(sql, person.user)) === undefined) return 'person_gone'
  }
  const connection = yield* store(dialect, grant)
  if (connection === null) return 'grant_moved'
  yield* change(dialect, person)
  yield* run("update connect_session set state = 'completed', owner = ?, result = ?, fault = null, staged = null where id = ?", owner, connection, session)
  yield* append(event)
  return 'committed'
}

function* store(dialect: Dialect, grant: SignInCommit['grant']): Program<string | null> {
  switch (grant.kind) {
    case 'insert':
      return (yield* insertConnection(grant.connection)).kind === 'inserted' ? grant.connection.connection.id : null
    case 'replace':
      return (yield* replaceGrant(dialect, grant.replacement)).kind === 'replaced' ? grant.replacement.connection : null
    case 'keep':
      return grant.connection
  }
}

/** Thrown through a transaction, so that nothing of it stays. */
class TakenMeanwhile extends Error {}

async function committed(database: Database, request: SignInCommit): Promise<SignInOutcome> {
  try {
    return await database.write(() => commit(database.dialect, request))
  } catch (error) {
    if (error instanceof TakenMeanwhile) return 'identity_taken'
    throw error
  }
}

function* change(dialect: Dialect, person: SignInCommit['person']): Program<void> {
  if (person.kind === 'new') {
    const { user, membership, identity, event } = person
    const outcome = yield* insertPerson(user, membership, identity, event)
    // It was free when this began: another transaction has committed since. What was written here before must not stay.
    if (outcome === 'identity_taken') throw new TakenMeanwhile()
    // Nobody has a name yet that could be taken.
    if (outcome !== 'inserted') throw new Error(`the new person was not stored: ${outcome}`)
    return
  }
  if (person.identity !== null) yield* addIdentity(person.identity.identity, person.identity.event)
  if (person.membership !== null) yield* addMember(dialect, person.membership.membership, person.membership.event)
}

export function signInsStore(database: Database): SignIns {
  return { commit: (request) => committed(database, request) }
}
