import type { ApiKeysService } from '../core/access/api-keys-service.ts'
import type { OrganizationId } from '../core/ids.ts'
import { connectionOf, type PeoplePlace, type SignedInPerson, signIn } from './people.ts'
import type { NodeAnswer } from './whole-node.ts'

/** Somebody's organization with a row of each kind that a request can name. */
export interface PlantedOrganization {
  readonly organization: OrganizationId
  readonly owner: SignedInPerson
  /** With every scope. */
  readonly key: string
  /** Ids by what they begin with: `con_`. */
  readonly ids: Readonly<Record<string, string>>
  /** One of these stands in everything that the organization has: nobody else may ever read it. */
  readonly marks: readonly string[]
}

interface PlantingPlace {
  readonly store: PeoplePlace['store'] & Parameters<typeof connectionOf>[0]
  readonly services: PeoplePlace['services'] & { readonly apiKeys: Pick<ApiKeysService, 'create'> }
  ask(method: string, url: string, credential: string | null, body?: unknown): Promise<NodeAnswer>
}

const ACTOR = { kind: 'cli', id: null } as const
/** Refused before anything is dialled: no request of a test leaves this machine. */
const NOWHERE = 'https://127.0.0.1:9'

/** `mark` stands in every name, so that one search finds whatever leaked. */
export async function plantOrganization(place: PlantingPlace, organization: OrganizationId, mark: string): Promise<PlantedOrganization> {
  const { services, store, ask } = place
  const owner = await signIn(place, { role: 'owner', organization, name: `${mark} person`, email: `${mark}@example.com`, externalId: `${mark}-user` })
  const { text: key, apiKey } = await services.apiKeys.create(organization, { name: `${mark} key`, scopes: ['admin'], expiresAt: null }, ACTOR)
  const made = async (path: string, body: unknown): Promise<string> => {
    const { status, json, text } = await ask('POST', `/api/v1/${path}`, key, body)
    if (status !== 201) throw new Error(`${path} answered ${status}: ${text}`)
    return json.id
  }
  const client = { client_id: `${mark}-client`, client_secret: `${mark}-secret`, variables: { issuer: NOWHERE } }
  const integration = (await made('integrations', { slug: mark, name: `${mark} integration`, provider: 'oauth2', ...client })) as `int_${string}`
  const agent = await made('agents', { name: `${mark} agent`, owner: owner.id, policy: { access: ['proxy'], connections: [{}] } })
  const ids = {
    org_: organization,
    usr_: owner.id,
    ses_: owner.opened.signedIn.session.id,
    key_: apiKey.id,
    int_: integration,
    con_: await connectionOf(store, { organization, integration, owner: `${mark}-owner`, account: `${mark}-account` }),
    agt_: agent,
    enr_: await made(`agents/${agent}/enrolment-codes`, {}),
    whk_: await made('webhooks', { name: `${mark} webhook`, url: `${NOWHERE}/${mark}`, types: ['*'] }),
  }
  return { organization, owner, key, ids, marks: [`${mark}-`, `${mark} `, `${mark}@`] }
}
