// A ready project: what is in it, and that it runs with the SDK's public door against a server that listens.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { strFromU8, unzipSync } from 'fflate'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { HOUR, MINUTE } from '../core/time.ts'
import { type AgentLab, createAgentLab } from '../testing/agent-lab.ts'
import { freePort } from '../testing/free-port.ts'
import { newMember, signIn } from '../testing/people.ts'
import { openWholeNode, type WholeNode } from '../testing/whole-node.ts'

interface Downloaded {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly files: Readonly<Record<string, string>>
  readonly bytes: Uint8Array
}

async function download({ app }: Pick<AgentLab, 'app'>, agent: string, credential: string, body: object = {}): Promise<Downloaded> {
  const headers = { authorization: `Bearer ${credential}`, 'content-type': 'application/json' }
  const answer = await app.inject({ method: 'POST', url: `/api/v1/agents/${agent}/download`, headers, payload: JSON.stringify(body) })
  const bytes = new Uint8Array(answer.rawPayload)
  const unpacked = answer.statusCode === 200 ? unzipSync(bytes) : {}
  const files = Object.fromEntries(Object.entries(unpacked).map(([path, content]) => [path, strFromU8(content)]))
  return { status: answer.statusCode, headers: answer.headers, files, bytes }
}

const codeIn = (files: Downloaded['files'], folder: string): string => JSON.parse(files[`${folder}/.evergrant/enroll.json`] ?? '{}').code

describe('a downloaded project', () => {
  test('is one folder with a program, the address of the server and a one-time code, and no credential', async () => {
    const lab = await createAgentLab()
    const agent = (await lab.call('POST', '/api/v1/agents', { body: { name: 'Weather (Köln) & Söhne', owner: lab.owner.id } })).json.id
    const { status, headers, files, bytes } = await download(lab, agent, lab.owner.token, { name: 'web-9' })
    expect([status, headers['content-type'], headers['content-disposition']]).toEqual([200, 'application/zip', 'attachment; filename="weather-k-ln-s-hne.zip"'])
    expect(headers['cache-control']).toContain('no-store')
    const folder = 'weather-k-ln-s-hne'
    expect(Object.keys(files).sort()).toEqual(
      ['.evergrant/enroll.json', '.gitignore', 'README.md', 'agent.mjs', 'package.json'].map((path) => `${folder}/${path}`),
    )
    expect(JSON.parse(files[`${folder}/package.json`] ?? '')).toMatchObject({
      name: folder,
      private: true,
      type: 'module',
      dependencies: { '@evergrant/sdk': expect.stringMatching(/^\^\d/) },
    })
    expect(JSON.parse(files[`${folder}/.evergrant/enroll.json`] ?? '')).toEqual({
      server: 'https://evergrant.example',
      code: expect.stringMatching(/^egc_[A-Za-z0-9_-]{43}\./),
      expires_at: '2026-01-01T01:00:00.000Z',
      name: 'web-9',
    })
    expect(files[`${folder}/agent.mjs`]).toContain('await Evergrant.connect({ projectFile: true })')
    expect(files[`${folder}/.gitignore`]).toContain('.evergrant/')
    expect(files[`${folder}/README.md`]).toContain('# Weather (Köln) Söhne\n')
    expect(Object.values(files).join()).not.toMatch(/egs_1|egk_|eyJ/)
    // Of the file that holds the code: a regular file, for its owner alone. External attributes, APPNOTE 4.4.15.
    const place = Buffer.from(bytes).lastIndexOf('PK\x01\x02', Buffer.from(bytes).lastIndexOf('enroll.json'), 'latin1')
    expect(Buffer.from(bytes).readUInt32LE(place + 38) >>> 16).toBe(0o100600)
  })

  test('enrols one machine within an hour, and after that nobody', async () => {
    const lab = await createAgentLab()
    const agent = await lab.agent()
    const used = codeIn((await download(lab, agent, lab.owner.token)).files, 'agent-1')
    const late = codeIn((await download(lab, agent, lab.owner.token)).files, 'agent-1')
    expect((await (await lab.machine()).enrol({ code: used })).status).toBe(200)
    expect((await (await lab.machine()).enrol({ code: used })).json.code).toBe('enrolment_code_invalid')
    await lab.time.advance(HOUR + MINUTE)
    expect((await (await lab.machine()).enrol({ code: late })).json.code).toBe('enrolment_code_invalid')
  })

  test('is for whoever may enrol machines of that agent, with a recent proof of who they are', async () => {
    const lab = await createAgentLab()
    const agent = await lab.agent()
    const member = await signIn(lab, { role: 'member', organization: lab.organization })
    expect((await download(lab, agent, member.token)).status).toBe(404)
    expect((await download(lab, agent, await lab.keyFor(['agents:read']))).status).toBe(403)
    expect((await download(lab, agent, await lab.keyFor(['admin']))).status).toBe(200)
    await lab.store.sessions.reauthenticated(lab.owner.opened.signedIn.session.id, ['pwd'], lab.time.clock.wall() - 11 * MINUTE)
    const stale = await lab.call('POST', `/api/v1/agents/${agent}/download`, { key: lab.owner.token, body: {} })
    expect(stale.json.code).toBe('reauthentication_required')
  })
})

describe('started with the SDK against a server that listens', () => {
  let node: WholeNode
  let folder: string
  beforeAll(async () => {
    const port = await freePort()
    node = await openWholeNode({ env: { EVERGRANT_PUBLIC_URL: `http://127.0.0.1:${port}`, EVERGRANT_PORT: String(port) } })
    await node.app.listen({ host: '127.0.0.1', port })
    folder = mkdtempSync(join(tmpdir(), 'evergrant-project-'))
  }, 60_000)
  afterAll(async () => {
    await node.close()
    rmSync(folder, { recursive: true })
  })

  test('its first run enrols the machine; it survives Rotate and an unlock, stops on Cut off, and another machine gets nothing from it', async () => {
    const { organization, services } = node.parts
    const owner = await newMember(node, { role: 'operator', organization })
    const key = (await services.apiKeys.create(organization, { name: 'k', scopes: ['admin'], expiresAt: null }, { kind: 'cli', id: null })).text
    const agent = (await node.ask('POST', '/api/v1/agents', key, { name: 'weather', owner: owner.id })).json.id
    const project = unpack((await download(node, agent, key)).files, folder)
    const [home, elsewhere] = [join(folder, 'home'), join(folder, 'elsewhere')]

    const first = await run(project, home)
    expect(first, first.err).toMatchObject({ code: 0, out: expect.stringMatching(/^weather runs here as .+ \(ins_[0-9a-f-]+\); it is verified\.\n$/) })
    const stored = JSON.parse(readFileSync(join(project, '.evergrant/enroll.json'), 'utf8'))
    expect(JSON.stringify(stored)).not.toMatch(/egs_1|eyJ/)
    const second = await run(project, home)
    expect(second).toMatchObject({ code: 0, out: first.out })

    const thief = await run(project, elsewhere)
    expect(thief.code).not.toBe(0)
    expect(thief.err).toMatch(/enrolment_code_invalid|spent already/)
    const { items } = (await node.ask('GET', `/api/v1/installations?agent=${agent}`, key)).json
    expect(items).toHaveLength(1)

    await node.ask('POST', `/api/v1/installations/${items[0].id}/rotate`, key, {})
    const rotated = await run(project, home)
    expect(rotated, rotated.err).toMatchObject({ code: 0, out: first.out })
    const installation = `/api/v1/installations/${items[0].id}`
    await node.ask('POST', `${installation}/lock`, key, {})
    expect((await run(project, home)).err).toContain('installation_locked')
    await node.ask('POST', `${installation}/unlock`, key, {})
    const unlocked = await run(project, home)
    expect(unlocked, unlocked.err).toMatchObject({ code: 0, out: first.out })
    expect((await node.ask('GET', installation, key)).json.key_thumbprint).not.toBe(items[0].key_thumbprint)
    await node.ask('POST', `${installation}/cut-off`, key, {})
    const cutOff = await run(project, home)
    expect(cutOff.code).not.toBe(0)
    expect(cutOff.err).toContain('installation_retired')
  }, 120_000)
})

/** As `npm install` would leave it, with the SDK from source behind its public door. */
function unpack(files: Downloaded['files'], folder: string): string {
  const door = new URL('../../../sdk/src/node/index.ts', import.meta.url).href
  const installed = {
    'weather/node_modules/@evergrant/sdk/package.json': JSON.stringify({ name: '@evergrant/sdk', type: 'module', exports: { './node': './node.js' } }),
    'weather/node_modules/@evergrant/sdk/node.js': `export * from '${door}'\n`,
  }
  for (const [path, text] of Object.entries({ ...files, ...installed })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return join(folder, 'weather')
}

async function run(cwd: string, home: string): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }> {
  const { PATH = '', NODE_COMPILE_CACHE = '' } = process.env
  const child = spawn(process.execPath, ['agent.mjs'], { cwd, env: { PATH, NODE_COMPILE_CACHE, HOME: home, EVERGRANT_HOME: join(home, '.evergrant') } })
  const text = { out: '', err: '' }
  child.stdout.on('data', (chunk) => (text.out += chunk))
  child.stderr.on('data', (chunk) => (text.err += chunk))
  const [code] = await once(child, 'close')
  return { code, ...text }
}
