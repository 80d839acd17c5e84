import { readFileSync } from 'node:fs'
import { CONFIG_KEYS, type ConfigKey, type RenamedKey } from './config-keys.ts'
import { ConfigReader, type Environment, invalid, type ReadOptions } from './config-reader.ts'
import { Secret } from './core/seal/secret.ts'
import { DAY } from './core/time.ts'
import { refuseWideMode } from './seal/key-file.ts'
import { type KeyEntry, parseKeyEntries } from './seal/keyring.ts'
import { transitPlace } from './seal/vault-transit.ts'

export type { Environment } from './config-reader.ts'

/** Who may sign up: only people who were invited, or anybody. */
type SignUp = 'invited' | 'open'

type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

export interface Config {
  readonly development: boolean
  readonly host: string
  readonly port: number
  /** Origin and optional path under which browsers and providers reach this server; no slash at the end. */
  readonly publicUrl: string
  /** Of applications whose pages may use this server with a session; each is an origin as browsers write it. */
  readonly allowedOrigins: readonly string[]
  readonly signUp: SignUp
  /** In small letters; what is little more than one of them is no password here. */
  readonly passwordWords: readonly string[]
  /** Folder of range files; null: passwords are not compared with breached ones. */
  readonly breachedPasswordsDir: string | null
  readonly sessionIdleMs: number
  /** However much it is used. */
  readonly sessionMs: number
  /** False: no installation recovers, whatever any policy says. */
  readonly recovery: boolean
  /** How long the refresh token of an installation is good that is not used. */
  readonly sdkTokenMs: number
  /** Null: letters are files in `dataDir`. */
  readonly smtpUrl: Secret | null
  /** Null: made from the public URL. */
  readonly mailFrom: string | null
  readonly dataDir: string
  /** Null: the embedded database in `dataDir`. */
  readonly databaseUrl: Secret | null
  readonly databaseConnections: number
  /** Null: `keys.json` in `dataDir`. */
  readonly masterKeys: readonly KeyEntry[] | null
  /** The key service that wrapped the master keys; null: they stand in clear. */
  readonly vault: { readonly address: string; readonly token: Secret } | null
  readonly providersDir: string | null
  readonly trustedProxies: readonly string[]
  /** Hosts, or host:port, that outbound requests may reach although their address is private. */
  readonly dangerousPrivateHosts: readonly string[]
  /** Address of the proxy that outbound requests go through; null: none. */
  readonly egressProxy: Secret | null
  /** Hosts, `.suffixes`, addresses and networks that are reached without it. */
  readonly egressDirect: readonly string[]
  /** Null: the id kept in `dataDir`. */
  readonly nodeId: string | null
  readonly serveWithoutDatabaseMs: number
  readonly logLevel: LogLevel
  /** Null: nothing is traced. The share of traces that is kept may stand in its query, `sample`. */
  readonly otlpEndpoint: Secret | null
  readonly organizationName: string
  /** Requests a minute. */
  readonly rateLimitPerKey: number
  readonly rateLimitPerAddress: number
  readonly cacheEntries: number
  readonly workerConcurrency: number
  readonly bodyLimitBytes: number
  readonly proxyTimeoutMs: number
  readonly drainMs: number
  readonly journal: boolean
  /** Null: for ever. */
  readonly historyMs: number | null
  /** Protocol waits are divided by this; 1 outside tests. */
  readonly dangerousTimeScale: number
  /** Keys that were given under the name they had before: still understood, and the start says so. */
  readonly renamedKeys: readonly RenamedKey[]
}

/**
 * Reads the process's environment and takes the secrets out of it, so that no child process inherits them.
 * @throws Fault `invalid_request`, as {@link readConfig}.
 */
export function loadConfig(options: { readonly development: boolean }): Config {
  const config = readConfig(process.env, { ...options, readSecretFile })
  for (const key of CONFIG_KEYS) if (key.secret) delete process.env[key.name]
  return config
}

/** A secret that a person put into a variable for one command; taken out, so that no child process inherits it. */
export function takeSecret(name: string): Secret | undefined {
  const text = process.env[name]
  delete process.env[name]
  return text === undefined || text === '' ? undefined : new Secret(text)
}

/** Flags that the environment gives to Node itself. */
export function nodeOptions(): string {
  return process.env.NODE_OPTIONS ?? ''
}

/** True in the processes of tests. */
export function isTesting(): boolean {
  return process.env.NODE_ENV === 'test'
}

/** Shorter words stand in too many good passwords. */
const PASSWORD_WORD = /^[\p{L}\p{M}\p{N}._-]{4,64}$/u

const CACHE_ENTRIES_MAX = 10_000_000

/** EVERGRANT_CACHE_ENTRIES before the configuration is read: the size of the heap is settled before anything else is loaded. Nonsense is refused later. */
export function cacheEntriesSet(): number {
  const entries = Number(process.env.EVERGRANT_CACHE_ENTRIES || CONFIG_KEYS.find(({ name }) => name === 'EVERGRANT_CACHE_ENTRIES')?.default)
  return Number.isFinite(entries) && entries > 0 ? Math.min(entries, CACHE_ENTRIES_MAX) : 0
}

function readSecretFile(path: string): string {
  refuseWideMode(path)
  return readFileSync(path, 'utf8')
}

/**
 * Pure but for `readSecretFile`. Every problem is reported at once; no message repeats the value of a secret.
 * @throws Fault `invalid_request` whose detail has one line for each problem: key, what is wrong, remedy.
 */
export function readConfig(env: Environment, options: ReadOptions): Config {
  const read = new ConfigReader(env, options)
  const port = read.integer('EVERGRANT_PORT', 0, 65_535)
  const databaseUrl = read.optional('EVERGRANT_DATABASE_URL', databaseAddress)
  const masterKeys = read.optional('EVERGRANT_MASTER_KEYS', parseKeyEntries)
  if (databaseUrl !== null && masterKeys === null && !read.failed('EVERGRANT_MASTER_KEYS')) {
    read.refuse(
      'EVERGRANT_MASTER_KEYS',
      'is missing, and PostgreSQL needs it because every node must have the same keys: set it to k1:<output of `openssl rand -base64 32`>; for a database that has content already, to the keys that sealed it (id:key of each in keys.json of its data folder, separated by commas)',
    )
  }
  const config: Config = {
    development: options.development,
    host: read.text('EVERGRANT_HOST'),
    port,
    publicUrl: read.optional('EVERGRANT_PUBLIC_URL', publicAddress) ?? `http://localhost:${port}`,
    allowedOrigins: read.optional('EVERGRANT_ALLOWED_ORIGINS', origins) ?? [],
    signUp: read.optional('EVERGRANT_SIGN_UP', signUp) ?? 'invited',
    passwordWords: read.list('EVERGRANT_PASSWORD_WORDS', PASSWORD_WORD, 'words of 4 to 64 letters and digits'),
    breachedPasswordsDir: read.optional('EVERGRANT_BREACHED_PASSWORDS_DIR', (text) => text),
    sessionIdleMs: read.integer('EVERGRANT_SESSION_IDLE_DAYS', 1, 400) * DAY,
    sessionMs: read.integer('EVERGRANT_SESSION_DAYS', 1, 400) * DAY,
    recovery: read.flag('EVERGRANT_RECOVERY'),
    sdkTokenMs: read.integer('EVERGRANT_SDK_TOKEN_DAYS', 1, 400) * DAY,
    smtpUrl: read.optional('EVERGRANT_SMTP_URL', mailServer),
    mailFrom: read.optional('EVERGRANT_MAIL_FROM', mailSender),
    dataDir: read.text('EVERGRANT_DATA_DIR'),
    databaseUrl: databaseUrl === null ? null : new Secret(databaseUrl),
    databaseConnections: read.integer('EVERGRANT_DATABASE_CONNECTIONS', 10, 1_000),
    masterKeys,
    vault: vaultOf(read, masterKeys),
    providersDir: read.optional('EVERGRANT_PROVIDERS_DIR', (text) => text),
    trustedProxies: read.list('EVERGRANT_TRUSTED_PROXIES', /^[0-9a-fA-F.:]+(\/\d{1,3})?$/, 'addresses or networks such as 10.0.0.0/8'),
    dangerousPrivateHosts: read.list(
      'EVERGRANT_DANGEROUS_PRIVATE_HOSTS',
      /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?$/i,
      'exact hosts, or host:port, without patterns',
    ),
    egressProxy: read.optional('EVERGRANT_EGRESS_PROXY', egressAddress),
    egressDirect: read.list('EVERGRANT_EGRESS_DIRECT', DIRECT, 'hosts, .suffixes, addresses and networks'),
    nodeId: read.optional('EVERGRANT_NODE_ID', nodeName),
    serveWithoutDatabaseMs: read.integer('EVERGRANT_SERVE_WITHOUT_DATABASE_SECONDS', 0, 86_400) * 1_000,
    logLevel: read.optional('EVERGRANT_LOG_LEVEL', logLevel) ?? 'info',
    otlpEndpoint: read.optional('EVERGRANT_OTLP_ENDPOINT', collector),
    organizationName: options.development && env.EVERGRANT_ORGANIZATION_NAME === undefined ? 'Example application' : read.text('EVERGRANT_ORGANIZATION_NAME'),
    rateLimitPerKey: read.integer('EVERGRANT_RATE_LIMIT_PER_KEY', 1, 10_000_000),
    rateLimitPerAddress: read.integer('EVERGRANT_RATE_LIMIT_PER_ADDRESS', 1, 10_000_000),
    cacheEntries: read.integer('EVERGRANT_CACHE_ENTRIES', 0, CACHE_ENTRIES_MAX),
    workerConcurrency: read.integer('EVERGRANT_WORKER_CONCURRENCY', 1, 10_000),
    bodyLimitBytes: read.integer('EVERGRANT_BODY_LIMIT_BYTES', 1_024, 1_073_741_824),
    proxyTimeoutMs: read.integer('EVERGRANT_PROXY_TIMEOUT_SECONDS', 1, 3_600) * 1_000,
    drainMs: read.integer('EVERGRANT_DRAIN_SECONDS', 0, 3_600) * 1_000,
    journal: read.flag('EVERGRANT_JOURNAL'),
    historyMs: read.integer('EVERGRANT_HISTORY_DAYS', 0, 36_500) * DAY || null,
    dangerousTimeScale: read.integer('EVERGRANT_DANGEROUS_TIME_SCALE', 1, 100_000),
    renamedKeys: read.renamed(),
  }
  if (config.dangerousTimeScale !== 1 && !options.development && env.NODE_ENV !== 'test') {
    read.refuse(
      'EVERGRANT_DANGEROUS_TIME_SCALE',
      'shortens the waits that protect grants and works only with `serve --development` or NODE_ENV=test: remove it',
    )
  }
  read.refuseUnknown()
  read.throwProblems()
  return config
}

/** The keys that open what a safe default keeps closed, where they do (S119). Their names alone: what they name is the operator's. */
export function dangerousSwitches({
  dangerousPrivateHosts,
  dangerousTimeScale,
}: Pick<Config, 'dangerousPrivateHosts' | 'dangerousTimeScale'>): readonly ConfigKey[] {
  return [
    ...(dangerousPrivateHosts.length === 0 ? [] : (['EVERGRANT_DANGEROUS_PRIVATE_HOSTS'] as const)),
    ...(dangerousTimeScale === 1 ? [] : (['EVERGRANT_DANGEROUS_TIME_SCALE'] as const)),
  ]
}

/** Both or none; and a wrapped key needs both. */
function vaultOf(read: ConfigReader, masterKeys: readonly KeyEntry[] | null): Config['vault'] {
  const address = read.optional('EVERGRANT_VAULT_KEY', vaultKey)
  const token = read.optional('EVERGRANT_VAULT_TOKEN', (text) => new Secret(text.trim()))
  if (address === null && token !== null && !read.failed('EVERGRANT_VAULT_KEY'))
    read.refuse('EVERGRANT_VAULT_KEY', 'is missing beside EVERGRANT_VAULT_TOKEN: set both, or none')
  if (address !== null && token === null && !read.failed('EVERGRANT_VAULT_TOKEN'))
    read.refuse('EVERGRANT_VAULT_TOKEN', 'is missing beside EVERGRANT_VAULT_KEY: set both, or none')
  const wrapped = masterKeys?.find((entry) => 'wrapped' in entry)
  if (wrapped !== undefined && address === null)
    read.refuse(
      'EVERGRANT_VAULT_KEY',
      `is missing, and master key ${wrapped.id} is wrapped: set it to https://<vault>/v1/<mount>/keys/<key>, with EVERGRANT_VAULT_TOKEN`,
    )
  return address === null || token === null ? null : { address, token }
}

function databaseAddress(text: string): string {
  if (!/^postgres(ql)?:\/\/./.test(text) || !URL.canParse(text))
    throw invalid(
      'must look like postgres://user:password@host:5432/database (in a password `#`, `/`, `?`, `@`, `:` and `%` are written `%23`, `%2F`, `%3F`, `%40`, `%3A` and `%25`); leave it out for the embedded database',
    )
  for (const name of ['sslrootcert', 'sslcert', 'sslkey']) refuseUnreadable(name, new URL(text).searchParams.get(name))
  return text
}

/** The driver reads these files at each connection; a path that is wrong is better told at the start. */
function refuseUnreadable(name: string, path: string | null): void {
  if (path === null || path === '' || path === 'system') return
  try {
    readFileSync(path)
  } catch {
    throw invalid(`names in ${name} a file that cannot be read: correct its path, and let this user read it`)
  }
}

function vaultKey(text: string): string {
  const host = URL.parse(text)
  if (host === null || transitPlace(text) === undefined) throw invalid('must look like https://vault.example.com:8200/v1/transit/keys/evergrant')
  if (host.protocol === 'http:' && !isLoopbackName(host.hostname))
    throw invalid('is plain http on another machine, so the token and the keys would travel in clear: use https://')
  return text
}

/** Plain http on another machine is left out: whoever sits on the line could speak for that page. */
const ORIGIN =
  /^(?:https:\/\/(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])|http:\/\/(?:(?:[a-z0-9-]+\.)*localhost|127(?:\.\d{1,3}){3}|\[::1\]))(?::\d{1,5})?$/i

function origins(text: string): readonly string[] {
  const entries = text.split(/[\s,]+/).filter((entry) => entry !== '')
  if (!entries.every((entry) => ORIGIN.test(entry) && URL.canParse(entry)))
    throw invalid('must be a list, separated by commas, of origins such as https://app.example.com: https (or http on this machine), no path, no pattern')
  return entries.map((entry) => new URL(entry).origin)
}

const DIRECT = /^(?:\*|\*?[a-z0-9._-]+(?::\d{1,5})?|[0-9.]+\/(?:[0-9]|[12][0-9]|3[0-2])|\[?[0-9a-f:]+\]?(?:\/(?:[0-9]|[1-9][0-9]|1[01][0-9]|12[0-8]))?)$/i

function egressAddress(text: string): Secret {
  const url = URL.parse(text)
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:') || url.pathname !== '/' || url.search !== '' || url.hash !== '')
    throw invalid('must look like http://proxy.example.com:3128, with user:password@ where the proxy asks for them')
  return new Secret(url.href)
}

function publicAddress(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:') || url.username !== '' || url.search !== '' || url.hash !== '') {
    throw invalid('must be an https:// address without user, query or fragment, such as https://connect.example.com')
  }
  if (url.protocol === 'http:' && !isLoopbackName(url.hostname)) {
    throw invalid(
      'is plain http on a name that is not this machine, so tokens and cookies would travel in clear: use https:// (a TLS proxy in front is fine), or http://localhost for development',
    )
  }
  return url.href.replace(/\/+$/, '')
}

function isLoopbackName(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host)
}

function nodeName(text: string): string {
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(text)) throw invalid('must be 1 to 64 letters, digits, dots, dashes or underscores, and differ on every node')
  return text
}

function mailServer(text: string): Secret {
  const url = URL.parse(text)
  if (url === null || (url.protocol !== 'smtp:' && url.protocol !== 'smtps:') || url.hostname === '' || url.search !== '' || url.hash !== '')
    throw invalid('must look like smtp://user:password@mail.example.com:587, or smtps:// for a server that starts with TLS')
  return new Secret(url.href)
}

/** `address`, or `Name <address>`. */
const SENDER = /^(?:[^<>\r\n"]{1,100}<[^\s<>@"]+@[^\s<>@"]+>|[^\s<>@"]+@[^\s<>@"]+)$/

function mailSender(text: string): string {
  if (!SENDER.test(text.trim())) throw invalid('must be an address, or a name and an address: Example <hello@example.com>')
  return text.trim()
}

function collector(text: string): Secret {
  const url = URL.parse(text)
  const sample = url?.searchParams.get('sample') ?? '1'
  const plain = url !== null && /^https?:$/.test(url.protocol) && url.hash === '' && [...url.searchParams.keys()].every((name) => name === 'sample')
  if (!plain || !/^(0(\.\d+)?|1(\.0+)?)$/.test(sample))
    throw invalid('must look like http://collector:4318, or https://; ?sample=0.1, from 0 to 1, is all that its query may say')
  return new Secret(url.href)
}

function signUp(text: string): SignUp {
  if (text !== 'invited' && text !== 'open') throw invalid('must be invited or open')
  return text
}

function logLevel(text: string): LogLevel {
  const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'silent']
  const level = levels.find((known) => known === text)
  if (level === undefined) throw invalid(`must be one of ${levels.join(', ')}`)
  return level
}
