import type { Organization } from '../access/organization.ts'
import { Fault } from '../fault/fault.ts'
import type { OrganizationId } from '../ids.ts'
import type { Seal } from '../seal/seal.ts'
import type { OrganizationNames } from '../session/organization-names.ts'
import type { Clock, Instant } from '../time.ts'
import type { AgentTokens } from './agent-tokens.ts'
import type { InstallationStanding } from './installations.ts'
import { recoverySettingsOf, remainingRecoveries } from './recovery-rules.ts'
import type { AgentSettings, RecoveryMode } from './recovery-settings.ts'
import { sdkRefreshToken } from './sdk-refresh-token.ts'
import type { SdkToken } from './sdk-token.ts'

/** What a machine gets: who it is, its two credentials, and how much healing is left. */
export interface SdkOpened {
  readonly standing: InstallationStanding
  readonly token: SdkToken
  readonly organization: Pick<Organization, 'id' | 'name'>
  readonly accessToken: string
  readonly tokenType: 'DPoP' | 'Bearer'
  /** Whole seconds. */
  readonly expiresIn: number
  /** Derived, so the same token always has the same text. */
  readonly refreshToken: string
  readonly recovery: {
    readonly mode: RecoveryMode
    /** Null: none is counted. */
    readonly remaining: number | null
    /** Recoveries that a window has in all; null where none is counted. */
    readonly limit: number | null
    readonly windowMs: number
  }
  readonly serverTime: Instant
}

interface SdkOpening {
  /** False: a bearer access token, where the policy of the agent gives such. */
  readonly bound: boolean
  /** Where they were read already. */
  readonly settings?: AgentSettings
}

interface SdkCredentialPorts {
  readonly clock: Pick<Clock, 'wall'>
  readonly seal: Pick<Seal, 'mac'>
  readonly accessTokens: Pick<AgentTokens, 'issue'>
  readonly organizations: Pick<OrganizationNames, 'get'>
  readonly settings: (organization: OrganizationId) => Promise<AgentSettings>
}

/** Makes the answer of every route that gives a machine its credentials: the same token, always the same bytes of the refresh token. */
export class SdkCredentials {
  readonly #ports: SdkCredentialPorts

  constructor(ports: SdkCredentialPorts) {
    this.#ports = ports
  }

  /** @throws Fault `agent_policy_refused` where a bearer token was asked for and the policy gives none; `store_unavailable` */
  async opened(standing: InstallationStanding, token: SdkToken, { bound, settings }: SdkOpening): Promise<SdkOpened> {
    const { clock, seal, accessTokens, organizations } = this.#ports
    const { installation, agent } = standing
    if (!bound) requireBearer(standing)
    const [issued, organization, known] = await Promise.all([
      accessTokens.issue(installation, token, bound),
      organizations.get(installation.organization),
      settings ?? this.#ports.settings(installation.organization),
    ])
    if (organization === undefined) throw new Fault('installation_retired', { detail: 'The organization of this installation is gone.' })
    const at = clock.wall()
    const settled = recoverySettingsOf({ installation, agent, settings: known })
    return {
      standing,
      token,
      organization,
      accessToken: issued.token,
      tokenType: bound ? 'DPoP' : 'Bearer',
      expiresIn: issued.expiresIn,
      refreshToken: sdkRefreshToken({ installation: installation.id, generation: token.generation, attempt: token.attempt }, seal),
      recovery: {
        mode: settled.mode,
        remaining: remainingRecoveries(installation, settled, at),
        limit: settled.mode === 'standard' ? settled.limit : null,
        windowMs: settled.windowMs,
      },
      serverTime: at,
    }
  }
}

/** @throws Fault `agent_policy_refused` */
function requireBearer({ agent }: Pick<InstallationStanding, 'agent'>): void {
  if (agent.policy.bearer) return
  throw new Fault('agent_policy_refused', {
    field: '/bound',
    detail: 'The policy of this agent gives only access tokens that are bound to the key. Leave `bound` out, or let its owner set `bearer` in the policy.',
  })
}
