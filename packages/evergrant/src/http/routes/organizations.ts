import { Type } from 'typebox'
import { Fault } from '../../core/fault/fault.ts'
import { callerOf } from '../authentication.ts'
import { iso } from '../connection-view.ts'
import { type App, PROBLEMS, Time } from '../schema.ts'
import type { Services } from '../services.ts'

const OrganizationView = Type.Object({
  id: Type.String(),
  slug: Type.String(),
  name: Type.String(),
  created_at: Time,
  key: Type.Object({ id: Type.String(), name: Type.String(), scopes: Type.Array(Type.String()) }),
})

/** Whose key this is. */
export function organizationRoutes(app: App, { organizations }: Services): void {
  app.get(
    '/api/v1/organizations/current',
    {
      config: { access: 'any' },
      schema: { summary: "Read this key's organization", tags: ['organizations'], response: { 200: OrganizationView, ...PROBLEMS } },
    },
    async (request) => {
      const { organization: id, key } = callerOf(request)
      const organization = await organizations.get(id)
      if (organization === undefined) throw new Fault('not_found', { detail: 'The organization of this key is gone.' })
      const { slug, name, createdAt } = organization
      return { id, slug, name, created_at: iso(createdAt), key: { id: key.id, name: key.name, scopes: key.scopes } }
    },
  )
}
