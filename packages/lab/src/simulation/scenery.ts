import {
  DEFAULT_SETTINGS,
  type EnginePorts,
  type Integration,
  type NewEvent,
  newConnection,
  newCredential,
  newId,
  type Reuse,
  type Store,
} from '../../../evergrant/src/engine.ts'
import { defineProvider } from '../../../evergrant/src/engine-parts.ts'
import type { ConnectionTruth, Ledger } from './ledger.ts'
import type { Site } from './provider-truth.ts'
import type { Random } from './random.ts'
import type { SimProvider } from './sim-provider.ts'
import { EPOCH, type World } from './world.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

const CLASSES: readonly Reuse[] = [
  { class: 'P0', windowMs: 0, neverProbe: false },
  { class: 'P1', windowMs: 30_000, neverProbe: false },
  { class: 'P1', windowMs: 10 * MINUTE, neverProbe: false },
  { class: 'P1', windowMs: 10_000, neverProbe: false },
  { class: 'P2', windowMs: 0, neverProbe: false },
  { class: 'P3', windowMs: 0, neverProbe: false },
  { class: 'P4', windowMs: 0, neverProbe: false },
  { class: 'P4', windowMs: 0, neverProbe: false },
  { class: 'P4', windowMs: 0, neverProbe: true },
  { class: 'PU', windowMs: 0, neverProbe: false },
]
const LIFETIMES = [5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, HOUR, HOUR, 2 * HOUR, 8 * HOUR, 24 * HOUR]

/** Draws the providers of a seed: which classes, lifetimes and habits. */
export function buildSites(random: Random, provider: SimProvider): void {
  const count = random.between(1, 5)
  for (let index = 0; index < count; index++) {
    const reuse = random.pick(CLASSES)
    const lifetimeMs = random.pick(LIFETIMES)
    const absolute = random.chance(0.15) ? random.between(6, 48) * 3_600 : null
    const refreshEndsAccess = reuse.class === 'P3' && random.chance(0.5)
    const record = defineProvider({
      id: `site-${index}`,
      name: `Site ${index}`,
      authorize: { url: `https://site-${index}.example/authorize` },
      token: { url: `https://site-${index}.example/token`, clientAuth: 'none' },
      reuse: { class: reuse.class, windowSeconds: reuse.windowMs / 1_000, neverProbe: reuse.neverProbe, evidence: 'drawn' },
      lifetimes: { refreshAbsoluteSeconds: absolute, refreshEndsAccessToken: refreshEndsAccess },
      revoke: random.chance(0.7) ? { url: `https://site-${index}.example/revoke`, clientAuth: 'none' } : null,
    })
    provider.sites.push({
      index,
      url: `https://site-${index}.example/token`,
      revokeUrl: record.revoke === null ? null : `https://site-${index}.example/revoke`,
      reuse,
      record,
      rotation: reuse.class === 'P0' ? random.pick(['never', 'always', 'sometimes'] as const) : random.chance(0.85) ? 'always' : 'sometimes',
      lifetimeMs,
      refreshEndsAccess,
      families: [],
      mood: { down: false, clientRejected: false, mistakenDeath: false },
    })
  }
}

/** From one to 200, few of them usually. */
export function drawConnections(random: Random): number {
  return Math.max(1, Math.min(200, Math.round(200 ** (random.uniform() ** 0.9))))
}

export interface Ground {
  readonly world: World
  readonly store: Store
  readonly provider: SimProvider
  readonly ledger: Ledger
  readonly ports: Pick<EnginePorts, 'seal' | 'entropy'>
}

/** Two organizations that look alike: whatever the first one does, nothing of the second may turn up, and the other way round. */
export async function settle(ground: Ground, random: Random, connections: number): Promise<void> {
  const { store, provider, ports } = ground
  const integrations = new Map<string, Integration>()
  const organizations = [newId('org', ports.entropy), newId('org', ports.entropy)] as const
  for (const [at, organization] of organizations.entries()) {
    await store.organizations.insert(
      { id: organization, name: 'Acme', slug: `acme-${at}`, createdAt: EPOCH },
      event(ground, organization, 'organization.created'),
    )
    for (const site of provider.sites) {
      const integration = integrationAt(ground, organization, site, random)
      await store.integrations.insert(integration, event(ground, organization, 'integration.created'))
      integrations.set(`${at} ${site.index}`, integration)
    }
  }
  for (let index = 0; index < connections; index++) {
    const at = index % 7 === 3 ? 1 : 0
    const site = random.pick(provider.sites)
    const integration = integrations.get(`${at} ${site.index}`)
    if (integration === undefined) throw new Error('an integration is missing')
    await connect(ground, index, site, integration, random)
  }
}

function integrationAt(ground: Ground, organization: `org_${string}`, site: Site, random: Random): Integration {
  return {
    id: newId('int', ground.ports.entropy),
    organization,
    slug: `site-${site.index}`,
    name: site.record.name,
    provider: site.record.id,
    clientId: 'client',
    clientSecret: null,
    scopes: [],
    variables: {},
    settings: { ...DEFAULT_SETTINGS, renewal: random.pick(['auto', 'auto', 'ahead', 'on_use'] as const) },
    blocked: null,
    deathsHeld: null,
    createdAt: EPOCH,
    updatedAt: EPOCH,
    version: 1,
  }
}

async function connect(ground: Ground, index: number, site: Site, integration: Integration, random: Random): Promise<void> {
  const { store, provider, ledger, ports } = ground
  const { organization } = integration
  const owner = `owner-${index % 5 === 0 ? random.between(0, 3) : index}`
  const { refresh, access } = provider.consent(site, index, `${organization} ${owner}`)
  const id = newId('con', ports.entropy)
  const tokens = { accessToken: access.text, refreshToken: refresh.text, tokenType: 'Bearer', accessExpiresAt: EPOCH + site.lifetimeMs, refreshExpiresAt: null }
  const credential = newCredential(
    { organization, connection: id, generation: 1, tokens, obtainedAt: EPOCH, record: site.record, settings: integration.settings },
    ports.seal,
    ports.entropy,
  )
  await store.connections.insert({
    connection: newConnection(EPOCH, { id, organization: integration.organization, integration: integration.id, owner, account: `account-${index}` }),
    credential,
    dueAt: credential.softAt,
    event: event(ground, organization, 'connection.created', id),
  })
  const row = await store.credentials.read(id)
  if (row === undefined) throw new Error('a connection did not stay')
  const truth: ConnectionTruth = {
    index,
    id,
    organization,
    integration: integration.id,
    site,
    owner: `${organization} ${owner}`,
    family: refresh.family,
    stored: refresh,
    row,
    durable: 1,
    consents: 0,
    served: { consent: 0, generation: 0, at: 0 },
    servedBy: new Map(),
    disconnectedAt: null,
    excuse: null,
    rolledBackFrom: null,
    grantedTo: null,
    heldSince: 0,
    statusChanges: 0,
  }
  ledger.add(truth)
}

export function event(
  ground: Pick<Ground, 'world' | 'ports'>,
  organization: `org_${string}`,
  type: NewEvent['type'],
  connection: `con_${string}` | null = null,
): NewEvent {
  return {
    id: newId('evt', ground.ports.entropy),
    organization,
    type,
    at: EPOCH + ground.world.now,
    actor: { kind: 'system', id: null },
    connection,
    subject: null,
    data: {},
  }
}
