import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import { freshDatabase } from '../../../tests/fresh-database.ts'
import { type NodeParts, openNode } from './compose-node.ts'
import { readConfig } from './config.ts'
import { runHere } from './testing/command-line.ts'

// Whole nodes and commands are made; a machine that has much to do takes its time.
vi.setConfig({ testTimeout: 120_000 })

const { database, skip } = await freshDatabase()
const KEYS = `k1:${randomBytes(32).toString('base64')}`
const folders: string[] = []
const nodes: NodeParts[] = []
const warned: string[] = []
const log = { info: () => {}, warn: (_: object, text: string) => void warned.push(text), error: () => {} }

function settings(publicUrl: string): Record<string, string> {
  const folder = mkdtempSync(join(tmpdir(), 'evergrant-nodes-'))
  folders.push(folder)
  return { EVERGRANT_DATA_DIR: folder, EVERGRANT_DATABASE_URL: database?.url ?? '', EVERGRANT_MASTER_KEYS: KEYS, EVERGRANT_PUBLIC_URL: publicUrl }
}

async function started(publicUrl: string, id: string): Promise<NodeParts> {
  const env = { ...settings(publicUrl), EVERGRANT_NODE_ID: id }
  const node = await openNode(readConfig(env, { development: false, readSecretFile: () => '' }), log)
  nodes.push(node)
  return node
}

afterEach(async () => {
  for (const node of nodes.splice(0)) {
    await node.journal.close()
    await node.marks.close()
    await node.membership.leave()
    await node.store.close()
  }
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})
afterAll(() => database?.drop())

describe.skipIf(database === null)(`two nodes of one database${skip ?? ''}`, () => {
  test('that have different public URLs both start, the later one says so, and doctor names them with the remedy', async () => {
    await started('https://one.example.com', 'node-a')
    expect(warned).toEqual([])
    const later = await started('https://two.example.com', 'node-b')
    expect(later.membership.held()).toBe(true)
    expect(warned).toEqual([expect.stringMatching(/https:\/\/two\.example\.com, and node node-a has https:\/\/one\.example\.com/)])
    const { code, out } = await runHere(['doctor', '--json'], settings('http://localhost:8080'))
    const { findings } = JSON.parse(out)
    expect(findings.find(({ name }: { name: string }) => name === 'public URL of the nodes')).toMatchObject({
      ok: false,
      detail: expect.stringContaining('node node-a says https://one.example.com, node node-b says https://two.example.com'),
      remedy: expect.stringContaining('the same EVERGRANT_PUBLIC_URL on every node'),
    })
    expect(code).toBe(1)
  })

  test('and a command that opens the database itself beside them is shown as a command, and is gone when it has ended', async () => {
    const node = await started('https://one.example.com', 'node-a')
    const { out } = await runHere(['keys', 'status', '--json'], settings('http://localhost:8080'))
    const kinds = JSON.parse(out).nodes.map(({ alive, kind }: { alive: boolean; kind: string }) => [alive, kind])
    expect(kinds.sort()).toEqual([
      [true, 'command'],
      [true, 'server'],
    ])
    expect((await node.store.nodes.list()).map(({ id }) => id)).toEqual(['node-a'])
  })
})
