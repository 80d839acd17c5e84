import { afterAll, describe, expect, test } from 'vitest'
import { freshDatabase } from '../../../../tests/fresh-database.ts'
import type { NodeReport } from '../core/refresh/nodes.ts'
import { Secret } from '../core/seal/secret.ts'
import { systemClock } from '../system.ts'
import { createManualTime } from '../testing/manual-time.ts'
import { addressFindings, durabilityFinding, failoverFinding, nodeFindings, postgresFindings, skewFinding } from './postgres-findings.ts'

const START = Date.UTC(2026, 0, 1)
const report = { version: '16.4', synchronousCommit: 'on', standbys: 0, synchronousStandbys: false, at: START, tripMs: 2 }

test('a careless default of synchronous_commit is named, with what is done about it', () => {
  expect(durabilityFinding({ ...report, synchronousCommit: 'off' })).toMatchObject({
    ok: true,
    detail: expect.stringMatching(/off by default there; every session of Evergrant turns it on/),
  })
  expect(durabilityFinding(report).detail).toBe('PostgreSQL 16.4, fsync on, synchronous_commit on')
})

test('standbys that no commit waits for are said to lose the last seconds at a failover', () => {
  expect(failoverFinding({ ...report, standbys: 2 }).detail).toMatch(
    /^2 standby\(s\), and no commit waits for them: a failover may lose the last seconds \(RPO > 0\)/,
  )
  expect(failoverFinding({ ...report, standbys: 1, synchronousStandbys: true }).detail).toMatch(/commits wait/)
  expect(failoverFinding(report).detail).toBe('no standby is connected')
})

test.each([
  [0, true, /agrees/],
  [7_000, false, /7 s behind the database's$/],
  [-40_000, false, /40 s ahead of the database's; a server starts no refresh here/],
])('a database %i ms ahead of this machine', (aheadMs, ok, words) => {
  expect(skewFinding({ ...report, at: START + aheadMs }, createManualTime(START).clock)).toMatchObject({
    name: 'clock of the database',
    ok,
    detail: expect.stringMatching(words),
  })
})

test('the embedded database has no server to look at, and one that is not there is a problem with a remedy', async () => {
  expect(await postgresFindings({ databaseUrl: null }, systemClock)).toEqual([])
  const [finding] = await postgresFindings({ databaseUrl: new Secret('postgres://nobody:nothing@127.0.0.1:1/none') }, systemClock)
  expect(finding).toMatchObject({ name: 'database server', ok: false, remedy: expect.stringMatching(/point EVERGRANT_DATABASE_URL at a primary/) })
})

test('nodes that say different public URLs are named with their addresses and the remedy; commands, the dead and the silent do not count', () => {
  const node = (id: string, publicUrl: string | null, more: Partial<NodeReport> = {}): NodeReport => {
    const about = publicUrl === null ? null : ({ kind: 'server', publicUrl } as const)
    return { id, incarnation: id, startedAt: START, heartbeatAt: START, draining: false, alive: true, keyring: null, about, ...more }
  }
  const a = node('a', 'https://one.example.com')
  expect(addressFindings([a, node('b', 'https://two.example.com')])).toEqual([
    {
      name: 'public URL of the nodes',
      ok: false,
      detail: 'node a says https://one.example.com, node b says https://two.example.com: links, callbacks and issuers depend on which of them answers',
      remedy: 'set the same EVERGRANT_PUBLIC_URL on every node, and restart them one after the other',
    },
  ])
  expect(addressFindings([a, node('b', 'https://one.example.com')])).toMatchObject([{ ok: true, detail: '2 nodes say https://one.example.com' }])
  const command = node('c', null, { about: { kind: 'command', publicUrl: 'http://localhost:8080' } })
  expect(addressFindings([a, command, node('d', 'https://two.example.com', { alive: false }), node('e', null)])).toEqual([])
})

test('a server that goes away while doctor looks at its nodes is a finding, and no end of doctor', async () => {
  expect(await nodeFindings({ databaseUrl: new Secret('postgres://nobody:nothing@127.0.0.1:1/none') })).toMatchObject([{ name: 'database server', ok: false }])
  expect(await nodeFindings({ databaseUrl: null })).toEqual([])
})

const { database, skip } = await freshDatabase()
afterAll(() => database?.drop())

describe.skipIf(database === null)(`a real server${skip ?? ''}`, () => {
  test('is looked at without a store', async () => {
    const findings = await postgresFindings({ databaseUrl: new Secret(database?.url ?? '') }, systemClock)
    expect(findings.map(({ name, ok }) => [name, ok])).toEqual([
      ['database server', true],
      ['failover', true],
      ['clock of the database', true],
    ])
  })
})
