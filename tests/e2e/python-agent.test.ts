// The protocol in another language: a client that was written from docs/reference/sdk-protocol.md alone, against the vectors and against a real server.
import { execFile, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { AgentWorld } from '../agent-world.ts'

const EXAMPLE = fileURLToPath(new URL('../../examples/python-agent/', import.meta.url))
const hasPython = spawnSync('python3', ['-c', 'import cryptography']).status === 0
const skip = hasPython ? '' : ' (SKIPPED: python3-cryptography is not installed on this machine)'
if (!hasPython) console.warn(`the client in Python${skip}`)

interface Ended {
  readonly code: number
  readonly out: string
  readonly err: string
}

const python = (script: string, args: readonly string[], home = ''): Promise<Ended> => execute([join(EXAMPLE, script), ...args], home)

function execute(args: readonly string[], home = ''): Promise<Ended> {
  const env = { PATH: process.env['PATH'], EVERGRANT_HOME: home, PYTHONDONTWRITEBYTECODE: '1' }
  return new Promise((resolve) => execFile('python3', [...args], { env }, (error, out, err) => resolve({ code: Number(error?.code ?? 0), out, err })))
}

async function listen(answer: RequestListener): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url, close: () => new Promise((resolve) => server.close(() => resolve()).closeAllConnections()) }
}

test('the client is under 200 lines', () => {
  expect(readFileSync(join(EXAMPLE, 'evergrant_agent.py'), 'utf8').split('\n').length).toBeLessThanOrEqual(200)
})

describe.skipIf(!hasPython)(`the client in Python${skip}`, { timeout: 60_000 }, () => {
  test('sends what the vectors have, and does with each answer what the page says', async () => {
    const { code, out, err } = await python('check_vectors.py', [])
    expect([code, err]).toEqual([0, ''])
    expect(JSON.parse(out)).toMatchObject({ thumbprints: 4, proofs: expect.any(Number) })
  })

  test.each<[string, (vectors: Vectors) => object]>([
    ['a proof that is refused', ({ proofs }) => Object.assign(at(proofs, 7), { result: 'accepted' })],
    ['a thumbprint', ({ thumbprints }) => Object.assign(at(thumbprints, 0), { thumbprint: 'A'.repeat(43) })],
    ['the credential behind rth', ({ exchanges }) => Object.assign(at(exchanges, 12).given, { credential: 'another' })],
    ['what comes next', ({ exchanges }) => Object.assign(at(exchanges, 12), { next: 'stop' })],
  ])('notices a vector that is wrong about %s', async (_title, spoil) => {
    const vectors: Vectors = JSON.parse(readFileSync(join(EXAMPLE, '../../docs/reference/sdk-protocol-vectors.json'), 'utf8'))
    spoil(vectors)
    const folder = mkdtempSync(join(tmpdir(), 'evergrant-vectors-'))
    writeFileSync(join(folder, 'spoilt.json'), JSON.stringify(vectors))
    expect((await python('check_vectors.py', [join(folder, 'spoilt.json')])).code).toBe(1)
    rmSync(folder, { recursive: true })
  })

  let world: AgentWorld
  beforeAll(async () => {
    world = await AgentWorld.open()
  })
  afterAll(() => world?.close())

  let home: string
  let id: string
  const run = (...args: readonly string[]) => python('main.py', args, home)
  beforeEach(async () => {
    home = join(mkdtempSync(join(tmpdir(), 'evergrant-python-')), 'home')
    const enrolled = await run('enroll', await world.code())
    expect([enrolled.code, enrolled.err]).toEqual([0, ''])
    id = JSON.parse(enrolled.out).installation
    return () => rmSync(join(home, '..'), { recursive: true })
  })

  test('enrols with one code, refreshes, and calls the API; its file is for its user alone', async () => {
    expect(JSON.parse((await run('token')).out)).toEqual({ installation: id, generation: 1 })
    expect(JSON.parse((await run('token', '--renew')).out)).toEqual({ installation: id, generation: 2 })
    await world.operate('POST', `agents/${world.agent}/accept`)
    expect(JSON.parse((await run('get', '/connections?limit=5')).out)).toEqual([200, { items: [], cursor: null }])
    expect(statSync(join(home, 'credentials.json')).mode & 0o777).toBe(0o600)
  })

  test('heals after Rotate, by itself and with one line about it', async () => {
    await world.operate('POST', `installations/${id}/rotate`)
    const { code, out, err } = await run('token', '--renew')
    expect([code, JSON.parse(out).generation, err]).toEqual([0, 2, 'recovered by itself: hygiene\n'])
    expect((await world.standing(id)).status).toBe('active')
  })

  test('stops after Cut off, says why, and keeps its file', async () => {
    await world.operate('POST', `installations/${id}/cut-off`)
    const kept = readFileSync(join(home, 'credentials.json'), 'utf8')
    for (let round = 0; round < 2; round++) {
      const { code, err } = await run('token', '--renew')
      expect([code, err]).toEqual([1, expect.stringMatching(/^stopped: .*(signed out|cut off|over|retired)/i)])
    }
    expect(readFileSync(join(home, 'credentials.json'), 'utf8')).toBe(kept)
  })

  test('after an unlock it goes on with a new key', async () => {
    await world.operate('POST', `installations/${id}/lock`)
    expect((await run('token', '--renew')).code).toBe(1)
    await world.operate('POST', `installations/${id}/unlock`)
    const before = (await world.standing(id)).keyThumbprint
    expect((await run('token', '--renew')).code).toBe(0)
    expect((await world.standing(id)).keyThumbprint).not.toBe(before)
    expect((await run('token', '--renew')).code).toBe(0)
  })

  test('twelve processes that find the token due at once: one after the other, and nobody is locked', async () => {
    const ended = await Promise.all(Array.from({ length: 12 }, () => run('token', '--renew')))
    expect(ended.map(({ code }) => code)).toEqual(Array(12).fill(0))
    expect((await world.standing(id)).status).toBe('active')
  })

  test('an answer that breaks off and a Retry-After that is a date are waited out, and credentials follow no redirect', async () => {
    const [asked, elsewhere]: [string[], string[]] = [[], []]
    const answers = [
      (response: ServerResponse) => response.writeHead(200, { 'content-type': 'application/json', 'content-length': 99 }).end('{"half'),
      (response: ServerResponse) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"half'),
      (response: ServerResponse) => response.writeHead(503, { 'retry-after': 'Sun, 22 Nov 2026 12:00:00 GMT' }).end(),
      (response: ServerResponse) => response.writeHead(302, { location: there.url }).end(),
    ]
    const there = await listen((request, response) => {
      elsewhere.push(request.url ?? '')
      response.end()
    })
    const here = await listen((request, response) => {
      asked.push(request.url ?? '')
      answers.shift()?.(response)
    })
    const path = join(home, 'credentials.json')
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), server: here.url, over_at: 0 }))
    const program = `import sys; sys.path.insert(0, ${JSON.stringify(EXAMPLE)})
import evergrant_agent as client
client.RETRY_WAITS = (0, 0, 0)
client.Agent(${JSON.stringify(home)}).credentials(True)`
    const { err } = await execute(['-c', program])
    await Promise.all([here.close(), there.close()])
    expect(err).toMatch(/Stopped: answer 302/)
    expect([asked, elsewhere]).toEqual([Array(4).fill('/api/v1/auth/sdk/refresh'), []])
  })

  test('logout retires it on the server', async () => {
    expect((await run('logout')).code).toBe(0)
    expect((await world.standing(id)).status).toBe('retired')
  })
})

interface Vectors {
  readonly thumbprints: readonly { readonly thumbprint: string }[]
  readonly proofs: readonly { readonly result: string }[]
  readonly exchanges: readonly { readonly next: string; readonly given: object }[]
}

function at<Item>(items: readonly Item[], index: number): Item {
  const item = items[index]
  if (item === undefined) throw new Error(`there is no vector ${index}`)
  return item
}
