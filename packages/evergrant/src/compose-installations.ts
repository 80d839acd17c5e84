import type { Config } from './config.ts'
import { AgentTokens } from './core/agent/agent-tokens.ts'
import { DowntimeTickets } from './core/agent/downtime-tickets.ts'
import { InstallationGuard } from './core/agent/installation-guard.ts'
import { ProofFailures } from './core/agent/proof-failures.ts'
import { SdkCredentials } from './core/agent/sdk-credentials.ts'
import { type SdkAlert, SdkService } from './core/agent/sdk-service.ts'
import { UseCounter } from './core/agent/use-counter.ts'
import type { Log } from './core/log.ts'
import type { DpopProofs } from './core/proof/dpop-proofs.ts'
import type { Seal } from './core/seal/seal.ts'
import { OrganizationNames } from './core/session/organization-names.ts'
import type { SigningKeys } from './core/session/signing-keys.ts'
import type { Clock, Entropy, Timers } from './core/time.ts'
import { createTokenSigner } from './seal/token-signer.ts'
import type { Store } from './store/index.ts'

/** All that stands behind the credentials of installations. */
export interface InstallationParts {
  readonly sdk: SdkService
  readonly sdkCredentials: SdkCredentials
  readonly installationGuard: InstallationGuard
  readonly uses: UseCounter
  readonly downtime: DowntimeTickets
}

export interface InstallationComposition {
  readonly config: Pick<Config, 'publicUrl' | 'serveWithoutDatabaseMs' | 'recovery' | 'sdkTokenMs'>
  readonly store: Pick<Store, 'installations' | 'uses' | 'agents' | 'organizations' | 'events' | 'meta' | 'changes'>
  readonly signingKeys: SigningKeys
  readonly proofs: DpopProofs
  readonly seal: Seal
  readonly clock: Clock
  readonly timers: Timers
  readonly entropy: Entropy
  readonly log: Log
}

export function composeInstallations(parts: InstallationComposition): InstallationParts {
  const { config, store, signingKeys, proofs, seal, clock, timers, entropy, log } = parts
  const { publicUrl, serveWithoutDatabaseMs: withoutStoreMs } = config
  const ports = { clock, timers, entropy, seal, log }
  const accessTokens = new AgentTokens({ ...ports, signer: createTokenSigner(), keys: signingKeys, issuer: publicUrl, audience: publicUrl })
  const sdkCredentials = new SdkCredentials({
    ...ports,
    accessTokens,
    organizations: new OrganizationNames(store.organizations, clock),
    settings: (organization) => store.agents.settings(organization),
  })
  const installationGuard = new InstallationGuard({
    ...ports,
    tokens: accessTokens,
    installations: store.installations,
    changesFresh: () => store.changes.fresh(),
    withoutStoreMs,
  })
  const uses = new UseCounter({ ...ports, store: store.uses })
  const sdk = new SdkService({
    ...ports,
    installations: store.installations,
    proofs,
    credentials: sdkCredentials,
    failures: new ProofFailures({ ...ports, append: (event) => store.events.append(event) }),
    alert: alertTo(log),
    uses,
    recoveryEnabled: config.recovery,
    tokenLifeMs: config.sdkTokenMs,
  })
  followChanges(store, installationGuard, accessTokens)
  return { sdk, sdkCredentials, installationGuard, uses, downtime: new DowntimeTickets({ clock, installations: store.installations, meta: store.meta }) }
}

/** What changed here or on another node is believed no longer. */
function followChanges(store: Pick<Store, 'changes'>, guard: InstallationGuard, accessTokens: AgentTokens): void {
  store.changes.subscribe((change) => {
    if (change.kind === 'installation') guard.forgetInstallation(change.installation)
    if (change.kind === 'agent') guard.forgetAgent(change.agent)
    if (change.kind === 'user') guard.forgetUser(change.user)
    if (change.kind === 'unknown') guard.forgetAll()
    if (change.kind === 'signing_key' || change.kind === 'unknown') accessTokens.forget()
  })
}

const ALERTS: Readonly<Record<SdkAlert['kind'], string>> = {
  clone: 'two machines hold the credentials of one installation: see its incident, and choose "Unlock and re-key" or enrol the copy anew',
  recovery_after_cut_off: 'an installation that was cut off tried to recover: whoever holds its credentials is still there',
  breaker_tripped: 'so many installations recovered within an hour that each one now waits for a person: if that was a rotation by mistake, press Rotate',
}

function alertTo(log: Log): (alert: SdkAlert) => void {
  return ({ kind, ...fields }) => log.warn(fields, ALERTS[kind])
}
