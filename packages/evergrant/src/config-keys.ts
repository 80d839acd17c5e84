interface KeyRow {
  readonly name: `EVERGRANT_${string}`
  /** Empty: none. */
  readonly default: string
  readonly meaning: string
  /** Never printed; better given through `<NAME>_FILE`. */
  readonly secret: boolean
}

const keys = <const Rows extends readonly KeyRow[]>(rows: Rows): Rows => rows

/** Every key of the configuration. `docs/reference/configuration.md` is written from this table. Each may also be read from the file that `<NAME>_FILE` names. */
export const CONFIG_KEYS = keys([
  { name: 'EVERGRANT_HOST', default: '127.0.0.1', secret: false, meaning: 'Address to listen on. `0.0.0.0` or `::` to be reached from other machines.' },
  { name: 'EVERGRANT_PORT', default: '4400', secret: false, meaning: 'Port to listen on.' },
  {
    name: 'EVERGRANT_PUBLIC_URL',
    default: '',
    secret: false,
    meaning:
      'Address under which browsers and providers reach this server; redirect URIs are made from it. Must be https unless it is this machine. Without it `http://localhost:<port>`.',
  },
  {
    name: 'EVERGRANT_ALLOWED_ORIGINS',
    default: '',
    secret: false,
    meaning:
      'Origins of applications whose pages may use this server with a session, as a browser writes them: `https://app.example.com`, separated by commas. No patterns. The cookie works for pages of the same site alone.',
  },
  {
    name: 'EVERGRANT_SIGN_UP',
    default: 'invited',
    secret: false,
    meaning: '`invited`: people join by invitation. `open`: anybody with an e-mail address may sign up.',
  },
  {
    name: 'EVERGRANT_PASSWORD_WORDS',
    default: '',
    secret: false,
    meaning:
      'Words that everybody knows here, separated by commas: of the company, its products, systems, projects and departments. A password that is little more than one of them is refused.',
  },
  {
    name: 'EVERGRANT_BREACHED_PASSWORDS_DIR',
    default: '',
    secret: false,
    meaning:
      'Folder with a copy of Pwned Passwords as individual files, `00000.txt` to `FFFFF.txt`. Passwords that stand there are refused when they are chosen. Without it they are compared with the common ones alone.',
  },
  {
    name: 'EVERGRANT_SESSION_IDLE_DAYS',
    default: '30',
    secret: false,
    meaning: 'Days after which a session that was not used is over.',
  },
  {
    name: 'EVERGRANT_SESSION_DAYS',
    default: '180',
    secret: false,
    meaning: 'Days after which a session is over however much it is used: the person signs in again.',
  },
  {
    name: 'EVERGRANT_RECOVERY',
    default: 'on',
    secret: false,
    meaning:
      '`on`: installations of agents recover by themselves, within the policy of their organization and agent. `off`: none does, at once, whatever any policy says; each is enrolled again.',
  },
  {
    name: 'EVERGRANT_SDK_TOKEN_DAYS',
    default: '60',
    secret: false,
    meaning: 'Days after which the refresh token of an installation that was not used is over, and has to be recovered.',
  },
  {
    name: 'EVERGRANT_SMTP_URL',
    default: '',
    secret: true,
    meaning:
      '`smtp://user:password@mail.example.com:587`, or `smtps://`: the mail server for invitations and resets. Without it letters are files in `mailbox` of the data folder.',
  },
  {
    name: 'EVERGRANT_MAIL_FROM',
    default: '',
    secret: false,
    meaning: 'Sender of letters: `Example <hello@example.com>`. Without it `evergrant@` and the host of the public URL.',
  },
  {
    name: 'EVERGRANT_DATA_DIR',
    default: './data',
    secret: false,
    meaning: 'Folder for the embedded database, the key file and the journal. Keep it on a local disk.',
  },
  {
    name: 'EVERGRANT_DATABASE_URL',
    default: '',
    secret: true,
    meaning: '`postgres://user:password@host:5432/database`. Without it the embedded database, `evergrant.db` in the data folder.',
  },
  { name: 'EVERGRANT_DATABASE_CONNECTIONS', default: '16', secret: false, meaning: 'Connections to PostgreSQL that one node may hold, 10 at least.' },
  {
    name: 'EVERGRANT_MASTER_KEYS',
    default: '',
    secret: true,
    meaning:
      'Keys that seal every secret at rest: `id:base64` of 32 bytes, separated by commas. The first seals as soon as every node has it, all open. Mandatory with PostgreSQL; without it `keys.json` in the data folder, made at the first start.',
  },
  {
    name: 'EVERGRANT_VAULT_KEY',
    default: '',
    secret: false,
    meaning:
      '`https://vault.example.com:8200/v1/transit/keys/evergrant`: the Transit key of HashiCorp Vault or OpenBao that wrapped the master keys (`id:vault:v1:...`). They are unwrapped once, at the start.',
  },
  {
    name: 'EVERGRANT_VAULT_TOKEN',
    default: '',
    secret: true,
    meaning: 'The token for it: it needs `update` on `encrypt` and `decrypt` of that key, and nothing else.',
  },
  {
    name: 'EVERGRANT_PROVIDERS_DIR',
    default: '',
    secret: false,
    meaning: 'Folder with provider records (YAML or JSON) that add to the catalogue or override it.',
  },
  {
    name: 'EVERGRANT_TRUSTED_PROXIES',
    default: '',
    secret: false,
    meaning: 'Addresses or networks of reverse proxies whose `X-Forwarded-*` headers are believed, separated by commas.',
  },
  {
    name: 'EVERGRANT_DANGEROUS_PRIVATE_HOSTS',
    default: '',
    secret: false,
    meaning:
      'Exact hosts, or `host:port`, that may be reached although their address is private, separated by commas. Development mode adds this machine; `[64:ff9b::]` says that this network reaches IPv4 through NAT64.',
  },
  {
    name: 'EVERGRANT_EGRESS_PROXY',
    default: '',
    secret: true,
    meaning:
      '`http://user:password@proxy:3128`, or `https://`: requests to providers go through this proxy (CONNECT). It then looks names up, so it must keep private addresses out itself.',
  },
  {
    name: 'EVERGRANT_EGRESS_DIRECT',
    default: '',
    secret: false,
    meaning: 'What is reached without that proxy: hosts, `.example.com` for all below it, addresses and networks, separated by commas.',
  },
  {
    name: 'EVERGRANT_NODE_ID',
    default: '',
    secret: false,
    meaning: 'Name of this node; must differ on every node and stay the same over restarts. Without it an id is made and kept in the data folder.',
  },
  {
    name: 'EVERGRANT_SERVE_WITHOUT_DATABASE_SECONDS',
    default: '60',
    secret: false,
    meaning:
      'How long a node that has lost PostgreSQL goes on serving still valid tokens from its memory, to keys it knows. Meanwhile it cannot hear of a disconnect or a newer token. 0 answers 503 after a second.',
  },
  {
    name: 'EVERGRANT_LOG_LEVEL',
    default: 'info',
    secret: false,
    meaning: '`debug`, `info`, `warn`, `error` or `silent`. `debug` writes a line for each request.',
  },
  {
    name: 'EVERGRANT_OTLP_ENDPOINT',
    default: '',
    secret: true,
    meaning:
      '`http://collector:4318`: traces are sent to this OpenTelemetry collector (OTLP over HTTP, `/v1/traces` below it), with `user:password@` where it asks for them. `?sample=0.1` keeps a tenth of the traces that begin here. Without it nothing is traced.',
  },
  {
    name: 'EVERGRANT_ORGANIZATION_NAME',
    default: 'Default',
    secret: false,
    meaning: 'Name of the organization that the first start makes: what connect pages call the application.',
  },
  {
    name: 'EVERGRANT_RATE_LIMIT_PER_KEY',
    default: '1200000',
    secret: false,
    meaning: 'Requests a minute that one API key may make at one node. The default guards against loops; it is no quota.',
  },
  {
    name: 'EVERGRANT_RATE_LIMIT_PER_ADDRESS',
    default: '600',
    secret: false,
    meaning: 'Requests a minute without a valid API key that one address may make at one node.',
  },
  { name: 'EVERGRANT_CACHE_ENTRIES', default: '20000', secret: false, meaning: 'Tokens that one node keeps in memory. 0 reads every token from the database.' },
  {
    name: 'EVERGRANT_WORKER_CONCURRENCY',
    default: '64',
    secret: false,
    meaning: 'Background renewals that one node has under way at the same time. Callers who wait are not counted.',
  },
  {
    name: 'EVERGRANT_BODY_LIMIT_BYTES',
    default: '1048576',
    secret: false,
    meaning: 'Largest request body of the API, in bytes. Bodies through the proxy are streamed and not limited by it.',
  },
  { name: 'EVERGRANT_PROXY_TIMEOUT_SECONDS', default: '60', secret: false, meaning: "How long the proxy waits for a provider's API to begin its answer." },
  { name: 'EVERGRANT_DRAIN_SECONDS', default: '80', secret: false, meaning: 'How long a stopping node waits for refreshes that are under way.' },
  {
    name: 'EVERGRANT_JOURNAL',
    default: 'on',
    secret: false,
    meaning: '`on` keeps answers of providers in a sealed file of the data folder until the database has them; `off` relies on the database alone.',
  },
  {
    name: 'EVERGRANT_HISTORY_DAYS',
    default: '30',
    secret: false,
    meaning:
      'Days after which records of routine refreshes are removed: `connection.refreshed` events, and answers of providers that were applied. Other events and answers that were never applied stay. 0 keeps everything.',
  },
  {
    name: 'EVERGRANT_DANGEROUS_TIME_SCALE',
    default: '1',
    secret: false,
    meaning: 'Divides the waits of the refresh protocol. For tests with real processes; refused outside development and `NODE_ENV=test`.',
  },
])

export type ConfigKey = (typeof CONFIG_KEYS)[number]['name']

/** A key and the name it had before. */
export interface RenamedKey {
  readonly name: ConfigKey
  readonly before: `EVERGRANT_${string}`
}

/** Understood until the next major version (docs/reference/api-stability.md), with a warning at each start. */
export const RENAMED_KEYS: readonly RenamedKey[] = [{ before: 'EVERGRANT_ALLOW_PRIVATE_HOSTS', name: 'EVERGRANT_DANGEROUS_PRIVATE_HOSTS' }]
