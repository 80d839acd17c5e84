import { type Static, Type } from 'typebox'
import type { ProviderRecord } from '../core/provider/record.ts'
import { aroundProperties } from './schema-around.ts'
import { conditions, flag, NEEDS, oneOf, orNull, record, scalar, seconds, statuses, table, text, texts, url, words } from './schema-terms.ts'

const Paths = record({
  accessToken: text(),
  refreshToken: orNull(text()),
  expiresIn: orNull(text()),
  expiresAt: orNull(text()),
  refreshExpiresIn: orNull(text()),
  refreshExpiresAt: orNull(text()),
  grantExpiresIn: orNull(text()),
  scope: orNull(text()),
  tokenType: orNull(text()),
  idToken: orNull(text()),
})

const Variable = record(
  {
    label: text(),
    pattern: Type.String({ minLength: 1, maxLength: 500, format: 'regex' }),
    example: text(),
    default: orNull(text()),
    askedOf: oneOf('integration', 'connection', 'provider'),
    choices: orNull(Type.Record(Type.String(), record({ label: text(), sets: table() }, ['label']))),
  },
  ['label', 'pattern', 'example'],
)

const Authorize = record({
  url: orNull(url()),
  parameters: table(),
  omit: texts(),
  rename: table(),
  scopeSeparator: oneOf(' ', ',', '+'),
  scopeParameter: orNull(text()),
  defaultScopes: texts(),
  requiredScopes: texts(),
  pkce: oneOf('required', 'supported', 'unsupported'),
  responseMode: oneOf('query', 'form_post'),
  unencoded: texts(),
  inFragment: flag(),
  chooseAccount: table(),
  adminConsent: orNull(record({ url: url(), instead: Type.Record(Type.String(), table()), approved: text() }, ['url', 'instead', 'approved'])),
  callback: record({ code: text(), scope: orNull(text()), facts: table(), hmac: orNull(text()), by: oneOf('redirect', 'push') }),
})

const clientAuth = () => oneOf('body', 'basic', 'basic_raw', 'none', 'secret_as_username', 'header', 'signed_secret', 'private_key_jwt', 'tls')
const bodyFormat = () => oneOf('form', 'json', 'query', 'xml')

const Signing = record(
  { algorithm: oneOf('ES256', 'ES384', 'RS256', 'RS384', 'PS256', 'EdDSA'), header: table(), claims: table(), lifetimeSeconds: seconds() },
  ['algorithm', 'claims', 'lifetimeSeconds'],
)

const Signature = record(
  { algorithm: oneOf('sha256', 'hmac_sha256', 'ed25519'), text: text(), encoding: oneOf('hex', 'base64'), header: text(), timestampHeader: orNull(text()) },
  ['algorithm', 'text', 'header'],
)

const Refresh = record({
  presents: oneOf('refresh_token', 'access_token'),
  method: orNull(oneOf('POST', 'GET')),
  bodyFormat: orNull(bodyFormat()),
  clientAuth: orNull(clientAuth()),
  rename: orNull(table()),
  omit: orNull(texts()),
  headers: orNull(table()),
  redirectUri: flag(),
  minimumAgeSeconds: orNull(seconds()),
  prolongs: flag(),
})

const Token = record({
  url: orNull(url()),
  refreshUrl: orNull(url()),
  method: oneOf('POST', 'GET'),
  clientAuth: clientAuth(),
  authorization: orNull(text()),
  signing: orNull(Signing),
  bodyFormat: bodyFormat(),
  signature: orNull(Signature),
  awsSignature: orNull(record({ service: Type.String({ pattern: '^[a-z0-9-]+$' }), region: text() }, ['service', 'region'])),
  headers: table(),
  rename: table(),
  omit: texts(),
  exchangeParameters: table(),
  refreshParameters: table(),
  scopesOnRefresh: flag(),
  refresh: Refresh,
})

const TokenVariant = record({ paths: Paths, refreshPaths: orNull(Paths), account: orNull(text()), scopeParameter: orNull(text()) }, ['paths'])

const Answer = record({
  success: orNull(record({ path: text(), equals: scalar(), step: oneOf('exchange', 'refresh', 'any') }, ['path', 'equals'])),
  paths: Paths,
  refreshPaths: orNull(Paths),
  tokens: orNull(Type.Record(Type.String(), TokenVariant)),
  defaultToken: orNull(text()),
  expiresInUnit: oneOf('seconds', 'milliseconds', 'minutes'),
  expiresAtFormat: oneOf('epoch_seconds', 'epoch_milliseconds', 'iso8601'),
  zeroMeansNever: flag(),
  scopeSeparator: oneOf(' ', ',', 'either'),
  facts: table(),
  formEncoded: flag(),
})

const Verdict = record(
  {
    step: oneOf('exchange', 'refresh', 'any'),
    status: orNull(statuses()),
    where: conditions(),
    verdict: oneOf('dead', 'expired', 'throttled', 'unknown', 'config', 'restart_flow', 'admin_approval'),
    meaning: words(),
    confirm: orNull(url()),
  },
  ['where', 'verdict'],
)

const revokeWay = {
  url: orNull(url()),
  method: oneOf('POST', 'DELETE', 'GET'),
  clientAuth: oneOf('as_token', 'body', 'basic', 'bearer', 'header', 'none'),
  authorization: orNull(text()),
  format: oneOf('form', 'json', 'query'),
  token: oneOf('refresh', 'access'),
  parameter: orNull(text()),
  parameters: table(),
  reach: oneOf('token', 'grant'),
}

const label = () => orNull(text())
const sources = [
  record({ from: Type.Literal('answer'), path: text(), label: label(), pattern: orNull(text()) }, ['from', 'path']),
  record({ from: Type.Literal('variable'), name: text(), pattern: orNull(text()) }, ['from', 'name']),
  record({ from: Type.Literal('id_token'), claim: text(), label: label() }, ['from', 'claim']),
  record({ from: Type.Literal('access_token'), claim: text(), label: label() }, ['from', 'claim']),
  record({ from: Type.Literal('callback'), parameter: text() }, ['from', 'parameter']),
  record(
    {
      from: Type.Literal('request'),
      method: oneOf('GET', 'POST'),
      url: url(),
      headers: table(),
      body: orNull(text()),
      path: text(),
      label: label(),
      pattern: orNull(text()),
      needsScope: texts(),
    },
    ['from', 'url', 'path'],
  ),
] as const
const Source = Type.Unsafe<Static<(typeof sources)[number]>>({
  type: 'object',
  discriminator: { propertyName: 'from' },
  required: ['from'],
  oneOf: [...sources],
})

const Api = record(
  {
    base: url(),
    hosts: Type.Array(Type.String({ pattern: '^(\\*\\.)?[A-Za-z0-9.{}_-]+(:[0-9]+)?$' })),
    authorization: record({ header: Type.String({ pattern: '^[A-Za-z0-9{}_-]+$' }), prefix: words(), query: orNull(text()) }),
    headers: table(),
    required: Type.Array(record({ header: text(), except: texts(), meaning: words() }, ['header'])),
    answers: Type.Array(
      record({ status: statuses(), where: conditions(), means: oneOf('token_rejected', 'scope_missing', 'throttled', 'not_about_the_token') }, [
        'status',
        'where',
        'means',
      ]),
    ),
  },
  ['base'],
)

/** The complete record (JSON Schema 2020-12). Operators write a {@link draftSchema}: the same with almost everything optional. */
export const RecordSchema = record(
  {
    id: Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,62}$' }),
    name: text(),
    docs: orNull(url()),
    grant: oneOf('authorization_code', 'client_credentials', 'jwt_bearer', 'installation', 'api_key', 'basic'),
    setup: texts(),
    scopes: table(),
    variables: Type.Record(Type.String({ pattern: '^[A-Za-z0-9_-]+$' }), Variable, { additionalProperties: false }),
    discovery: orNull(record({ kind: oneOf('oidc', 'rfc8414', 'smart'), issuer: url() }, ['kind', 'issuer'])),
    issuer: Type.Optional(orNull(url())),
    authorize: Authorize,
    token: Token,
    answer: Answer,
    verdicts: Type.Array(Verdict),
    reuse: record({ class: oneOf('P0', 'P1', 'P2', 'P3', 'P4', 'PU'), windowSeconds: seconds(), neverProbe: flag(), evidence: words() }),
    rotation: oneOf('never', 'always', 'sometimes', 'optional', 'unknown'),
    lifetimes: record({
      accessSeconds: orNull(seconds()),
      noopAboveSeconds: orNull(seconds()),
      refreshIdleSeconds: orNull(seconds()),
      refreshAbsoluteSeconds: orNull(seconds()),
      absoluteSince: orNull(Type.String({ pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}' })),
      absoluteFrom: oneOf('consent', 'issue'),
      issuesRefreshToken: flag(),
      refreshEndsAccessToken: flag(),
      onePerAccount: flag(),
      cap: orNull(record({ grants: Type.Integer({ minimum: 1 }), next: oneOf('oldest_ends', 'refused') }, ['grants', 'next'])),
    }),
    revoke: orNull(record({ ...revokeWay, fallback: orNull(record(revokeWay)) })),
    account: Type.Array(Source),
    api: orNull(Api),
    ...aroundProperties,
    notes: texts(),
    unverified: texts(),
    sources: texts(),
  },
  ['id', 'name'],
)

type Frozen<Value> = Value extends readonly (infer Item)[]
  ? readonly Frozen<Item>[]
  : Value extends object
    ? { readonly [Key in keyof Value]: Frozen<Value[Key]> }
    : Value
type SchemaRecord = Frozen<Static<typeof RecordSchema>>
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never
/** Fails to compile when schema and interface part. */
export const schemaMatchesRecord: Same<SchemaRecord, ProviderRecord> = true

type JsonSchema = { readonly [key: string]: unknown }

/** The schema of what people write: `required` shrinks to what has no default. */
export function draftSchema(extended: boolean): JsonSchema {
  const draft = loosen(RecordSchema)
  if (!extended) return draft
  return { ...draft, properties: { ...asSchema(draft.properties), extends: { type: 'string', minLength: 1 } }, required: ['extends'] }
}

function loosen(schema: unknown): JsonSchema {
  const changed: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(asSchema(schema))) {
    if (key === NEEDS) changed.required = value
    else if (key === 'properties' || key === 'patternProperties')
      changed[key] = Object.fromEntries(Object.entries(asSchema(value)).map(([name, inner]) => [name, loosen(inner)]))
    else if (key === 'oneOf' && Array.isArray(value)) changed[key] = value.map(loosen)
    else if (key === 'items' || (key === 'additionalProperties' && typeof value === 'object')) changed[key] = loosen(value)
    else if (!(key in changed)) changed[key] = value
  }
  return changed
}

function asSchema(value: unknown): JsonSchema {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
