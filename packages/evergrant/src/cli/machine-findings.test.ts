import { expect, test } from 'vitest'
import { readConfig } from '../config.ts'
import { renamedFindings, switchFinding } from './machine-findings.ts'

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
