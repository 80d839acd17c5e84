// A probe of a connection as an operator meets it: the command line, with no server running.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type PracticeProvider, startPracticeProvider } from '../practice/provider.ts'
import { runHere } from '../testing/command-line.ts'

vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 })

const folder = mkdtempSync(join(tmpdir(), 'evergrant-probe-'))
let practice: PracticeProvider
let env: Record<string, string> = {}

const run = (...args: readonly string[]) => runHere(args, env)

const at = (name: string, text: string): string => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

beforeAll(async () => {
  practice = await startPracticeProvider()
  const home = `${practice.url}/p3`
  mkdirSync(join(folder, 'providers'))
  const record = { id: 'rehearsal', name: 'Rehearsal', authorize: { url: `${home}/authorize` }, token: { url: `${home}/token`, clientAuth: 'basic' } }
  writeFileSync(join(folder, 'providers', 'rehearsal.json'), JSON.stringify(record))
  const { PATH = '', HOME = '', NODE_COMPILE_CACHE = '' } = process.env
  env = {
    ...{ PATH, HOME, NODE_COMPILE_CACHE, EVERGRANT_DATA_DIR: join(folder, 'data'), EVERGRANT_PORT: '0' },
    ...{ EVERGRANT_PROVIDERS_DIR: join(folder, 'providers'), EVERGRANT_DANGEROUS_PRIVATE_HOSTS: '127.0.0.1' },
  }
})
afterAll(async () => {
  await practice.close()
  rmSync(folder, { recursive: true, force: true })
})

test('an operator declares a connection to be throwaway, and reads what to write into the record', async () => {
  const client = ['--client-id', 'practice', '--client-secret-file', at('secret', 'practice-secret')]
  expect(await run('integrations', 'create', '--provider', 'rehearsal', '--slug', 'rehearsal', '--name', 'Rehearsal', ...client)).toMatchObject({ code: 0 })
  const { accessToken, refreshToken } = practice.control.issueGrant({ profile: 'p3' })
  const grant = at('grant.json', JSON.stringify({ access_token: accessToken, refresh_token: refreshToken, expires_at: '2036-01-01T00:00:00Z' }))
  const imported = await run('connections', 'import', '--integration', 'rehearsal', '--owner', 'tester', '--file', grant, '--json')
  const { id } = JSON.parse(imported.out)
  const refused = await run('providers', 'probe', '--connection', id)
  expect([refused.code, refused.err.includes('tag the connection `throwaway`')]).toEqual([1, true])
  const probed = await run('providers', 'probe', '--connection', id, '--yes-i-may-lose-this-grant')
  expect([probed.code, probed.err]).toEqual([0, expect.stringContaining('presented the refresh token, for the first time: granted, with a new refresh token')])
  expect(probed.out).toContain(
    'reuse: { class: P3, evidence: "Probed: the second use was refused (invalid_grant, HTTP 400), and its successor went on working." }',
  )
  expect(probed.out).toContain('integrations update <id> --setting reuse=P3\n')
  expect(probed.out).toContain('not known: whether a refresh ends the access token before it')
  expect(probed.out + probed.err).not.toContain(refreshToken)
})

test('a probe of nothing says what it needs', async () => {
  expect(await run('providers', 'probe', '--throwaway')).toMatchObject({ code: 2, err: expect.stringContaining('Name a --connection of a server') })
})
