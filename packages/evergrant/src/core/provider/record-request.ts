import { apiHeaders, apiUrl } from './api.ts'
import { certified } from './client-auth.ts'
import type { ProviderContext } from './context.ts'
import { encodeForm, encodeQuery, withQuery } from './form.ts'
import type { RecordRequest } from './record-around.ts'
import { fillTemplate } from './template.ts'
import { sendableSecret } from './values.ts'
import type { ProviderRequest } from './wire.ts'

/**
 * One request of a record as it is sent. `accessToken` null: a request without one. A name that nobody has told yet is left
 * empty in headers and parameters; in the URL it is refused. @throws Fault `invalid_request`
 */
export function recordRequest(context: ProviderContext, request: RecordRequest, accessToken: string | null, tokenType?: string): ProviderRequest {
  const values = {
    ...context.variables,
    ...context.facts,
    ...(context.endpoints.userinfo === null ? {} : { userinfo: context.endpoints.userinfo }),
    client_id: context.clientId,
    client_secret: sendableSecret(context) ?? '',
    access_token: accessToken ?? '',
  }
  const parameters = Object.fromEntries(Object.entries(request.parameters).map(([name, template]) => [name, filled(template, values)]))
  const url = request.url === '{userinfo}' ? (values.userinfo ?? '') : fillTemplate(request.url, values, { definitions: context.record.variables })
  const none = Object.keys(parameters).length === 0
  const address = request.headers === null || accessToken === null ? url : apiUrl(context, url, accessToken)
  return certified(context, {
    method: request.method,
    url: request.format === 'query' ? withQuery(address, encodeQuery(parameters)) : address,
    headers: {
      accept: 'application/json',
      ...(request.headers === null || accessToken === null ? {} : apiHeaders(context, accessToken, tokenType)),
      ...(request.format === 'query' || none ? {} : { 'content-type': CONTENT_TYPES[request.format] }),
      ...Object.fromEntries(Object.entries(request.headers ?? {}).map(([name, template]) => [name.toLowerCase(), headerValue(filled(template, values))])),
    },
    basic: null,
    body: request.format === 'query' || none ? null : request.format === 'form' ? encodeForm(parameters) : JSON.stringify(parameters),
  })
}

const CONTENT_TYPES = { form: 'application/x-www-form-urlencoded', json: 'application/json' } as const

function filled(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/\{([A-Za-z0-9_-]+)\}/g, (_, name: string) => (Object.hasOwn(values, name) ? (values[name] ?? '') : ''))
}

/** Nothing may break the line. */
function headerValue(value: string): string {
  return value.replace(/[^\x20-\x7E]/g, '')
}
