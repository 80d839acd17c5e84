import { expect, test } from 'vitest'
import { readConfig } from '../config.ts'
import { switchFinding } from './machine-findings.ts'

test('the doctor names every dangerous switch that is on, and is content where none is (S119)', () => {
  const safe = readConfig({}, { development: false })
  expect(switchFinding(safe)).toMatchObject({ ok: true, detail: 'none is on' })
  const { detail } = switchFinding({ ...safe, allowPrivateHosts: ['auth.internal', '10.0.0.7:8443'], dangerousTimeScale: 50 })
  expect(detail).toBe(
    'outbound requests reach these hosts although their addresses are private: auth.internal, 10.0.0.7:8443; the waits that protect grants are divided by 50',
  )
})
