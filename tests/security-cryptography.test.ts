// The list of algorithms (ASVS 11.1.2) is what the sources compute with, no more and no less.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

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
