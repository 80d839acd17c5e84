import type { NodeParts } from '../packages/evergrant/src/compose-node.ts'
import { newConnection } from '../packages/evergrant/src/core/connection/new-connection.ts'
import { newId, type OrganizationId } from '../packages/evergrant/src/core/ids.ts'
import type { ProviderRecord } from '../packages/evergrant/src/core/provider/record.ts'
import { newCredential } from '../packages/evergrant/src/core/refresh/new-credential.ts'
import { systemClock, systemEntropy } from '../packages/evergrant/src/system.ts'

const ACTOR = { kind: 'system', id: null } as const

/** Connections that are due now, read a moment ago. */
export async function seedConnections(
  node: NodeParts,
  record: ProviderRecord,
  options: { readonly count: number; readonly concurrency: number; readonly slug: string },
): Promise<void> {
  const now = systemClock.wall()
  const organization = newId('org', systemEntropy)
  const integration = newId('int', systemEntropy)
  const event = (type: 'organization.created' | 'integration.created' | 'connection.created') => newEvent(organization, type, now)
  await node.store.organizations.insert({ id: organization, name: 'Bench', slug: options.slug, createdAt: now }, event('organization.created'))
  const settings = {
    renewal: 'ahead' as const,
    marginMs: null,
    redirectUri: null,
    returnUrls: [],
    concurrency: options.concurrency,
    proxyReplays: 1,
    authorizeParameters: {},
    reuse: null,
    token: null,
    checkEveryMs: null,
    quotaReserve: 0,
    signIn: null,
  }
  const clientSecret = node.seal.seal('bench-secret', { organization, table: 'integration', row: integration, column: 'client_secret' })
  const times = { createdAt: now, updatedAt: now, version: 1 }
  await node.store.integrations.insert(
    {
      id: integration,
      organization,
      slug: 'bench',
      name: 'Bench',
      provider: record.id,
      clientId: 'bench',
      clientSecret,
      scopes: [],
      variables: {},
      settings,
      blocked: null,
      deathsHeld: null,
      ...times,
    },
    event('integration.created'),
  )
  const obtainedAt = now - 3_000_000
  const one = async (index: number) => {
    const connection = newId('con', systemEntropy)
    const tokens = {
      accessToken: `at-${index}`,
      refreshToken: `rt-${index}-0123456789abcdef0123456789abcdef`,
      tokenType: 'Bearer',
      accessExpiresAt: obtainedAt + 3_600_000,
      refreshExpiresAt: null,
    }
    const credential = newCredential({ organization, connection, generation: 1, tokens, obtainedAt, record, settings }, node.seal, systemEntropy)
    await node.store.connections.insert({
      connection: newConnection(now, { id: connection, organization, integration, owner: `owner-${index}`, account: `account-${index}`, lastReadAt: now }),
      credential,
      dueAt: now - 1_000,
      event: event('connection.created'),
    })
  }
  const batch = 500
  for (let first = 0; first < options.count; first += batch) {
    await Promise.all(Array.from({ length: Math.min(batch, options.count - first) }, (_, offset) => one(first + offset)))
  }
}

function newEvent<Type extends 'organization.created' | 'integration.created' | 'connection.created'>(organization: OrganizationId, type: Type, at: number) {
  return { id: newId('evt', systemEntropy), organization, type, at, actor: ACTOR, connection: null, subject: null, data: {} }
}
