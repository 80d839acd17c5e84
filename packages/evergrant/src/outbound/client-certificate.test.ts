import { execFileSync, spawnSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { certificateProblem } from './client-certificate.ts'

const hasOpenssl = spawnSync('openssl', ['version']).status === 0
const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()

test.skipIf(!hasOpenssl)('a certificate and its key are taken in either order; half of them, or another key, is not', () => {
  const folder = mkdtempSync(join(tmpdir(), 'evergrant-certificate-'))
  const files = ['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')]
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', ...files, '-subj', '/CN=client'],
    {
      stdio: 'ignore',
    },
  )
  const certificate = readFileSync(join(folder, 'cert.pem'), 'utf8')
  const key = readFileSync(join(folder, 'key.pem'), 'utf8')
  rmSync(folder, { recursive: true })
  expect([certificateProblem(certificate + key), certificateProblem(`${key}\n${certificate}`)]).toEqual([null, null])
  expect(certificateProblem(certificate)).toContain('no private key')
  expect(certificateProblem(certificate + other)).toContain('does not belong to its first certificate')
})

test('a key alone, or any other text, holds no certificate', () => {
  for (const text of [other, 'words', '']) expect(certificateProblem(text)).toContain('no certificate')
})
