import { expect, test } from 'vitest'
import { createApiLab } from '../testing/api-lab.ts'

const OUTSIDE = [{ 'x-forwarded-for': '198.51.100.7' }, { forwarded: 'for=198.51.100.7' }, { 'x-forwarded-for': '' }]

test('metrics are for whoever reaches the node itself: through a proxy there is no such route, whatever the caller adds (S115, ASVS 13.4.5)', async () => {
  const lab = await createApiLab()
  const ask = (headers: Readonly<Record<string, string>>) => lab.call('GET', '/metrics', { key: null, headers })
  expect((await ask({})).text).toContain('evergrant_up')
  for (const headers of OUTSIDE) {
    const answer = await ask(headers)
    expect([answer.status, answer.json.code]).toEqual([404, 'not_found'])
    expect(answer.text).not.toContain('evergrant_')
  }
  expect((await lab.call('GET', '/metrics', { headers: OUTSIDE[0] ?? {} })).status).toBe(404)
})

test('readiness says to everybody whether it is ready, and its reasons only to whoever reaches the node itself (S115)', async () => {
  const lab = await createApiLab()
  const checks = [
    { name: 'store', ok: true, detail: 'at db-7.internal' },
    { name: 'journal', ok: false, detail: 'the disk is full' },
  ]
  lab.services.health.check = async () => checks
  const inside = await lab.call('GET', '/health/ready', { key: null })
  expect([inside.status, inside.json]).toEqual([503, { ready: false, checks }])
  for (const headers of OUTSIDE) {
    const { status, json } = await lab.call('GET', '/health/ready', { key: null, headers })
    expect([status, json]).toEqual([503, { ready: false, checks: checks.map((check) => ({ ...check, detail: null })) }])
  }
})
