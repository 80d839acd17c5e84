// No secret in the repository (S113, CWE-798): every file is read for what keys of known services look like. The external checks ask a scanner of others the same.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { sourceTree } from './tidy/source-tree.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

/** By whose it is. A text of one letter repeated, of `example` or of a run of the alphabet is nobody's. */
const SHAPES: Readonly<Record<string, RegExp>> = {
  'a token of GitHub': /\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{60,})\b/g,
  'a key of AWS': /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g,
  'a key of Google': /\bAIza[A-Za-z0-9_-]{35}\b/g,
  'a client secret of Google': /\bGOCSPX-[A-Za-z0-9_-]{28}\b/g,
  'a token of Slack': /\bxox[abeprs](?:\.xox[bp])?-[A-Za-z0-9-]{20,}/g,
  'a key of Stripe': /\b[rs]k_live_[A-Za-z0-9]{20,}\b/g,
  'a token of npm': /\bnpm_[A-Za-z0-9]{36}\b/g,
  'a token of Vault': /\bhv[sb]\.[A-Za-z0-9_-]{24,}\b/g,
  'a private key': /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s+[A-Za-z0-9+/=]{40,}/g,
  'an identity of age': /\bAGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}\b/g,
  'a key of ours': /\beg[ks]_[A-Za-z0-9]{40,}\b/g,
  'a master key of ours': /\bk\d+:[A-Za-z0-9+/]{43}=/g,
}

/** Nobody's: placeholders repeat themselves, or say what they are. */
function isMadeUp(text: string): boolean {
  const bare = text.replace(/[^A-Za-z0-9]/g, '')
  return new Set(bare.slice(-20)).size < 8 || /example|EXAMPLE|abcdefgh|ABCDEFGH|01234567|not-?a-?secret|planted/.test(text)
}

/** Looked at one by one. Each is a vector that a test needs whole, and opens nothing. */
const KNOWN: readonly (readonly [path: string, what: string])[] = [
  ['packages/evergrant/src/cli/keys.test.ts', 'a master key of ours'],
  ['packages/evergrant/src/config.test.ts', 'a master key of ours'],
  ['packages/evergrant/src/seal/keyring.test.ts', 'a master key of ours'],
]

function secretsIn(path: string, text: string): readonly string[] {
  return Object.entries(SHAPES).flatMap(([what, shape]) =>
    [...text.matchAll(shape)]
      .filter(([found]) => !isMadeUp(found) && !KNOWN.some(([file, kind]) => file === path && kind === what))
      .map(() => `${path}: ${what}`),
  )
}

test('no file of the repository has a key of anybody in it (S113)', () => {
  // What the site is built from is copied there.
  const files = sourceTree(root).filter(({ path }) => !path.startsWith('docs/site/.stage/'))
  expect(files.length).toBeGreaterThan(1_000)
  expect(files.flatMap(({ path, text }) => secretsIn(path, text))).toEqual([])
})

test('files that say what is not committed keep keys, databases and settings of machines out (S113)', () => {
  const ignored = readFileSync(`${root}.gitignore`, 'utf8').split('\n')
  for (const line of ['data/', '.env']) expect(ignored.some((rule) => rule.replace(/^\//, '').startsWith(line))).toBe(true)
})

/** Put together here, so that this file is not what is found. */
const random = 'Zq7Kx2Vb9Tn4Wm8Rc3Yd6Hf1Jg5Ls0Pa4Ue8Io2Xw6Bn1'
test.each([
  ['a token of GitHub', `ghp_${random.slice(0, 36)}`],
  ['a key of AWS', `AKIA${random.slice(0, 16).toUpperCase()}`],
  ['a key of Google', `AIza${random.slice(0, 35)}`],
  ['a client secret of Google', `GOCSPX-${random.slice(0, 28)}`],
  ['a token of Slack', `xoxb-${random.slice(0, 24)}`],
  ['a key of Stripe', `sk_live_${random.slice(0, 24)}`],
  ['a token of npm', `npm_${random.slice(0, 36)}`],
  ['a token of Vault', `hvs.${random.slice(0, 24)}`],
  ['a private key', `${'-'.repeat(5)}BEGIN PRIVATE KEY${'-'.repeat(5)}\n${random}`],
  ['an identity of age', `AGE-SECRET-KEY-1${'Q7K2V9T4W8R3Y6H5G0L4U8X6N3'.repeat(3).slice(0, 58)}`],
  ['a key of ours', `egk_${random.slice(0, 43)}`],
  ['a master key of ours', `k1:${random.slice(0, 43)}=`],
])('%s that somebody left would be found', (what, secret) => {
  expect(secretsIn('a/file.ts', `const key = '${secret}'`)).toEqual([`a/file.ts: ${what}`])
})

test('a placeholder is no secret', () => {
  for (const text of [`ghp_${'x'.repeat(36)}`, 'AKIAIOSFODNN7EXAMPLE', `k1:${'A'.repeat(43)}=`]) expect(secretsIn('a/file.ts', text)).toEqual([])
})
