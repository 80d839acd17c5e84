import { apiHeaders } from '../../core/provider/api.ts'
import type { ProviderContext } from '../../core/provider/context.ts'
import type { TokenAnswer } from '../../core/refresh/refresh-engine.ts'
import { echoesOf } from './echo-mask.ts'

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>
type SentHeaders = Record<string, string | readonly string[]>

/** RFC 9110 section 7.6.1, and what must not cross on the way out: the caller's own credentials and our own fields. */
const NOT_SENT = new Set([
  'authorization',
  'cookie',
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'host',
  'content-length',
  'expect',
  'forwarded',
  'x-real-ip',
  'accept-encoding',
  'request-id',
  'origin',
  'referer',
  'dpop',
])
/** On the way back: what would speak for our own origin, or belongs to the provider's hop. */
const NOT_RETURNED = new Set([
  'set-cookie',
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'cache-control',
  'content-security-policy',
  'content-security-policy-report-only',
  'strict-transport-security',
  'x-frame-options',
  'x-content-type-options',
  'referrer-policy',
  'cross-origin-opener-policy',
  'cross-origin-resource-policy',
  'cross-origin-embedder-policy',
  'clear-site-data',
  'refresh',
  'service-worker-allowed',
  'report-to',
  'reporting-endpoints',
  'nel',
  'alt-svc',
  'request-id',
  'public-key-pins',
])
const PREFIXES_NOT_SENT = ['proxy-', 'x-forwarded-', 'evergrant-', 'sec-']

/** The caller's harmless headers, then the provider's own over them. */
export function headersToSend(caller: Headers, context: ProviderContext, token: TokenAnswer): SentHeaders {
  const sent: SentHeaders = {}
  const listed = namedByConnection(caller['connection'])
  for (const [name, value] of Object.entries(caller)) {
    if (value === undefined || NOT_SENT.has(name) || listed.has(name) || PREFIXES_NOT_SENT.some((prefix) => name.startsWith(prefix))) continue
    sent[name] = value
  }
  // Answers that may have to be judged must be readable, and a compressed bomb stays compressed at the provider.
  sent['accept-encoding'] = 'identity'
  return { ...sent, ...apiHeaders(context, token.accessToken) }
}

/** The provider's headers without its cookies, its policies for our origin, and any echo of a secret. */
export function headersToReturn(answer: Headers, secrets: readonly string[]): SentHeaders {
  const echoes = echoesOf(secrets.filter((secret) => secret !== ''))
  const returned: SentHeaders = {}
  for (const [name, value] of Object.entries(answer)) {
    if (value === undefined || NOT_RETURNED.has(name) || name.startsWith('access-control-') || name.startsWith('evergrant-')) continue
    const text = typeof value === 'string' ? value : value.join(' ')
    if (echoes.some((echo) => text.includes(echo))) continue
    returned[name] = value
  }
  return returned
}

function namedByConnection(connection: string | readonly string[] | undefined): ReadonlySet<string> {
  const text = connection === undefined ? '' : typeof connection === 'string' ? connection : connection.join(',')
  return new Set(
    text
      .toLowerCase()
      .split(',')
      .map((name) => name.trim()),
  )
}
