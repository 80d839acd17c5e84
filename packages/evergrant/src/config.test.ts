import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { CLIENT_KEYS } from './client-environment.ts'
import { dangerousSwitches, type Environment, loadConfig, readConfig, takeSecret } from './config.ts'
import { CONFIG_KEYS, RENAMED_KEYS } from './config-keys.ts'
import { configurationReference } from './config-reference.ts'
import { Fault } from './core/fault/fault.ts'

const KEY = 'k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8='
const POSTGRES = 'postgres://me:hunter2hunter2@db:5432/evergrant'

function problems(env: Environment, development = false): string {
  try {
    readConfig(env, { development })
  } catch (error) {
    if (error instanceof Fault && error.code === 'invalid_request') return error.message
    throw error
  }
  return ''
}

test('an empty environment is a complete configuration', () => {
  const config = readConfig({}, { development: false })
  expect(config).toMatchObject({
    host: '127.0.0.1',
    port: 4400,
    publicUrl: 'http://localhost:4400',
    databaseUrl: null,
    masterKeys: null,
    vault: null,
    journal: true,
    dangerousTimeScale: 1,
    drainMs: 80_000,
  })
})

test('there are at most 40 keys, each with a meaning, none twice', () => {
  expect(CONFIG_KEYS.length).toBeLessThanOrEqual(40)
  expect(new Set(CONFIG_KEYS.map(({ name }) => name)).size).toBe(CONFIG_KEYS.length)
  for (const key of CONFIG_KEYS) expect(key.meaning, key.name).toMatch(/\.$/)
})

test('every problem is reported at once, with key and remedy', () => {
  const text = problems({ EVERGRANT_PORT: '70000', EVERGRANT_LOG_LEVEL: 'loud', EVERGRANT_JOURNAL: 'maybe', EVERGRANT_PROT: '1' })
  expect(text.split('\n')).toEqual([
    'EVERGRANT_PORT must be a whole number from 0 to 65535',
    'EVERGRANT_LOG_LEVEL must be one of debug, info, warn, error, silent',
    'EVERGRANT_JOURNAL must be on or off',
    'EVERGRANT_PROT is not a key of Evergrant: correct its spelling or remove it',
  ])
})

test('what clients on the same machine read is let pass: every name in the sources of the SDK, and no other', () => {
  const sources = new URL('../../sdk/src/', import.meta.url)
  const files = readdirSync(sources, { recursive: true, encoding: 'utf8' }).filter((file) => /(?<!\.test)\.tsx?$/.test(file))
  const read = files.flatMap((file) => [...readFileSync(new URL(file, sources), 'utf8').matchAll(/\benv(?:\.|\[')(EVERGRANT_\w+)/g)].map(([, name]) => name))
  expect([...new Set([...read, 'EVERGRANT_API_KEY'])].sort()).toEqual([...CLIENT_KEYS].sort())
  expect(problems(Object.fromEntries(CLIENT_KEYS.map((name) => [name, 'x'])))).toBe('')
  expect(problems({ EVERGRANT_HOMES: 'x' })).toContain('EVERGRANT_HOMES is not a key')
})

test('words that no password may be little more than are a list in small letters; short ones, which stand in many good passwords, are refused', () => {
  expect(readConfig({}, { development: false })).toMatchObject({ passwordWords: [], breachedPasswordsDir: null })
  const env = { EVERGRANT_PASSWORD_WORDS: 'Zephyrus, blue-heron,\nÜbermut', EVERGRANT_BREACHED_PASSWORDS_DIR: '/srv/pwned' }
  expect(readConfig(env, { development: false })).toMatchObject({ passwordWords: ['zephyrus', 'blue-heron', 'übermut'], breachedPasswordsDir: '/srv/pwned' })
  for (const words of ['hr', 'zephyrus, it', 'a<b>c', 'x'.repeat(65)])
    expect(problems({ EVERGRANT_PASSWORD_WORDS: words }), words).toBe(
      'EVERGRANT_PASSWORD_WORDS must be a list, separated by commas, of words of 4 to 64 letters and digits',
    )
})

test('plain http is accepted for this machine alone', () => {
  for (const url of ['http://localhost:4400', 'http://127.0.0.1:9', 'http://[::1]:9', 'https://connect.example.com/grants/'])
    expect(problems({ EVERGRANT_PUBLIC_URL: url }), url).toBe('')
  expect(problems({ EVERGRANT_PUBLIC_URL: 'http://connect.example.com' })).toMatch(/EVERGRANT_PUBLIC_URL is plain http.*use https/)
  expect(problems({ EVERGRANT_PUBLIC_URL: 'http://localhost.evil.com' })).toMatch(/plain http/)
  for (const url of ['ftp://x', 'connect.example.com', 'https://u:p@x', 'https://x/?a=1'])
    expect(problems({ EVERGRANT_PUBLIC_URL: url }), url).toMatch(/must be an https/)
  expect(readConfig({ EVERGRANT_PUBLIC_URL: 'https://connect.example.com/' }, { development: false }).publicUrl).toBe('https://connect.example.com')
})

test('PostgreSQL without master keys is refused with the remedy', () => {
  expect(problems({ EVERGRANT_DATABASE_URL: POSTGRES })).toMatch(/^EVERGRANT_MASTER_KEYS is missing.*openssl rand/)
  expect(problems({ EVERGRANT_DATABASE_URL: POSTGRES, EVERGRANT_MASTER_KEYS: KEY })).toBe('')
})

test('whoever moves a database to PostgreSQL is told to bring the keys that sealed it, and not only how to make new ones', () => {
  expect(problems({ EVERGRANT_DATABASE_URL: POSTGRES })).toMatch(/for a database that has content already, to the keys that sealed it \(.*keys\.json/)
})

test('an address of PostgreSQL that names a file that is not there is refused at the start, and a password with a # is told how it is written', () => {
  const told = (url: string) => problems({ EVERGRANT_DATABASE_URL: url, EVERGRANT_MASTER_KEYS: KEY })
  expect(told(`${POSTGRES}?sslmode=verify-full&sslrootcert=/nowhere/ca.pem`)).toMatch(/^EVERGRANT_DATABASE_URL names in sslrootcert a file that cannot be read/)
  expect(told(`${POSTGRES}?sslmode=verify-full&sslrootcert=${fileURLToPath(import.meta.url)}`)).toBe('')
  expect(told('postgres://me:a#b@db:5432/evergrant')).toMatch(/must look like .*in a password `#`.* are written `%23`/)
})

test('no message and no inspection shows a secret', () => {
  const bad = problems({ EVERGRANT_DATABASE_URL: 'mysql://me:hunter2hunter2@db', EVERGRANT_MASTER_KEYS: 'k1:c2hvcnRzaG9ydA==' })
  expect(bad).toContain('EVERGRANT_DATABASE_URL must look like')
  expect(bad).toContain('EVERGRANT_MASTER_KEYS master key k1 must be 32 bytes')
  expect(bad).not.toMatch(/hunter2|c2hvcn/)
  const config = readConfig({ EVERGRANT_DATABASE_URL: POSTGRES, EVERGRANT_MASTER_KEYS: KEY }, { development: false })
  for (const text of [inspect(config, { depth: 9 }), JSON.stringify(config)]) expect(text).not.toMatch(/hunter2|AAEC|"0":0/)
  expect(config.databaseUrl?.reveal()).toBe(POSTGRES)
})

test('a secret can come from a file, but not from both places', () => {
  const readSecretFile = (path: string): string => {
    if (path === '/run/keys') return `${KEY}\n`
    throw new Error('ENOENT')
  }
  const read = (env: Environment) => readConfig(env, { development: false, readSecretFile })
  expect(read({ EVERGRANT_MASTER_KEYS_FILE: '/run/keys' }).masterKeys?.[0]?.id).toBe('k1')
  expect(() => read({ EVERGRANT_MASTER_KEYS_FILE: '/run/keys', EVERGRANT_MASTER_KEYS: KEY })).toThrow(/both set/)
  expect(() => read({ EVERGRANT_MASTER_KEYS_FILE: '/nowhere' })).toThrow(
    /EVERGRANT_MASTER_KEYS cannot be read from the file that EVERGRANT_MASTER_KEYS_FILE names/,
  )
})

test('scaled time is refused where grants are real', () => {
  const env = { EVERGRANT_DANGEROUS_TIME_SCALE: '100' }
  expect(problems(env)).toMatch(/EVERGRANT_DANGEROUS_TIME_SCALE shortens/)
  expect(problems(env, true)).toBe('')
  expect(problems({ ...env, NODE_ENV: 'test' })).toBe('')
})

test('lists take hosts and networks, and no patterns', () => {
  const config = readConfig(
    { EVERGRANT_DANGEROUS_PRIVATE_HOSTS: 'Auth.internal, 10.0.0.7:8443', EVERGRANT_TRUSTED_PROXIES: '10.0.0.0/8' },
    { development: false },
  )
  expect(config.dangerousPrivateHosts).toEqual(['auth.internal', '10.0.0.7:8443'])
  expect(problems({ EVERGRANT_DANGEROUS_PRIVATE_HOSTS: '*.internal' })).toMatch(/without patterns/)
  expect(problems({ EVERGRANT_TRUSTED_PROXIES: 'anyone' })).toMatch(/addresses or networks/)
})

test('a key under the name it had before is understood, from a file too, and said to be renamed; both names at once are refused', () => {
  const readSecretFile = (): string => 'filed.internal'
  const read = (env: Environment) => readConfig(env, { development: false, readSecretFile })
  const renamed = [{ before: 'EVERGRANT_ALLOW_PRIVATE_HOSTS', name: 'EVERGRANT_DANGEROUS_PRIVATE_HOSTS' }]
  expect(read({ EVERGRANT_ALLOW_PRIVATE_HOSTS: 'auth.internal' })).toMatchObject({ dangerousPrivateHosts: ['auth.internal'], renamedKeys: renamed })
  expect(read({ EVERGRANT_ALLOW_PRIVATE_HOSTS_FILE: '/run/hosts' })).toMatchObject({ dangerousPrivateHosts: ['filed.internal'], renamedKeys: renamed })
  expect(read({ EVERGRANT_ALLOW_PRIVATE_HOSTS: '', EVERGRANT_DANGEROUS_PRIVATE_HOSTS: 'auth.internal' }).renamedKeys).toEqual([])
  expect(problems({ EVERGRANT_ALLOW_PRIVATE_HOSTS: 'a.internal', EVERGRANT_DANGEROUS_PRIVATE_HOSTS: 'a.internal' })).toBe(
    'EVERGRANT_ALLOW_PRIVATE_HOSTS is the name that EVERGRANT_DANGEROUS_PRIVATE_HOSTS had before, and both are set: remove EVERGRANT_ALLOW_PRIVATE_HOSTS',
  )
  // A new key never takes a name that was given up: a file of years ago would then mean something else.
  expect(CONFIG_KEYS.filter(({ name }) => RENAMED_KEYS.some(({ before }) => before === name))).toEqual([])
})

test('every key that opens what a safe default keeps closed says so in its name, and is told where it is on (S119)', () => {
  const read = (env: Environment) => dangerousSwitches(readConfig(env, { development: true }))
  const on: Readonly<Record<string, string>> = { EVERGRANT_DANGEROUS_PRIVATE_HOSTS: 'auth.internal', EVERGRANT_DANGEROUS_TIME_SCALE: '50' }
  expect(read({})).toEqual([])
  for (const [name, value] of Object.entries(on)) expect(read({ [name]: value })).toEqual([name])
  expect(CONFIG_KEYS.flatMap(({ name }) => (name.includes('DANGEROUS') ? [name] : [])).sort()).toEqual(Object.keys(on).sort())
})

test('the egress proxy is an address, and what goes around it a list of hosts and networks', () => {
  const env = {
    EVERGRANT_EGRESS_PROXY: 'http://me:hidden-word@proxy.example:3128',
    EVERGRANT_EGRESS_DIRECT: 'a.example, .b.example, *.c.example:443, 10.0.0.0/8, [fd00::1], fd00::/8, *',
  }
  const config = readConfig(env, { development: false })
  expect(config.egressProxy?.reveal()).toBe('http://me:hidden-word@proxy.example:3128/')
  expect(config.egressDirect).toHaveLength(7)
  expect(inspect(config)).not.toContain('hidden-word')
  for (const wrong of ['proxy.example:3128', 'socks5://proxy.example', 'http://proxy.example/path']) {
    expect(problems({ EVERGRANT_EGRESS_PROXY: wrong })).toMatch(/EVERGRANT_EGRESS_PROXY must look like http:/)
  }
  expect(problems({ EVERGRANT_EGRESS_DIRECT: '10.0.0.0/33' })).toMatch(/EVERGRANT_EGRESS_DIRECT must be a list/)
})

test('the reference page says what the table says; `vitest run --update` rewrites it', async () => {
  await expect(configurationReference()).toMatchFileSnapshot('../../../docs/reference/configuration.md')
})

test('origins are taken as a browser writes them, and nothing that a stranger could match', () => {
  const read = (text: string) => readConfig({ EVERGRANT_ALLOWED_ORIGINS: text }, { development: false }).allowedOrigins
  expect(read('https://app.example.com, HTTPS://Other.Example.com:443 http://localhost:5173')).toEqual([
    'https://app.example.com',
    'https://other.example.com',
    'http://localhost:5173',
  ])
  expect(read('')).toEqual([])
  const wrong = [
    '*',
    'null',
    'https://*.example.com',
    'http://app.example.com',
    'https://app.example.com/',
    'https://a@b.example.com',
    'app.example.com',
    'https://x:99999',
  ]
  for (const text of wrong) expect(problems({ EVERGRANT_ALLOWED_ORIGINS: text }), text).toMatch(/EVERGRANT_ALLOWED_ORIGINS must be a list.*no path, no pattern/)
})

test('sessions have a length in days, and people join by invitation unless it is said otherwise', () => {
  const day = 86_400_000
  expect(readConfig({}, { development: false })).toMatchObject({ sessionIdleMs: 30 * day, sessionMs: 180 * day, signUp: 'invited', allowedOrigins: [] })
  expect(readConfig({ EVERGRANT_SIGN_UP: 'open', EVERGRANT_SESSION_IDLE_DAYS: '1' }, { development: false })).toMatchObject({
    sessionIdleMs: day,
    signUp: 'open',
  })
  expect(problems({ EVERGRANT_SIGN_UP: 'closed', EVERGRANT_SESSION_DAYS: '0' }).split('\n')).toEqual([
    'EVERGRANT_SIGN_UP must be invited or open',
    'EVERGRANT_SESSION_DAYS must be a whole number from 1 to 400',
  ])
})

test('a mail server and a sender are checked at the start, and the password of the server is never shown', () => {
  const config = readConfig(
    { EVERGRANT_SMTP_URL: 'smtps://me:hidden-word@mail.example:465', EVERGRANT_MAIL_FROM: 'Example <hello@example.com>' },
    { development: false },
  )
  expect(config.smtpUrl?.reveal()).toBe('smtps://me:hidden-word@mail.example:465')
  expect(config.mailFrom).toBe('Example <hello@example.com>')
  expect(inspect(config)).not.toContain('hidden-word')
  expect(readConfig({}, { development: false })).toMatchObject({ smtpUrl: null, mailFrom: null })
  for (const wrong of ['mail.example:25', 'https://mail.example', 'smtp://', 'smtp://me:hidden-word@mail.example?tls=no']) {
    expect(problems({ EVERGRANT_SMTP_URL: wrong })).toMatch(/EVERGRANT_SMTP_URL must look like smtp:/)
    expect(problems({ EVERGRANT_SMTP_URL: wrong })).not.toContain('hidden-word')
  }
  for (const wrong of ['Example', 'a@b, c@d', 'Example <hello>'])
    expect(problems({ EVERGRANT_MAIL_FROM: wrong })).toMatch(/EVERGRANT_MAIL_FROM must be an address/)
})

test('once it was read, no secret stands in the environment, so no program that is started from here has one (S80)', () => {
  const before = { ...process.env }
  const secrets: Readonly<Record<string, string>> = {
    EVERGRANT_MASTER_KEYS: KEY,
    EVERGRANT_DATABASE_URL: POSTGRES,
    EVERGRANT_SMTP_URL: 'smtp://me:hunter2hunter2@mail.example.com',
    EVERGRANT_EGRESS_PROXY: 'http://me:hunter2hunter2@proxy.example.com:3128',
  }
  try {
    Object.assign(process.env, secrets, { PLANTED_PASSPHRASE: 'hunter2hunter2' })
    // The canary: a program that is started now has them all.
    expect(execFileSync('env', { encoding: 'utf8' })).toContain('hunter2')
    expect(loadConfig({ development: false }).databaseUrl?.reveal()).toBe(POSTGRES)
    expect(takeSecret('PLANTED_PASSPHRASE')?.reveal()).toBe('hunter2hunter2')
    const child = execFileSync('env', { encoding: 'utf8' })
    expect(child).toContain('PATH=')
    expect(child).not.toMatch(/hunter2|AAECAwQFBgcICQoL/)
    for (const name of Object.keys(secrets)) expect(CONFIG_KEYS.find((key) => key.name === name)?.secret).toBe(true)
  } finally {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name]
  }
})
