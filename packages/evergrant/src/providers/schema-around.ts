import { Type } from 'typebox'
import type { JsonObject } from '../core/json.ts'
import { conditions, flag, oneOf, orNull, record, seconds, statuses, table, template, text, url, words } from './schema-terms.ts'

const unit = () => oneOf('seconds', 'milliseconds', 'minutes')

const Request = record(
  {
    method: oneOf('GET', 'POST'),
    url: url(),
    headers: orNull(table()),
    parameters: Type.Record(Type.String(), template()),
    format: oneOf('query', 'form', 'json'),
  },
  ['url'],
)

const Step = record(
  {
    request: Request,
    onRefresh: flag(),
    accessToken: text(),
    expiresIn: orNull(text()),
    expiresInUnit: unit(),
    accessSeconds: orNull(seconds()),
    facts: table(),
  },
  ['request'],
)

const After = record(
  {
    finds: text(),
    request: Request,
    from: orNull(record({ list: words(), where: conditions() }, ['list'])),
    facts: table(),
    scopes: orNull(text()),
    done: statuses(),
    needed: flag(),
  },
  ['finds', 'request'],
)

const Check = record({ request: Request, where: orNull(conditions()), everySeconds: orNull(seconds()), needsScope: Type.Array(words()) }, ['request'])

const headerNumber = () => orNull(record({ header: text(), at: Type.Integer({ minimum: 0, maximum: 20 }) }, ['header']))

const Quota = record(
  {
    name: Type.String({ pattern: '^[a-z0-9_]{1,40}$' }),
    per: oneOf('client', 'grant'),
    methods: Type.Array(text()),
    limit: headerNumber(),
    used: headerNumber(),
    remaining: headerNumber(),
    reset: orNull(
      record({ header: text(), format: oneOf('seconds', 'milliseconds', 'epoch_seconds', 'epoch_milliseconds', 'http_date', 'iso8601') }, ['header', 'format']),
    ),
    bucket: orNull(text()),
    windowSeconds: orNull(seconds()),
    aligned: flag(),
  },
  ['name'],
)

const Limits = record({
  token: orNull(
    record({ requests: Type.Integer({ minimum: 1 }), seconds: Type.Integer({ minimum: 1 }), per: oneOf('grant', 'client') }, ['requests', 'seconds', 'per']),
  ),
  api: Type.Array(Quota),
})

const Proof = record({
  kind: oneOf('none', 'hmac_sha1', 'hmac_sha256', 'ed25519', 'signed_field'),
  header: words(),
  format: words(),
  encoding: oneOf('hex', 'base64'),
  text: words(),
  timestampHeader: orNull(text()),
  secret: oneOf('client_secret', 'push_secret'),
})

const HandshakeSchema = record(
  {
    method: oneOf('GET', 'POST'),
    where: conditions(),
    token: orNull(text()),
    echo: record({ parameter: text(), as: text() }, ['parameter', 'as']),
  },
  ['where', 'echo'],
)

const Rule = record(
  {
    list: orNull(text()),
    where: conditions(),
    headers: table(),
    means: oneOf('revoked', 'code', 'changed'),
    account: orNull(text()),
    pattern: orNull(Type.String({ format: 'regex' })),
    at: orNull(text()),
    code: orNull(text()),
    facts: table(),
  },
  ['means'],
)

const Acknowledge = Type.Unsafe<200 | 204>({ type: 'integer', enum: [200, 204] })

const sample = () => Type.Unsafe<JsonObject | null>({ type: ['object', 'null'] })

/** The members of a record that stand around the grant (JSON Schema 2020-12). */
export const aroundProperties = {
  chain: Type.Array(Step),
  afterConnect: Type.Array(After),
  check: orNull(Check),
  limits: Limits,
  push: orNull(record({ proof: Proof, handshake: orNull(HandshakeSchema), rules: Type.Array(Rule), acknowledge: Acknowledge })),
  samples: record({ exchange: sample(), refresh: sample(), check: sample() }),
  sunsets: Type.Array(record({ what: text(), on: Type.String({ pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' }), instead: words() }, ['what', 'on'])),
}
