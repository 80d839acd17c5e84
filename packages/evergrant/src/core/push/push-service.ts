import type { Actor } from '../audit/event.ts'
import type { Integration } from '../connection/integration.ts'
import { Fault } from '../fault/fault.ts'
import type { ProviderDirectory } from '../provider/context.ts'
import type { ProviderRecord } from '../provider/record.ts'
import type { Instant } from '../time.ts'
import type { IncomingPush, PushAnswer } from './incoming-push.ts'
import type { PushPorts } from './push-ports.ts'
import { type PushAddress, pushAddress, setPushSecret } from './push-secret.ts'
import { receivePush } from './receive-push.ts'
import { workPushes } from './work-pushes.ts'

/** What an operator needs to register the address at the provider; never the secret. */
interface PushRegistration extends PushAddress {
  /** Null: none is set. */
  readonly secretSetAt: Instant | null
  /** Until when the secret before is taken, too. */
  readonly beforeUntil: Instant | null
  readonly means: readonly string[]
}

/** Pushes of providers, for the routes and the chores. */
export interface PushService {
  /** @throws Fault */
  receive(push: IncomingPush): Promise<PushAnswer>
  /** Does what was accepted. Returns how many were looked at. */
  work(): Promise<number>
  /** `{secret}` in place of the secret; null when the provider pushes nothing that we know. */
  urlOf(integration: Integration): string | null
  /** @throws Fault `not_found` when the provider pushes nothing that we know */
  registration(integration: Integration): Promise<PushRegistration>
  /** Sets the secret that the provider gave, or draws one: told this once, in the URL where it belongs there. @throws Fault */
  setSecret(
    integration: Integration,
    given: string | null,
    actor: Actor,
  ): Promise<{ readonly url: string; readonly secret: string; readonly beforeUntil: Instant | null }>
}

export function createPushService(ports: PushPorts, providers: Pick<ProviderDirectory, 'get'>, publicUrl: string): PushService {
  const known = (integration: Integration): { readonly record: ProviderRecord; readonly address: PushAddress } => {
    const record = providers.get(integration.provider)
    const address = record === undefined ? null : pushAddress(record, integration.id, publicUrl)
    if (record === undefined || address === null)
      throw new Fault('not_found', { detail: `${record?.name ?? integration.provider} pushes nothing that Evergrant knows.` })
    return { record, address }
  }
  return {
    receive: (push) => receivePush(push, ports),
    work: () => workPushes(ports),
    urlOf: (integration) => {
      const record = providers.get(integration.provider)
      return record === undefined ? null : (pushAddress(record, integration.id, publicUrl)?.url ?? null)
    },
    registration: async (integration) => {
      const { record, address } = known(integration)
      const stored = await ports.pushes.secrets(integration.id)
      const means = [...new Set((record.push?.rules ?? []).map((rule) => rule.means))]
      return { ...address, secretSetAt: stored?.setAt ?? null, beforeUntil: stored?.beforeUntil ?? null, means }
    },
    setSecret: async (integration, given, actor) => {
      const { record, address } = known(integration)
      const { secret, beforeUntil } = await setPushSecret({ integration, record, given, actor }, ports)
      return { url: address.url.replace('{secret}', secret), secret, beforeUntil }
    },
  }
}
