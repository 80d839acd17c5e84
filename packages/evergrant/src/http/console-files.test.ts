import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { gunzipSync } from 'node:zlib'
import Fastify from 'fastify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { answerBelow } from './below-path.ts'
import { consoleFiles, consoleFromRoot } from './console-files.ts'
import type { App } from './schema.ts'

describe('the files of the console', () => {
  let folder: string
  let app: App

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'evergrant-console-'))
    mkdirSync(join(folder, 'assets'))
    writeFileSync(join(folder, 'index.html'), '<!doctype html><base href="/console/"><script src="theme.js"></script>')
    writeFileSync(join(folder, 'theme.js'), '// theme')
    writeFileSync(join(folder, 'assets/index-abc123.js'), 'export {}')
    writeFileSync(join(folder, '.sources'), 'not for anybody')
    app = Fastify() as unknown as App
    const options = { publicUrl: 'https://example.com/below', folders: [pathToFileURL(`${folder}/`)] }
    answerBelow(app, options.publicUrl)
    consoleFiles(app, options)
    consoleFromRoot(app)
  })
  afterAll(async () => {
    await app.close()
    rmSync(folder, { recursive: true, force: true })
  })

  test('every address of the console is its page, which is never kept and allows nothing inline', async () => {
    for (const path of ['/console/', '/console/connections/con_1', '/console/index.html']) {
      const answer = await app.inject(path)
      expect(answer.statusCode).toBe(200)
      expect(answer.headers['content-security-policy']).toMatch(/^default-src 'self';/)
      expect(answer.headers['content-security-policy']).not.toContain('unsafe')
      expect(answer.headers['cache-control']).toBeUndefined()
      expect(answer.body).toContain('<base href="/below/console/">')
    }
  })

  test('files with a hash are kept for ever, the others shortly', async () => {
    expect((await app.inject('/console/assets/index-abc123.js')).headers['cache-control']).toBe('public, max-age=31536000, immutable')
    expect((await app.inject('/console/theme.js')).headers['cache-control']).toBe('public, max-age=300')
  })

  test('a script of another version is missing, not the page', async () => {
    expect((await app.inject('/console/assets/index-old.js')).statusCode).not.toBe(200)
  })

  test('only what the build made can be read', async () => {
    for (const path of ['/console/.sources', '/console/..%2f..%2fetc%2fpasswd', '/console/assets/../.sources']) {
      const answer = await app.inject(path)
      expect(answer.body).not.toContain('not for anybody')
      expect(answer.body).not.toContain('root:')
    }
  })

  test('who takes gzip gets gzip', async () => {
    const answer = await app.inject({ url: '/console/theme.js', headers: { 'accept-encoding': 'gzip, br' } })
    expect(answer.headers['content-encoding']).toBe('gzip')
    expect(gunzipSync(answer.rawPayload).toString()).toBe('// theme')
  })

  test('a browser that knows only the server is sent to the console', async () => {
    const answer = await app.inject('/')
    expect(answer.statusCode).toBe(302)
    expect(answer.headers.location).toBe('/below/console/')
  })
})
