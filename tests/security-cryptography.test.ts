// The list of algorithms (ASVS 11.1.2) is what the sources compute with, and that of keys (11.1.1) what is sealed, no more and no less.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { SEALED_PLACES } from '../packages/evergrant/src/core/seal/sealed-places.ts'

const ROOT = new URL('../', import.meta.url).pathname
const PAGE = readFileSync(join(ROOT, 'docs/security/cryptography.md'), 'utf8')

const ALGORITHM =
  /^(?:aes-\d+-[a-z]+|sha-?(?:1|256|384|512)|argon2(?:id|i|d)|scrypt|pbkdf2|md5|rc4|des-[a-z0-9-]+|EdDSA|[Ee]d25519|x25519|[EPRH]S(?:256|384|512)|SHA-(?:1|256|384|512)|AES-[A-Z]+|RSA-[A-Z]+|ECDSA)$/
/** These name what a record or a provider asks for; it is computed elsewhere. */
const NAMES_ONLY = /^evergrant\/src\/(?:providers|core\/(?:provider|push|connect|connection))\//

/** `algorithm in file`, for every algorithm that a source has between quotes. */
function usesOf(files: ReadonlyMap<string, string>): readonly string[] {
  const found = [...files].flatMap(([path, text]) =>
    [...text.matchAll(/['"`]([A-Za-z0-9-]{3,16})['"`]/g)].flatMap(([, word = '']) => (ALGORITHM.test(word) ? [`${word} in ${path}`] : [])),
  )
  return [...new Set(found)].sort()
}

/** The same, by the rows of the page. A file with several rows is what all of them say together. */
function rowsOf(page: string): readonly string[] {
  const pairs = page
    .split('\n')
    .filter((line) => line.startsWith('| ') && line.includes('/src/'))
    .flatMap((line) => {
      const words = [...line.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word)
      const files = words.filter((word) => word.includes('/src/'))
      return files.flatMap((file) => words.filter((word) => ALGORITHM.test(word)).map((word) => `${word} in ${file}`))
    })
  return [...new Set(pairs)].sort()
}

function sources(): ReadonlyMap<string, string> {
  const paths = globSync('{evergrant,sdk}/src/**/*.{ts,tsx}', { cwd: join(ROOT, 'packages') })
  const own = paths.filter((path) => !/\.test\.|\/testing\/|\/practice\/|\/conformance\//.test(path) && !NAMES_ONLY.test(path))
  return new Map(own.map((path) => [path, readFileSync(join(ROOT, 'packages', path), 'utf8')]))
}

test('every algorithm that a source computes with stands beside it on the page, and nothing else does (ASVS 11.1.2)', () => {
  const files = sources()
  expect(files.size).toBeGreaterThan(400)
  const [used, listed] = [usesOf(files), rowsOf(PAGE)]
  expect({ missing: used.filter((use) => !listed.includes(use)), gone: listed.filter((use) => !used.includes(use)) }).toEqual({ missing: [], gone: [] })
  expect(used.length).toBeGreaterThan(30)
})

test('an algorithm that nobody listed, one that nobody uses any more, and a broken one are found', () => {
  const path = 'evergrant/src/seal/aes-seal.ts'
  expect(usesOf(new Map([[path, "createHash('md5'); createCipheriv('aes-256-ecb', key)"]]))).toEqual([`aes-256-ecb in ${path}`, `md5 in ${path}`])
  expect(usesOf(new Map([[path, "const kind = 'none'"]]))).toEqual([])
  expect(rowsOf(`| sealing | \`aes-256-gcm\`, \`md5\` | a key | - | \`${path}\` |`)).toEqual([`aes-256-gcm in ${path}`, `md5 in ${path}`])
  expect(rowsOf('no row: `md5` in `evergrant/src/seal/aes-seal.ts`')).toEqual([])
})

test('no source computes with what is broken: MD5, DES, RC4, ECB, and CBC or SHA-1 only where others still have it', () => {
  const weak = usesOf(sources()).filter((use) => /^(?:md5|rc4|des|aes-\d+-(?:ecb|cbc)|sha-?1|SHA-1|argon2[id] )/.test(use))
  expect(weak).toEqual([
    'aes-128-cbc in evergrant/src/cli/import/fernet.ts',
    'sha1 in evergrant/src/seal/breached-passwords.ts',
    'sha1 in evergrant/src/seal/proof-cipher.ts',
  ])
})

test('nothing is encrypted with RSA, so there is no padding to get wrong (ASVS 11.3.1)', () => {
  const encrypting = /\b(?:publicEncrypt|privateDecrypt|RSA-OAEP|RSA1_5|RSAES)\b/
  expect([...sources()].filter(([, text]) => encrypting.test(text)).map(([path]) => path)).toEqual([])
  expect(encrypting.test("import { publicEncrypt } from 'node:crypto'")).toBe(true)
})

/** Sealed because they are secret, and no keys: tokens, codes and answers on their way, addresses of channels. */
const NO_KEYS = [
  'answer.body',
  'channel.sealed',
  'connect_session.flow_secret',
  'connect_session.staged',
  'credential.access_token',
  'credential.refresh_token',
  'idempotency_key.body',
  'push_notice.code',
  'pushed_code.code',
  'revocation.staged_access_token',
  'revocation.staged_refresh_token',
]

/** The rows of the policy, each with its five cells. */
function livesOf(page: string): readonly (readonly string[])[] {
  const section = page.split('## The life of a key')[1]?.split('\n## ')[0] ?? ''
  const lines = section.split('\n').filter((line) => line.startsWith('| '))
  return lines.slice(1).map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  )
}

/** Every key that is sealed; `meta` holds several, each under its own name. */
function sealedKeys(): readonly string[] {
  const all = SEALED_PLACES.flatMap(({ table, columns, only }) => (only?.values ?? columns.map(({ column }) => column)).map((name) => `${table}.${name}`))
  return all.filter((name) => !NO_KEYS.includes(name)).sort()
}

const keysOf = (page: string): readonly string[] =>
  livesOf(page)
    .flatMap(([key = '']) => [...key.matchAll(/`(\w+\.\w+)`/g)].map(([, name = '']) => name))
    .filter((name) => !name.endsWith('.json'))
    .sort()

test('every key that is sealed has its life on the page: holders, period, end, and what to do when others may have it (ASVS 11.1.1)', () => {
  expect(sealedKeys().length).toBeGreaterThan(7)
  expect(keysOf(PAGE)).toEqual(sealedKeys())
  for (const cells of livesOf(PAGE)) {
    expect(cells, cells[0]).toHaveLength(5)
    expect(
      cells.filter((cell) => cell.length < 5),
      cells[0],
    ).toEqual([])
  }
  expect(keysOf(PAGE.replace(', `webhook.previous_secret`', ''))).not.toEqual(sealedKeys())
})

/** What the page says of a period, and where the code has it. */
const PERIODS = [
  ['| 30 days, after being published for 1 day at least |', 'core/session/signing-key.ts', ['ACTIVE_MS = 30 * DAY', 'PUBLISHED_MS = DAY']],
  ['| published for 1 hour, while', 'core/session/signing-key.ts', ['RETIRING_MS = HOUR']],
  ['signs beside the new one for 30 days at most', 'core/webhook/webhook-service.ts', ['MAX_OVERLAP_MS = 30 * DAY']],
  ['believed beside the new one for 1 day', 'core/push/push-secret.ts', ['OVERLAP_MS = DAY']],
  ['for at most 64 values', 'seal/aes-seal.ts', ['VALUES_PER_KEY = 64']],
] as const

test.each(PERIODS)('the page says %j, and %s keeps to it', (words, file, constants) => {
  expect(PAGE).toContain(words)
  const source = readFileSync(join(ROOT, 'packages/evergrant/src', file), 'utf8')
  for (const constant of constants) expect(source).toContain(`const ${constant}\n`)
})
