import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Check, failed, isThere, notRun, passed, run, type Verdict, verdictOf } from './verdict.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const vitest = join(ROOT, 'node_modules/.bin/vitest')

interface TestFile {
  readonly name: string
  readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[]
}

/** Runs test files of the suite and gives the tests whose titles fit. */
async function testsOf(files: readonly string[], title: RegExp): Promise<{ readonly passed: number; readonly complaints: readonly string[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'evergrant-tests-'))
  try {
    const out = join(folder, 'results.json')
    await run(vitest, ['run', ...files, '--reporter', 'json', '--outputFile', out], { cwd: ROOT, seconds: 600 })
    if (!existsSync(out)) return { passed: 0, complaints: ['the tests did not run'] }
    const { testResults } = JSON.parse(readFileSync(out, 'utf8')) as { readonly testResults: readonly TestFile[] }
    const fitting = testResults.flatMap(({ assertionResults }) => assertionResults.filter(({ fullName }) => title.test(fullName)))
    const bad = fitting.filter(({ status }) => status !== 'passed').map(({ status, fullName }) => `${status}: ${fullName}`)
    return { passed: fitting.length - bad.length, complaints: fitting.length === 0 ? ['no test has such a title'] : bad }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const SERVER = 'packages/evergrant/src'
const SDK = 'packages/sdk/src'
/** Where the vectors are read from; they are not part of the project. */
const VECTORS = join(ROOT, '../shared/vectors')
const WITH_VECTORS = [
  `${SERVER}/seal/aes-seal.test.ts`,
  `${SERVER}/seal/token-signer.test.ts`,
  `${SERVER}/http/auth/sdk-fuzz.test.ts`,
  `${SDK}/proof/jws.test.ts`,
  `${SDK}/node/agent/parsers-fuzz.test.ts`,
]

export const wycheproof: Check = {
  name: 'wycheproof',
  what: 'the ciphers and signatures that are used agree with Wycheproof, case by case',
  run: async () => {
    if (!existsSync(VECTORS)) return notRun('the vectors are not beside the checkout')
    const files = readdirSync(VECTORS).filter((name) => name.endsWith('.json'))
    const sources = WITH_VECTORS.map((path) => readFileSync(join(ROOT, path), 'utf8')).join('\n')
    const used = files.filter((name) => sources.includes(name) || sources.includes(name.replace(/\.json$/, '').replace('wycheproof_', '')))
    const cases = (name: string): number =>
      JSON.parse(readFileSync(join(VECTORS, name), 'utf8')).testGroups.flatMap((group: { tests: readonly unknown[] }) => group.tests).length
    const { passed: count, complaints } = await testsOf(WITH_VECTORS, /wycheproof/i)
    const rest = files.filter((name) => !used.includes(name))
    return verdictOf(
      complaints,
      `${count} tests over ${used.reduce((sum, name) => sum + cases(name), 0)} cases of ${used.length} files (${used.map((name) => `${name.replace(/wycheproof_|\.json/g, '')} ${cases(name)}`).join(', ')})${rest.length === 0 ? '' : `; not read by any test: ${rest.join(', ')}`}`,
    )
  },
}

export const vectors: Check = {
  name: 'rfc-vectors',
  what: 'the examples that RFCs print are reproduced',
  run: async () => {
    const listed = await run('git', ['grep', '-lE', 'RFC (4648|5869|6238|6749|7515|7517|7523|7636|7638|8037|8785|9068|9421|9449)', '--', '*.test.ts'], {
      cwd: ROOT,
    })
    const files = listed.out.split('\n').filter((path) => path.startsWith(SERVER) || path.startsWith(SDK))
    const { passed: count, complaints } = await testsOf(files, /RFC \d{4}/)
    return verdictOf(complaints, `${count} tests whose titles name an RFC, in ${files.length} files`)
  },
}

export const webhooks: Check = {
  name: 'standardwebhooks',
  what: 'the standardwebhooks package verifies what we send',
  run: async () => {
    const { passed: count, complaints } = await testsOf(
      [`${SERVER}/outbound/notify/senders.test.ts`, `${SERVER}/http/alerts.test.ts`],
      /standardwebhooks|webhook/i,
    )
    return verdictOf(complaints, `${count} tests verify deliveries with that package`)
  },
}

interface Jwk {
  readonly kid: string
  readonly x: string
  readonly kty: string
  readonly crv: string
}

/** Ed25519 as SubjectPublicKeyInfo (RFC 8410 section 4): the same twelve bytes before every key. */
const SPKI = Buffer.from('302a300506032b6570032100', 'hex')

export const openssl: Check = {
  name: 'openssl',
  what: 'OpenSSL verifies our access tokens with the published keys, and refuses a changed one',
  run: async (stage) => {
    if (!(await isThere('openssl'))) return notRun('openssl is not installed')
    const { url, token } = await stage()
    const { keys } = (await (await fetch(`${url}/.well-known/jwks.json`)).json()) as { readonly keys: readonly Jwk[] }
    const [header = '', claims = '', signature = ''] = token.split('.')
    const { kid, alg } = JSON.parse(Buffer.from(header, 'base64url').toString('utf8')) as { readonly kid: string; readonly alg: string }
    const key = keys.find((one) => one.kid === kid)
    if (key === undefined || key.crv !== 'Ed25519') return failed(`the token says ${alg} with key ${kid}, which is not published as Ed25519`)
    const folder = mkdtempSync(join(tmpdir(), 'evergrant-openssl-'))
    try {
      writeFileSync(join(folder, 'key.der'), Buffer.concat([SPKI, Buffer.from(key.x, 'base64url')]))
      writeFileSync(join(folder, 'signature'), Buffer.from(signature, 'base64url'))
      const verify = async (signed: string): Promise<boolean> => {
        writeFileSync(join(folder, 'signed'), signed)
        const args = ['pkeyutl', '-verify', '-pubin', '-keyform', 'DER', '-inkey', 'key.der', '-rawin', '-in', 'signed', '-sigfile', 'signature']
        return (await run('openssl', args, { cwd: folder })).status === 0
      }
      if (!(await verify(`${header}.${claims}`))) return failed('OpenSSL does not verify a genuine token')
      return (await verify(`${header}.${claims}x`))
        ? failed('OpenSSL verifies a changed token')
        : passed(`${alg} by key ${kid}: genuine verified, changed refused`)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

export const jose: Check = {
  name: 'jose',
  what: 'the C library José reads our published keys and their thumbprints',
  run: async (stage) => {
    if (!(await isThere('jose'))) return notRun('jose is not installed (Debian: apt-get install jose)')
    await stage()
    return notRun('José 11 knows no Ed25519, which our tokens are signed with: OpenSSL verifies them instead')
  },
}

export const age: Check = {
  name: 'age',
  what: 'the age program opens what we encrypt to its key, and we open what it encrypts',
  run: async (): Promise<Verdict> => {
    if (!(await isThere('age'))) return notRun('age is not installed (Debian: apt-get install age)')
    const folder = mkdtempSync(join(tmpdir(), 'evergrant-age-'))
    try {
      await run('age-keygen', ['-o', 'identity'], { cwd: folder })
      const recipient = (await run('age-keygen', ['-y', 'identity'], { cwd: folder })).out.trim()
      const identity =
        readFileSync(join(folder, 'identity'), 'utf8')
          .split('\n')
          .find((line) => line.startsWith('AGE-SECRET-KEY-')) ?? ''
      const { Decrypter, Encrypter } = await import('age-encryption')
      const text = 'a backup of grants '.repeat(10_000)
      const encrypter = new Encrypter()
      encrypter.addRecipient(recipient)
      writeFileSync(join(folder, 'ours.age'), await encrypter.encrypt(text))
      const opened = await run('age', ['-d', '-i', 'identity', 'ours.age'], { cwd: folder })
      await run('age', ['-r', recipient, '-o', 'theirs.age'], { cwd: folder, input: text })
      const decrypter = new Decrypter()
      decrypter.addIdentity(identity)
      const back = await decrypter.decrypt(readFileSync(join(folder, 'theirs.age')), 'text')
      const complaints = [
        ...(opened.out === text ? [] : ['age does not open what we encrypted']),
        ...(back === text ? [] : ['we do not open what age encrypted']),
      ]
      return verdictOf(complaints, `${text.length} bytes in both directions, with the library that backups use`)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

export const audit: Check = {
  name: 'audit',
  what: '`npm audit` knows no vulnerability in what is installed with the server',
  run: async () => {
    const { out, err } = await run('npm', ['audit', '--omit', 'dev', '--json'], { cwd: ROOT, seconds: 60 })
    const report = out.trimStart().startsWith('{') ? JSON.parse(out) : null
    const total: unknown = report?.metadata?.vulnerabilities?.total
    if (typeof total !== 'number')
      return notRun(`the registry does not answer audits: ${(report?.message ?? err).trim().split('\n')[0]?.slice(0, 120)}. Run it where you publish`)
    return verdictOf(total === 0 ? [] : [`${total} vulnerabilities; npm audit lists them`], 'asked the registry')
  },
}
