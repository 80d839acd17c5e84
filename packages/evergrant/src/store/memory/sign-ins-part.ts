import type { ConnectionId } from '../../core/ids.ts'
import type { SignInCommit, SignInOutcome, SignIns } from '../../core/sign-in/sign-ins.ts'
import { insertConnection, replaceGrant } from './connections-part.ts'
import type { Tables } from './tables.ts'
import { addIdentity, addMember, identityUser, insertPerson } from './users-part.ts'

function commit(tables: Tables, { session: id, owner, event, person, grant }: SignInCommit): SignInOutcome {
  const session = tables.sessions.get(id)
  if (session?.state !== 'staged') return 'not_staged'
  const identity = person.kind === 'new' ? person.identity : (person.identity?.identity ?? null)
  if (identity !== null && identityUser(tables, identity.issuer, identity.subject) !== undefined) return 'identity_taken'
  if (person.kind === 'known') {
    const user = tables.people.get(person.user)
    if (user?.disabledAt !== null || (person.membership !== null && user.externalId !== null)) return 'person_gone'
  }
  const connection = store(tables, grant)
  if (connection === null) return 'grant_moved'
  change(tables, person)
  tables.sessions.set(id, { ...session, owner, state: 'completed', result: connection, fault: null, staged: null })
  tables.append(event)
  return 'committed'
}

function store(tables: Tables, grant: SignInCommit['grant']): ConnectionId | null {
  switch (grant.kind) {
    case 'insert':
      return insertConnection(tables, grant.connection).kind === 'inserted' ? grant.connection.connection.id : null
    case 'replace':
      return replaceGrant(tables, grant.replacement).kind === 'replaced' ? grant.replacement.connection : null
    case 'keep':
      return grant.connection
  }
}

function change(tables: Tables, person: SignInCommit['person']): void {
  if (person.kind === 'new') {
    const outcome = insertPerson(tables, person.user, person.membership, person.identity, person.event)
    if (outcome !== 'inserted') throw new Error(`the new person was not stored: ${outcome}`)
    return
  }
  if (person.identity !== null) addIdentity(tables, person.identity.identity, person.identity.event)
  if (person.membership !== null) addMember(tables, person.membership.membership, person.membership.event)
}

export function signInsPart(tables: Tables): SignIns {
  return { commit: async (request) => commit(tables, request) }
}
