import type { ProviderContext } from './context.ts'
import { fillPlain } from './jwt.ts'
import type { ClientAuth, ProviderRecord } from './record.ts'

type Values = Readonly<Record<string, string>>

/** What templates of a record may use: variables, facts over them, `{client_id}`. */
export function valuesOf(context: ProviderContext): Record<string, string> {
  return { ...context.variables, ...context.facts, client_id: context.clientId }
}

/** What templates of requests to the token endpoint may use besides: `{client_secret}` and `{token_url}`. */
export function tokenValuesOf(context: ProviderContext): Record<string, string> {
  const secret = sendableSecret(context)
  return { ...valuesOf(context), ...(secret === null ? {} : { client_secret: secret }), token_url: context.endpoints.token }
}

const KEYS: ReadonlySet<ClientAuth> = new Set(['signed_secret', 'private_key_jwt', 'tls'])

/** True where the client secret is a key or a certificate with its key: it proves without being sent. */
export function secretIsKey({ clientAuth, refresh, signature, awsSignature }: ProviderRecord['token']): boolean {
  if (signature?.algorithm === 'ed25519' || awsSignature !== null) return true
  return KEYS.has(clientAuth) || (refresh.clientAuth !== null && KEYS.has(refresh.clientAuth))
}

/** The client secret as it may stand in a request; null where there is none, and where it is a key. */
export function sendableSecret({ record, clientSecret }: Pick<ProviderContext, 'record' | 'clientSecret'>): string | null {
  return secretIsKey(record.token) || (record.token.signing !== null && isKeyText(clientSecret)) ? null : clientSecret
}

/** Where a grant signs, the integration's secret is a password or the key of those connections that bring none of their own. */
export function isKeyText(secret: string | null): boolean {
  return secret !== null && /^\s*(?:-----BEGIN |\{\s*")/.test(secret)
}

/** Puts the filled templates into `target`. One that names a value which nobody has told is left out. */
export function putFilled(target: Record<string, string>, templates: Values, values: () => Values): void {
  for (const [name, template] of Object.entries(templates)) {
    const text = template.includes('{') ? fillPlain(template, values()) : template
    if (text !== null) target[name] = text
  }
}

/** As {@link putFilled}, for headers: names in lower case, and no value breaks its line. */
export function putHeaders(target: Record<string, string>, templates: Values, values: () => Values): void {
  for (const [name, template] of Object.entries(templates)) {
    const text = template.includes('{') ? fillPlain(template, values()) : template
    if (text !== null) target[name.toLowerCase()] = headerText(text)
  }
}

/** A header value is no URL: nothing is encoded, but nothing may break the line either. */
export function headerText(value: string): string {
  return value.replace(/[^\x20-\x7E]/g, '')
}
