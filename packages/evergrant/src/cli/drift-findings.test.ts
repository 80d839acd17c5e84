import { expect, test } from 'vitest'
import type { JsonObject } from '../core/json.ts'
import type { Api } from './api.ts'
import { driftFindings } from './drift-findings.ts'

const NOW = Date.UTC(2026, 0, 8)

/** An API that knows one integration at `acme`. */
function apiWith(drift: readonly JsonObject[]): Api {
  const answers: Readonly<Record<string, JsonObject>> = {
    integrations: {
      items: [
        { slug: 'acme', provider: 'acme' },
        { slug: 'gone', provider: 'gone' },
      ],
      cursor: null,
    },
    providers: { items: [{ id: 'acme' }, { id: 'unused' }], cursor: null },
    'providers/acme': { id: 'acme', drift },
  }
  return { where: 'a test', call: async (_method, path) => answers[path.split('?', 1)[0] ?? ''] ?? {}, close: async () => {} }
}

const drift = (at: string): JsonObject => ({
  at,
  step: 'refresh',
  missing: ['expires_at'],
  changed: [{ path: 'athlete.id', expected: ['number'], found: ['string'] }],
  added: ['refresh_token'],
})

test('a recent difference is told with its keys and types, and with what to do', async () => {
  const [finding, ...others] = await driftFindings(apiWith([drift('2026-01-06T00:00:00Z')]), NOW)
  expect(others).toEqual([])
  expect(finding).toMatchObject({
    name: 'answers of acme',
    ok: false,
    detail: 'its refresh answers differ from the documented ones: missing expires_at; athlete.id is string instead of number; new refresh_token',
  })
  expect(finding?.remedy).toContain('EVERGRANT_PROVIDERS_DIR')
})

test('an old difference and a provider without one are no finding', async () => {
  expect(await driftFindings(apiWith([drift('2025-12-01T00:00:00Z')]), NOW)).toEqual([])
  expect(await driftFindings(apiWith([]), NOW)).toEqual([])
})
