import { beforeAll, expect, test } from 'vitest'
import { FAULTS } from '../../core/fault/table.ts'
import { RUNBOOKS } from '../../core/operate/runbook-pages.ts'
import { type ApiLab, createApiLab } from '../../testing/api-lab.ts'

let lab: ApiLab
beforeAll(async () => {
  lab = await createApiLab()
})

test('the OpenAPI document is 3.1 and has every API route with its scope', async () => {
  const { status, json } = await lab.call('GET', '/api/v1/openapi.json', { key: null })
  expect([status, json.openapi]).toEqual([200, '3.1.0'])
  const paths = Object.keys(json.paths)
  for (const path of [
    '/api/v1/connections/{id}/token',
    '/api/v1/token',
    '/api/v1/integrations/{id}',
    '/api/v1/api-keys/{id}/rotate',
    '/api/v1/events',
    '/health/ready',
  ])
    expect(paths).toContain(path)
  expect(json.paths['/api/v1/connections/import'].post.requestBody.content['application/json'].schema.type).toBe('array')
  expect(json.paths['/api/v1/connections/{id}/token'].get.description).toContain('Scope: `tokens:read`')
  expect(json.paths['/api/v1/connections/{id}/token'].get.security).toEqual([{ key: [] }])
  expect(json.paths['/health/live'].get.security).toBeUndefined()
})

test('the schema of every route compiles, also of those that no request has asked for', async () => {
  await lab.app.ready()
  expect(() => lab.app.compileSchemas()).not.toThrow()
})

test('every alert has its page, which needs no script and links to pages that exist', async () => {
  const list = await lab.call('GET', '/docs/runbooks', { key: null })
  const pages = [...list.text.matchAll(/href="(\/docs\/runbooks\/[a-z-]+)"/g)].map(([, path = '']) => path)
  expect(pages.length).toBe(RUNBOOKS.length)
  for (const path of pages) {
    const { status, text } = await lab.call('GET', path, { key: null })
    expect([path, status]).toEqual([path, 200])
    expect(text).not.toMatch(/<script|style=|\]\(|\.md/)
    for (const [, target] of text.matchAll(/href="(\/docs\/runbooks\/[a-z-]+)"/g)) expect(pages).toContain(target)
  }
  expect((await lab.call('GET', '/docs/runbooks/none', { key: null })).status).toBe(404)
})

test('the pages need no script and nothing from elsewhere, and name every operation and every fault', async () => {
  const api = await lab.call('GET', '/docs/api', { key: null })
  const errors = await lab.call('GET', '/docs/errors', { key: null })
  for (const { status, headers, text } of [api, errors]) {
    expect(status).toBe(200)
    expect(headers['content-type']).toContain('text/html')
    expect(headers['content-security-policy']).toContain("default-src 'none'; style-src 'self'")
    expect(text).not.toMatch(/<script|<style|style=|\son[a-z]+="|src="http|href="http/)
  }
  expect(api.text).toContain('/api/v1/connections/{id}/token')
  expect(api.text).toContain('/api/v1/proxy/{connection}/')
  for (const code of Object.keys(FAULTS)) expect(errors.text).toContain(`id="${code}"`)
  expect((await lab.call('GET', '/docs/style.css', { key: null })).headers['content-type']).toContain('text/css')
})
