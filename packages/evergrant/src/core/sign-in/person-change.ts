import type { Actor, EventType, NewEvent } from '../audit/event.ts'
import type { ConnectPorts } from '../connect/connect-ports.ts'
import type { FlowContext } from '../connect/flow-context.ts'
import type { HeldGrant } from '../connect/staged-grant.ts'
import type { FaultCode } from '../fault/fault.ts'
import { newId, type OrganizationId, type UserId } from '../ids.ts'
import type { JsonObject } from '../json.ts'
import { isRecentProof } from '../session/recent-proof.ts'
import { lacksFactor } from '../session/second-factor.ts'
import type { Present } from '../session/session-service.ts'
import type { User } from '../user/user.ts'
import type { Identity, Users } from '../user/users.ts'
import { identityIssuer } from './identity-issuer.ts'
import type { PersonChange } from './sign-ins.ts'

/** Somebody came back from a provider with an account. */
export interface Arrival {
  readonly flowing: FlowContext
  readonly grant: HeldGrant
  readonly account: string
  /** Who adds this account to themselves; null for who signs in with it. */
  readonly adding: Present | null
}

type PersonDecision =
  | { readonly kind: 'change'; readonly user: User; readonly person: PersonChange; readonly issuer: string }
  | { readonly kind: 'refused'; readonly code: FaultCode }

interface Ports {
  readonly connect: Pick<ConnectPorts, 'clock' | 'entropy'>
  readonly users: Pick<Users, 'byIdentity' | 'membershipsOf'>
}

const NAME_MAX = 100

/**
 * Whose sign-in it is, by issuer and account id alone: an e-mail address that a provider tells proves nothing here. Nobody is merged with anybody: an
 * account that nobody has is added to the one who asks for it, or makes somebody new.
 */
export async function personChange(arrival: Arrival, ports: Ports): Promise<PersonDecision> {
  const { flowing, account, adding } = arrival
  const issuer = identityIssuer(flowing.context, flowing.integration)
  const known = await ports.users.byIdentity(issuer, account)
  if (adding !== null && known !== undefined && known.id !== adding.user.id) return refused('identity_taken')
  const user = known ?? adding?.user
  const identity = (id: UserId): Identity => ({ issuer, subject: account, user: id, createdAt: ports.connect.clock.wall() })
  if (user === undefined) return newcomer(arrival, identity, ports)
  if (user.disabledAt !== null) return refused('role_missing')
  if (known === undefined && adding !== null && lacksFactor(adding)) return refused('second_factor_missing')
  // A session that somebody left open must not get another way in.
  if (known === undefined && adding !== null && !isRecentProof(adding, ports.connect.clock.wall())) return refused('reauthentication_required')
  const membership = await membershipOf(user, arrival, ports)
  if (membership === 'closed') return refused('sign_up_closed')
  if (membership === 'named_elsewhere') return refused('role_missing')
  const added = { identity: identity(user.id), event: eventOf(arrival, 'user.identity_added', user.id, { issuer }, ports) }
  return { kind: 'change', user, issuer, person: { kind: 'known', user: user.id, identity: known === undefined ? added : null, membership } }
}

async function membershipOf(
  user: User,
  arrival: Arrival,
  ports: Ports,
): Promise<Extract<PersonChange, { kind: 'known' }>['membership'] | 'closed' | 'named_elsewhere'> {
  const { organization, settings } = arrival.flowing.integration
  if ((await ports.users.membershipsOf(user.id)).some((held) => held.organization === organization)) return null
  if (!settings.signIn?.createUsers) return 'closed'
  // A name that another organization gave them may be that of somebody else's connections here.
  if (user.externalId !== null) return 'named_elsewhere'
  const { role } = settings.signIn
  const membership = { organization, user: user.id, role, createdAt: ports.connect.clock.wall() }
  return { membership, event: eventOf(arrival, 'user.joined', user.id, { role }, ports) }
}

function newcomer(arrival: Arrival, identity: (id: UserId) => Identity, ports: Ports): PersonDecision {
  const { organization, settings } = arrival.flowing.integration
  if (!settings.signIn?.createUsers) return refused('sign_up_closed')
  const { role } = settings.signIn
  const at = ports.connect.clock.wall()
  const id = newId('usr', ports.connect.entropy)
  const user: User = {
    id,
    // What the provider calls this account is a name here, and no address: nobody proved to have its mailbox.
    email: null,
    emailVerifiedAt: null,
    name: arrival.grant.accountLabel?.slice(0, NAME_MAX) ?? null,
    externalId: null,
    passwordHash: null,
    passwordChangedAt: null,
    disabledAt: null,
    createdAt: at,
    updatedAt: at,
    version: 1,
  }
  const own = identity(id)
  const event = eventOf(arrival, 'user.created', id, { role, issuer: own.issuer }, ports)
  return {
    kind: 'change',
    user,
    issuer: own.issuer,
    person: { kind: 'new', user, membership: { organization, user: id, role, createdAt: at }, identity: own, event },
  }
}

function eventOf({ flowing }: Arrival, type: EventType, user: UserId, data: JsonObject, { connect }: Ports): NewEvent {
  const { organization, id }: { organization: OrganizationId; id: string } = flowing.integration
  const actor: Actor = { kind: 'user', id: user }
  return {
    id: newId('evt', connect.entropy),
    organization,
    type,
    at: connect.clock.wall(),
    actor,
    connection: null,
    subject: user,
    data: { integration: id, ...data },
  }
}

function refused(code: FaultCode): PersonDecision {
  return { kind: 'refused', code }
}
