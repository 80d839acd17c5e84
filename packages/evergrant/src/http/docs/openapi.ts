import swagger from '@fastify/swagger'
import { type App, PROBLEMS } from '../schema.ts'

const DESCRIPTION = `Connections of your users to other services, kept alive. Send your API key as \`Authorization: Bearer egk_...\`. Every error is a problem document (RFC 9457); decide by its \`code\`. Send an \`Idempotency-Key\` with a POST to repeat it safely for 24 hours. Lists are paged: send the \`cursor\` of one page to get the next.`

const NEEDS: Readonly<Record<string, string>> = { any: 'Any key, any person.', person: 'A person who is signed in.' }

/** Of routes that take one kind alone: no person reads the tokens of connections. */
const CREDENTIALS: Readonly<Record<string, readonly Readonly<Record<string, string[]>>[]>> = { person: [{ session: [] }], 'tokens:read': [{ key: [] }] }

/** Collects the schemas of every route that is registered after it. */
export function collectOpenApi(app: App, publicUrl: string): void {
  const withProblems = leaveProblemsOut(app)
  app.register(swagger, {
    hideUntagged: true,
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Evergrant API', version: '1', description: DESCRIPTION },
      servers: [{ url: publicUrl }],
      components: {
        securitySchemes: {
          key: { type: 'http', scheme: 'bearer', bearerFormat: 'egk_' },
          session: {
            type: 'http',
            scheme: 'bearer',
            bearerFormat: 'JWT',
            description: "A person's access token, from auth/login or auth/refresh. Checked as RFC8725 asks.",
          },
        },
      },
    },
    transform: ({ schema: own, url, route }) => {
      const access = route.config?.access
      const schema = withProblems.has(nameOf(route)) ? { ...own, response: { ...(own.response as object), ...PROBLEMS } } : own
      if (access === undefined || access === 'public') return { schema, url }
      const security = CREDENTIALS[access] ?? [{ key: [] }, { session: [] }]
      return { schema: { ...schema, description: [schema.description, NEEDS[access] ?? `Scope: \`${access}\`.`].filter(Boolean).join('\n\n'), security }, url }
    },
  })
}

/**
 * Problems are written by one function and pass no serializer, so none is built for them: that would be most of the work of a start. They are put
 * back for the reader of the document.
 */
function leaveProblemsOut(app: App): ReadonlySet<string> {
  const routes = new Set<string>()
  app.addHook('onRoute', (route) => {
    const response = route.schema?.response
    if (typeof response !== 'object' || response === null || !('4xx' in response)) return
    const { '4xx': _, '5xx': __, ...answers } = response as Readonly<Record<string, unknown>>
    route.schema = { ...route.schema, response: answers }
    routes.add(nameOf(route))
  })
  return routes
}

function nameOf({ method, url }: { readonly method: string | string[]; readonly url: string }): string {
  return `${String(method)} ${url}`
}
