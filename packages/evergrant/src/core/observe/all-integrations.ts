import type { Integration } from '../connection/integration.ts'
import type { Integrations } from '../connection/integrations.ts'
import type { OrganizationId } from '../ids.ts'

const PAGE = 200

/** Every integration of an organization: they are few. */
export async function allIntegrations(integrations: Pick<Integrations, 'list'>, organization: OrganizationId): Promise<readonly Integration[]> {
  const found: Integration[] = []
  let cursor: string | null = null
  do {
    const page: Awaited<ReturnType<Integrations['list']>> = await integrations.list(organization, { limit: PAGE, cursor })
    found.push(...page.items)
    cursor = page.cursor
  } while (cursor !== null)
  return found
}
