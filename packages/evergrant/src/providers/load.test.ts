import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Fault } from '../core/fault/fault.ts'
import { checkDraft } from './check-draft.ts'
import { checkMeaning } from './check-meaning.ts'
import { defineProvider } from './define.ts'
import { catalogue } from './index.ts'
import { loadProviderFolder, parseProvider } from './load.ts'
import { RecordSchema, schemaMatchesRecord } from './schema.ts'
import { NEEDS } from './schema-terms.ts'

const minimal = `id: acme
name: Acme
authorize: { url: https://acme.example/authorize }
token: { url: https://acme.example/token }
`
const file = 'providers/acme.yaml'

function refusal(text: string, name = file): string {
  try {
    parseProvider(text, name, catalogue)
  } catch (cause) {
    if (cause instanceof Fault && cause.code === 'invalid_request') return cause.message
    throw cause
  }
  throw new Error('the file was accepted')
}

test('four lines are a provider; everything else has a default', () => {
  expect(parseProvider(minimal, file)).toEqual(
    defineProvider({ id: 'acme', name: 'Acme', authorize: { url: 'https://acme.example/authorize' }, token: { url: 'https://acme.example/token' } }),
  )
  expect(parseProvider(minimal, file).reuse.class).toBe('PU')
})

test('JSON is read as well', () => {
  const text = JSON.stringify({ id: 'acme', name: 'Acme', discovery: { kind: 'oidc', issuer: 'https://id.acme.example' } })
  expect(parseProvider(text, 'acme.json').discovery).toEqual({ kind: 'oidc', issuer: 'https://id.acme.example' })
})

test.each(catalogue.map((record) => [record.id, record] as const))("the shipped record %s passes the checks of an operator's file", (_, record) => {
  expect(checkDraft(record).problems).toBeNull()
  expect(checkMeaning(record)).toEqual([])
  expect(parseProvider(JSON.stringify(record), 'x.json')).toEqual(record)
  expect(record.sources.length).toBeGreaterThan(0)
})

test('a completed record leaves nothing open: the whole schema holds, and it is the interface', () => {
  const whole = new Ajv({ allowUnionTypes: true, discriminator: true, keywords: [NEEDS], formats: { regex: true } }).compile(RecordSchema)
  for (const record of catalogue) expect([record.id, whole(record), whole.errors]).toEqual([record.id, true, null])
  expect(whole({ ...catalogue[0], token: {} })).toBe(false)
  expect(schemaMatchesRecord).toBe(true)
})

const token = (more: string) => minimal.replace('token }', `token, ${more} }`)
const account = (source: string) => `${minimal}account: [${source}]\n`
const variable = (name: string, more: string) => `${minimal}variables: { ${name}: { label: L, pattern: "[a-z]+", example: a, ${more} } }\n`

const refused: [string, string, string][] = [
  [
    'a wrong choice',
    `${minimal.replace('token }', 'token')}`.replace('acme.example/token', 'acme.example/token, clientAuth: post }'),
    `${file}: token.clientAuth must be one of body, basic, basic_raw, none, secret_as_username, header, signed_secret, private_key_jwt, tls (found "post")`,
  ],
  ['an unknown field', `${minimal}lifetime: {}\n`, `${file}: lifetime is not a field of a provider record; did you mean "lifetimes"?`],
  [
    'an unknown inner field',
    `${minimal}answer: { paths: { access_token: token } }\n`,
    `${file}: answer.paths.access_token is not a field of a provider record; did you mean "accessToken"?`,
  ],
  ['a number for text', `${minimal}docs: 7\n`, `${file}: docs must be text or null (found 7)`],
  ['text for a list', `${minimal}notes: one\n`, `${file}: notes must be a list (found "one")`],
  ['text for a number', `${minimal}lifetimes: { accessSeconds: 1h }\n`, `${file}: lifetimes.accessSeconds must be a whole number or null (found "1h")`],
  [
    'plain http',
    minimal.replace('https://acme.example/token', 'http://acme.example/token'),
    `${file}: token.url must be an https URL; http only on a loopback host (found "http://acme.example/token")`,
  ],
  ['a missing name', minimal.replace('name: Acme\n', ''), `${file}: name is missing`],
  ['no endpoints', 'id: acme\nname: Acme\n', `${file}: authorize.url is missing: write the URL, or a discovery`],
  ['a key twice', `${minimal}name: Again\n`, `${file}: Map keys must be unique at line 5, column 1`],
  [
    'a pattern that does not compile',
    `${minimal}variables: { shop: { label: Shop, pattern: "(", example: a } }\n`,
    `${file}: variables.shop.pattern must be a regular expression that compiles (found "(")`,
  ],
  [
    'a rule that does not compile',
    `${minimal}verdicts: [{ where: { error: "/(/" }, verdict: dead }]\n`,
    `${file}: verdicts.0.where.error must be a regular expression that compiles (found "/(/")`,
  ],
  [
    'an undeclared variable',
    minimal.replace('https://acme.example/token', '"https://{shop}.acme.example/token"'),
    `${file}: token.url uses {shop}, which is no variable of this record`,
  ],
  [
    'a check that names what nobody tells',
    `${minimal}check: { request: { url: "https://{cell}.acme.example/me" } }\n`,
    `${file}: check.request.url uses {cell}, which is no variable of this record`,
  ],
  [
    'a parameter of a revocation that names what nobody tells',
    `${minimal}revoke: { url: "https://acme.example/revoke", parameters: { who: "{user}" } }\n`,
    `${file}: revoke.parameters.who uses {user}, which is no variable of this record`,
  ],
  [
    'a header that names what nobody tells',
    token('headers: { X-Realm: "{realm}" }'),
    'token.headers.X-Realm uses {realm}, which is no variable of this record',
  ],
  [
    'a parameter that names what nobody tells',
    token('refreshParameters: { a: "{b}" }'),
    'token.refreshParameters.a uses {b}, which is no variable of this record',
  ],
  [
    'a claim that names what nobody tells',
    token('signing: { algorithm: ES256, claims: { iss: "{team}" }, lifetimeSeconds: 300 }'),
    'token.signing.claims.iss uses {team}',
  ],
  ['nothing that signs', token('clientAuth: private_key_jwt'), 'token.signing is missing: token.clientAuth private_key_jwt signs a JWT'],
  [
    'nothing that signs its refreshes',
    token('refresh: { clientAuth: signed_secret }'),
    'token.signing is missing: token.refresh.clientAuth signed_secret signs a JWT',
  ],
  ['no text for its header', token('clientAuth: header'), 'token.authorization is missing'],
  ['no text for the header of its revocation', `${minimal}revoke: { url: "https://acme.example/r", clientAuth: header }\n`, 'revoke.authorization is missing'],
  ['a signature over what is not there', token('signature: { algorithm: sha256, text: "{nonce}", header: X }'), 'token.signature.text uses {nonce}'],
  [
    'a success that nothing proves',
    `${token('refresh: { prolongs: true }')}lifetimes: { accessSeconds: 60 }\n`,
    'answer.success is missing: a refresh that prolongs',
  ],
  [
    'a success that prolongs by nobody knows what',
    `${token('refresh: { prolongs: true }')}answer: { success: { path: ok, equals: true } }\n`,
    'lifetimes.accessSeconds is missing',
  ],
  [
    'a token that is never old enough',
    `${token('refresh: { minimumAgeSeconds: 60 }')}lifetimes: { accessSeconds: 60 }\n`,
    'token.refresh.minimumAgeSeconds must be less than lifetimes.accessSeconds (60)',
  ],
  ...[
    ['revoke: { url: "https://acme.example/r", clientAuth: body }', 'revoke.clientAuth does not go with a client secret that is a key: use as_token'],
    ['revoke: { url: "https://acme.example/r", parameters: { s: "{client_secret}" } }', 'revoke.parameters.s uses {client_secret}'],
  ].map(([more, message]): [string, string, string] => [`a key that would be sent by ${more}`, `${token('clientAuth: tls')}${more}\n`, message ?? '']),
  [
    'a key that refreshes would send',
    token('clientAuth: tls, refresh: { clientAuth: body }'),
    'token.refresh.clientAuth does not go with a client secret that is a key',
  ],
  [
    'a JWT that is over when it is sent',
    token('signing: { algorithm: ES256, claims: {}, lifetimeSeconds: 60 }'),
    'token.signing.lifetimeSeconds must be at least 90, because it counts from a minute ago (found 60)',
  ],
  [
    'a condition of its check that does not compile',
    `${minimal}check: { request: { url: "https://acme.example/me" }, where: { ok: "/(/" } }\n`,
    'check.where.ok must be a regular expression that compiles (found "/(/")',
  ],
  [
    'an account pattern that does not compile',
    account('{ from: answer, path: id, pattern: "(" }'),
    'account.0.pattern must be a regular expression that compiles (found "(")',
  ],
  [
    'an account pattern without a group',
    account('{ from: answer, path: id, pattern: "[0-9]+" }'),
    'account.0.pattern must have a group in round brackets around the id',
  ],
  ['an account of no variable', account('{ from: variable, name: shop }'), 'account.0.name must name a variable of this record: it has none (found "shop")'],
  ['a variable that nobody tells', variable('cell', 'askedOf: provider'), 'variables.cell is told by nobody'],
  [
    'an authorization URL that waits for the callback',
    `${variable('cell', 'askedOf: provider').replace('//acme.example/authorize', '//{cell}.acme.example/authorize').replace('https:', '"https:').replace('authorize }', 'authorize", callback: { facts: { cell: cell } } }')}`,
    'authorize.url uses {cell}, which the provider tells only after it: give variables.cell a default',
  ],
  [
    'a token server that any browser may name',
    minimal.replace('https://acme.example/token', '"{server}/token"').replace('/authorize }', '/authorize, callback: { facts: { server: server } } }'),
    'token.url sends secrets to {server}, which comes through the browser: declare variables.server with a pattern',
  ],
  [
    'choices that set different names',
    variable('region', 'choices: { eu: { label: EU, sets: { host: a } }, us: { label: US } }'),
    'variables.region.choices.us.sets must set the same names as the other choices: host',
  ],
  ['a default that is no choice', variable('region', 'default: xx, choices: { eu: { label: EU } }'), 'variables.region.default must be one of its choices: eu'],
  [
    'a choice outside the pattern',
    variable('region', 'choices: { E1: { label: EU } }'),
    'variables.region.choices.E1 must match the pattern of its variable, [a-z]+',
  ],
  [
    'a default outside its pattern',
    `${minimal}variables: { shop: { label: Shop, pattern: "[a-z]+", example: a, default: "9" } }\n`,
    `${file}: variables.shop.default must match [a-z]+ (found "9")`,
  ],
  [
    'a pushed code that no browser can name',
    `id: acme\nname: Acme\nauthorize: { url: https://acme.example/authorize, callback: { by: push, facts: { place: place } } }\ntoken: { url: https://acme.example/token }\npush: { rules: [{ means: code, code: code, facts: { installation: id } }] }\n`,
    `${file}: authorize.callback.facts must name a fact that a code rule of push names, too: nothing else tells whose code it is`,
  ],
  ['P1 without a window', `${minimal}reuse: { class: P1 }\n`, `${file}: reuse.windowSeconds is missing: class P1 needs the length of its window`],
  [
    'an unknown account source',
    `${minimal}account: [{ from: body, path: id }]\n`,
    `${file}: account.0.from must be one of answer, id_token, access_token, callback, variable, request (found "body")`,
  ],
  ['an incomplete account source', `${minimal}account: [{ from: id_token }]\n`, `${file}: account.0.claim is missing`],
  ['a list', '- id: acme\n', `${file}: must be a list of fields, beginning with id and name`],
  ['nothing', '', `${file}: must be a list of fields, beginning with id and name`],
  ['a bad id', minimal.replace('id: acme', 'id: Acme Inc'), `${file}: id must be lower-case letters, digits and dashes (found "Acme Inc")`],
  ['an unknown base', 'extends: gogle\n', `${file}: extends must name a shipped provider`],
  [
    'a wrong field in an extension',
    'extends: google\ntoken: { clientAuth: 7 }\n',
    `${file}: token.clientAuth must be one of body, basic, basic_raw, none, secret_as_username, header, signed_secret, private_key_jwt, tls (found 7)`,
  ],
]

test.each(refused)('a file with %s is refused with path, expectation and finding', (_, text, message) => {
  expect(refusal(text)).toContain(message)
})

test('broken JSON is called so', () => {
  expect(refusal('{"id": "acme",}', 'providers/acme.json')).toContain('providers/acme.json: is not JSON')
})

test('a document that grows by references is refused', () => {
  const bomb = [
    'a: &a [x,x,x,x,x,x,x,x,x]',
    ...'bcdefgh'.split('').map((name, at) => `${name}: &${name} [${Array(9).fill(`*${'abcdefg'[at]}`).join(',')}]`),
  ].join('\n')
  expect(() => parseProvider(bomb, file)).toThrow(Fault)
})

test('extends merges objects member by member and replaces lists', () => {
  const google = catalogue.find((record) => record.id === 'google')
  const own = parseProvider(
    'extends: google\nid: google-ads\nname: Google Ads\nauthorize:\n  defaultScopes: [openid, https://www.googleapis.com/auth/adwords]\n',
    file,
    catalogue,
  )
  expect(own.id).toBe('google-ads')
  expect(own.authorize).toEqual({ ...google?.authorize, defaultScopes: ['openid', 'https://www.googleapis.com/auth/adwords'] })
  expect(own.token).toEqual(google?.token)
  expect(parseProvider('extends: strava\nrevoke: null\n', file, catalogue)).toMatchObject({ id: 'strava', revoke: null })
})

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'evergrant-providers-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

test('a folder adds and overrides; files that are no records are left alone', async () => {
  await writeFile(join(folder, 'own.yaml'), minimal.replace('id: acme', 'id: of-our-own'))
  await writeFile(join(folder, 'strava.yml'), 'extends: strava\nlifetimes: { noopAboveSeconds: 1800 }\n')
  await writeFile(join(folder, 'README.md'), 'words')
  const records = await loadProviderFolder(folder, catalogue)
  expect(records).toHaveLength(catalogue.length + 1)
  expect(records.find((record) => record.id === 'strava')?.lifetimes).toMatchObject({ noopAboveSeconds: 1800, accessSeconds: 21_600 })
})

test('all bad files are reported at once, and two files cannot define the same provider', async () => {
  await writeFile(join(folder, 'a.yaml'), 'id: a\n')
  await writeFile(join(folder, 'b.yaml'), minimal)
  await writeFile(join(folder, 'c.yaml'), minimal)
  const failure = await loadProviderFolder(folder, catalogue).catch((cause: unknown) => cause)
  expect(failure).toBeInstanceOf(Fault)
  expect(String(failure)).toContain(`${join(folder, 'a.yaml')}: name is missing`)
  expect(String(failure)).toContain(`${join(folder, 'c.yaml')}: id "acme" is already defined by ${join(folder, 'b.yaml')}`)
})

test('an empty folder leaves the shipped records as they are', async () => {
  expect(await loadProviderFolder(folder, catalogue)).toHaveLength(catalogue.length)
})

test('a folder that is not there, or is a file, is refused by name', async () => {
  await writeFile(join(folder, 'a.yaml'), minimal)
  for (const path of [join(folder, 'absent'), join(folder, 'a.yaml')])
    await expect(loadProviderFolder(path, catalogue)).rejects.toThrow(`EVERGRANT_PROVIDERS_DIR is ${path}, which cannot be read as a folder`)
})
