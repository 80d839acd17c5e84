import type { Config } from './config.ts'
import type { OrganizationId } from './core/ids.ts'
import type { Log } from './core/log.ts'
import { DpopProofs } from './core/proof/dpop-proofs.ts'
import type { Seal } from './core/seal/seal.ts'
import { AccessTokens } from './core/session/access-token.ts'
import { OrganizationNames } from './core/session/organization-names.ts'
import { SessionGuard } from './core/session/session-guard.ts'
import { type SessionAlert, SessionService } from './core/session/session-service.ts'
import { SigningKeys } from './core/session/signing-keys.ts'
import type { Clock, Entropy, Timers } from './core/time.ts'
import { createTokenSigner, proofVerifier } from './seal/token-signer.ts'
import type { Store } from './store/index.ts'

/** All that stands behind a person's credentials. */
export interface SessionParts {
  readonly sessions: SessionService
  readonly guard: SessionGuard
  readonly accessTokens: AccessTokens
  readonly signingKeys: SigningKeys
  readonly proofs: DpopProofs
}

export interface SessionComposition {
  readonly config: Pick<Config, 'publicUrl' | 'sessionIdleMs' | 'sessionMs' | 'serveWithoutDatabaseMs'>
  readonly store: Store
  readonly seal: Seal
  readonly clock: Clock
  readonly timers: Timers
  readonly entropy: Entropy
  readonly log: Log
  /** The one that exists from the start: events about signing keys are told to it. */
  readonly organization: OrganizationId
}

export function composeSessions(parts: SessionComposition): SessionParts {
  const { config, store, seal, clock, timers, entropy, log, organization } = parts
  const { publicUrl, serveWithoutDatabaseMs: withoutStoreMs } = config
  const ports = { clock, timers, entropy, seal, log }
  const changesFresh = () => store.changes.fresh()
  const signer = createTokenSigner()
  const signingKeys = new SigningKeys({ ...ports, store: store.signingKeys, signer, changesFresh, organization })
  const accessTokens = new AccessTokens({ ...ports, signer, keys: signingKeys, issuer: publicUrl, audience: publicUrl })
  const guard = new SessionGuard({ ...ports, tokens: accessTokens, sessions: store.sessions, changesFresh, withoutStoreMs })
  const sessions = new SessionService({
    ...ports,
    store: store.sessions,
    users: store.users,
    organizations: new OrganizationNames(store.organizations, clock),
    accessTokens,
    alert: alertTo(log),
    lifetimes: { idleMs: config.sessionIdleMs, absoluteMs: config.sessionMs },
  })
  followChanges(store, { guard, accessTokens, signingKeys })
  const proofs = new DpopProofs({ ...ports, verifier: proofVerifier, seen: store.proofsSeen })
  return { sessions, guard, accessTokens, signingKeys, proofs }
}

/** What changed here or on another node is believed no longer. */
function followChanges(
  store: Pick<Store, 'changes'>,
  { guard, accessTokens, signingKeys }: Pick<SessionParts, 'guard' | 'accessTokens' | 'signingKeys'>,
): void {
  store.changes.subscribe((change) => {
    if (change.kind === 'session') guard.forgetSession(change.session)
    if (change.kind === 'user') guard.forgetUser(change.user)
    if (change.kind === 'organization') guard.forgetOrganization(change.organization)
    if (change.kind === 'unknown') guard.forgetAll()
    if (change.kind !== 'signing_key' && change.kind !== 'unknown') return
    signingKeys.forget()
    accessTokens.forget()
  })
}

/** An operator reads the log; the person is told when they come back. */
function alertTo(log: Log): (alert: SessionAlert) => void {
  return ({ organization, user, session, generation, address }) => {
    log.warn(
      { organization, user, session, generation, address },
      'a refresh credential came back after its successor was in use: the session was ended for all who hold it',
    )
  }
}
