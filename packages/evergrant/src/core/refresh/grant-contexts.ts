import type { Integration } from '../connection/integration.ts'
import type { Integrations } from '../connection/integrations.ts'
import { Fault } from '../fault/fault.ts'
import type { IntegrationId } from '../ids.ts'
import { completeVariables } from '../provider/choices.ts'
import type { ProviderContext, ProviderDirectory } from '../provider/context.ts'
import type { ProviderRecord } from '../provider/record.ts'
import type { Reuse } from '../provider/reuse.ts'
import { reuseOf } from '../provider/reuse-of.ts'
import type { SigningPorts } from '../provider/signing.ts'
import { type Seal, SealError } from '../seal/seal.ts'

/** What a connection's requests are built from, besides its own tokens. */
export interface GrantContext {
  readonly integration: Integration
  readonly record: ProviderRecord
  readonly reuse: Reuse
}

interface ContextPorts {
  readonly integrations: Pick<Integrations, 'load'>
  readonly directory: ProviderDirectory
  readonly seal: Seal
  readonly redirectUriOf?: (integration: Integration) => string
  readonly signing?: SigningPorts
}

/** Integrations with their records and opened secrets, kept in memory until a change is announced. */
export class GrantContexts {
  readonly #ports: ContextPorts
  readonly #known = new Map<IntegrationId, Promise<GrantContext>>()
  readonly #secrets = new WeakMap<Integration, string>()

  constructor(ports: ContextPorts) {
    this.#ports = ports
  }

  forget(integration: IntegrationId | 'all'): void {
    if (integration === 'all') this.#known.clear()
    else this.#known.delete(integration)
  }

  of(id: IntegrationId): Promise<GrantContext> {
    const known = this.#known.get(id)
    if (known !== undefined) return known
    const loading = this.#load(id)
    this.#known.set(id, loading)
    loading.catch(() => this.#known.delete(id))
    return loading
  }

  /** Endpoints resolved and client secret opened: everything a request needs. @throws Fault */
  async provider(context: GrantContext, own: Readonly<Record<string, string>>, facts: Readonly<Record<string, string>>): Promise<ProviderContext> {
    const { integration, record } = context
    const { redirectUriOf } = this.#ports
    const variables = completeVariables(record, { ...integration.variables, ...own })
    const endpoints = await this.#ports.directory.resolve(record, { ...variables, ...facts })
    return {
      record,
      endpoints,
      // The client of a connection that has its own: API headers may name it.
      clientId: (record.grant === 'client_credentials' ? facts['client_id'] : undefined) ?? integration.clientId,
      clientSecret: this.clientSecret(integration),
      variables,
      facts,
      token: integration.settings.token,
      ...(record.token.refresh.redirectUri && redirectUriOf !== undefined ? { redirectUri: redirectUriOf(integration) } : {}),
      ...(this.#ports.signing === undefined ? {} : { signing: this.#ports.signing }),
    }
  }

  async #load(id: IntegrationId): Promise<GrantContext> {
    const integration = await this.#ports.integrations.load(id)
    if (integration === undefined) throw new Fault('not_found', { detail: `integration ${id} is gone` })
    const record = this.#ports.directory.get(integration.provider)
    if (record === undefined) {
      const remedy = 'restore its file in EVERGRANT_PROVIDERS_DIR (`practice` is there only with serve --development)'
      throw new Fault('client_rejected', { detail: `provider ${integration.provider} is not in the catalogue: ${remedy}` })
    }
    return { integration, record, reuse: reuseOf(record, integration.settings) }
  }

  /** @throws Fault when the key that sealed it is missing */
  clientSecret(integration: Integration): string | null {
    if (integration.clientSecret === null) return null
    const known = this.#secrets.get(integration)
    if (known !== undefined) return known
    const context = { organization: integration.organization, table: 'integration', row: integration.id, column: 'client_secret' }
    try {
      const opened = this.#ports.seal.openText(integration.clientSecret, context)
      this.#secrets.set(integration, opened)
      return opened
    } catch (error) {
      if (error instanceof SealError) throw new Fault(error.code, { detail: `client secret of ${integration.slug}: ${error.message}`, cause: error })
      throw error
    }
  }
}
