import swagger from '@fastify/swagger'
import type { App } from '../schema.ts'

const DESCRIPTION = `Connections of your users to other services, kept alive. Send your API key as \`Authorization: Bearer egk_...\`. Every error is a problem document (RFC 9457); decide by its \`code\`. Send an \`Idempotency-Key\` with a POST to repeat it safely for 24 hours. Lists are paged: send the \`cursor\` of one page to get the next.`

/** Collects the schemas of every route that is registered after it. */
export function collectOpenApi(app: App, publicUrl: string): void {
  app.register(swagger, {
    hideUntagged: true,
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Evergrant API', version: '1', description: DESCRIPTION },
      servers: [{ url: publicUrl }],
      components: { securitySchemes: { key: { type: 'http', scheme: 'bearer', bearerFormat: 'egk_' } } },
    },
    transform: ({ schema, url, route }) => {
      const access = route.config?.access
      if (access === undefined || access === 'public') return { schema, url }
      const needs = access === 'any' ? 'Any key.' : `Scope: \`${access}\`.`
      return { schema: { ...schema, description: [schema.description, needs].filter(Boolean).join('\n\n'), security: [{ key: [] }] }, url }
    },
  })
}
