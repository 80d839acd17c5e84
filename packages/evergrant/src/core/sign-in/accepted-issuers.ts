import { everyItem } from '../connection/every-item.ts'
import type { Integration } from '../connection/integration.ts'
import type { Integrations } from '../connection/integrations.ts'
import { Fault } from '../fault/fault.ts'
import type { OrganizationId } from '../ids.ts'
import { completeVariables } from '../provider/choices.ts'
import type { ProviderDirectory } from '../provider/context.ts'
import { identityIssuer } from './identity-issuer.ts'

interface AcceptedIssuersPorts {
  readonly integrations: Pick<Integrations, 'list'>
  readonly providers: Pick<ProviderDirectory, 'get' | 'resolve'>
}

/** Whose word an organization takes for who somebody is: the issuers of its integrations that are marked `sign_in`. */
export class AcceptedIssuers {
  readonly #ports: AcceptedIssuersPorts

  constructor(ports: AcceptedIssuersPorts) {
    this.#ports = ports
  }

  /** @throws Fault `provider_unavailable` when an issuer cannot be asked who it is, and no other integration says yes */
  async accepts(organization: OrganizationId, issuer: string): Promise<boolean> {
    let away: Fault | null = null
    for await (const integration of everyItem((page) => this.#ports.integrations.list(organization, page))) {
      try {
        if (integration.settings.signIn && (await this.#issuerOf(integration)) === issuer) return true
      } catch (error) {
        if (!(error instanceof Fault)) throw error
        if (error.code === 'provider_unavailable') away = error
      }
    }
    if (away !== null) throw away
    return false
  }

  /** Only what is discovered has to be asked for. */
  async #issuerOf(integration: Integration): Promise<string | null> {
    const { providers } = this.#ports
    const record = providers.get(integration.provider)
    if (record === undefined) return null
    if (record.discovery === null) return identityIssuer({ record, endpoints: { issuer: null } }, integration)
    const endpoints = await providers.resolve(record, completeVariables(record, integration.variables))
    return identityIssuer({ record, endpoints }, integration)
  }
}
