import { tmpdir } from 'node:os'
import { expect, test } from 'vitest'
import { readConfig } from '../config.ts'
import { dataFolderFinding, renamedFindings, switchFinding } from './machine-findings.ts'

test('the doctor names every dangerous switch that is on, and is content where none is (S119)', () => {
  const safe = readConfig({}, { development: false })
  expect(switchFinding(safe)).toMatchObject({ ok: true, detail: 'none is on' })
  const { detail } = switchFinding({ ...safe, dangerousPrivateHosts: ['auth.internal', '10.0.0.7:8443'], dangerousTimeScale: 50 })
  expect(detail).toBe(
    'outbound requests reach these hosts although their addresses are private: auth.internal, 10.0.0.7:8443; the waits that protect grants are divided by 50',
  )
})

test('the doctor names every key that is given under the name it had before, with its new one', () => {
  expect(renamedFindings(readConfig({ EVERGRANT_ALLOW_PRIVATE_HOSTS: 'auth.internal' }, { development: false }))).toEqual([
    {
      name: 'environment',
      ok: true,
      detail:
        'EVERGRANT_ALLOW_PRIVATE_HOSTS is now called EVERGRANT_DANGEROUS_PRIVATE_HOSTS: rename it, the old name is understood until the next major version',
      remedy: null,
    },
  ])
  expect(renamedFindings(readConfig({}, { development: false }))).toEqual([])
})

test('a volume that Kubernetes hands to the group of a pod is sound; a folder of the server itself that others may look into is not', () => {
  const dataDir = tmpdir()
  const folder = (uid: number, mode: number) => () => ({ uid, mode: 0o40_000 | mode, isDirectory: () => true })
  const [root, pod] = [0, 10_001]
  expect(dataFolderFinding({ dataDir }, pod, folder(root, 0o2775))).toEqual({ name: 'data folder', ok: true, detail: dataDir, remedy: null })
  expect(dataFolderFinding({ dataDir }, pod, folder(root, 0o2777))).toMatchObject({ ok: false, remedy: `as root: chmod o-w ${dataDir}` })
  expect(dataFolderFinding({ dataDir }, pod, folder(pod, 0o750))).toMatchObject({ ok: false, remedy: `chmod 700 ${dataDir}` })
  expect(dataFolderFinding({ dataDir }, root, folder(root, 0o755))).toMatchObject({ ok: false, remedy: `chmod 700 ${dataDir}` })
  expect(dataFolderFinding({ dataDir }, pod, folder(pod, 0o700))).toMatchObject({ ok: true })
})
