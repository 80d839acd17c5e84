// The commands of backup and restore, in this process: what an operator types, and what is on the disk afterwards.
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { freshDatabase } from '../../../../tests/fresh-database.ts'
import { newId } from '../core/ids.ts'
import { parseMasterKeys } from '../seal/keyring.ts'
import { openSeal } from '../seal/open-seal.ts'
import { TestOrganization } from '../store/conformance/test-organization.ts'
import { openPostgresStore } from '../store/postgres/postgres-store.ts'
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts'
import { systemClock, systemEntropy, systemTimers } from '../system.ts'
import { runCommandLine } from './program.ts'

// Whole nodes are opened and closed in some of these.
vi.setConfig({ testTimeout: 90_000 })

const options = { clock: systemClock, timers: systemTimers, migrate: true }
const KEYS = `k1:${Buffer.alloc(32, 'a key of sixteen').toString('base64')}`
const root = mkdtempSync(join(tmpdir(), 'evergrant-backup-cli-'))
const [data, out, identity] = [join(root, 'data'), join(root, 'out'), join(root, 'identity.txt')]
let recipient = ''

interface Ended {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** One command line, with these variables and no others of ours. */
async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const given = { EVERGRANT_DATA_DIR: data, EVERGRANT_MASTER_KEYS: KEYS, ...env }
  for (const [name, value] of Object.entries(given)) if (value !== '') process.env[name] = value
  const [said, complained]: [string[], string[]] = [[], []]
  const code = await runCommandLine(args, { out: (line) => void said.push(line), err: (line) => void complained.push(line), interactive: false })
  for (const name of Object.keys(given)) delete process.env[name]
  return { code, out: said.join(''), err: complained.join('') }
}

const json = ({ out: text }: Ended) => JSON.parse(text)

async function backup(): Promise<string> {
  const made = await run(['backup', '--to', join(out, `${newId('evt', systemEntropy)}.age`), '--recipient', recipient, '--json'])
  expect(made.code, made.err).toBe(0)
  return json(made).file
}

beforeAll(async () => {
  mkdirSync(data)
  mkdirSync(out)
  writeFileSync(join(data, 'folder-id'), 'folder-1\n')
  const store = await openSqliteStore(join(data, 'evergrant.db'), options)
  await openSeal(store.meta, parseMasterKeys(KEYS), systemEntropy)
  const org = await TestOrganization.open(store, { entropy: systemEntropy, duePlan: async () => '' })
  const first = { id: newId('org', systemEntropy), name: 'Default', slug: 'default', createdAt: 1 }
  await store.organizations.insert(first, org.event('organization.created'))
  await org.connect()
  await org.connect()
  await store.lineages.open({ instance: 'instance-1', home: { id: 'folder-1', name: 'evergrant.db', timeline: null } })
  await store.close()
  recipient = json(await run(['backup', 'keygen', '--to', identity, '--json'])).recipient
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

describe('a backup', () => {
  test('is made beside the database, tried, private, and says what is in it', async () => {
    const made = await run(['backup', '--to', out, '--recipient', recipient, '--json'])
    expect(made.code, made.err).toBe(0)
    const facts = json(made)
    expect(facts).toMatchObject({ store: 'sqlite', instance: 'instance-1', keys_needed: ['k1'], keys_missing: [], seal_opens: true, removed: [] })
    expect(facts.rows_of).toMatchObject({ organization: 2, connection: 2, credential: 2 })
    expect(facts.file).toMatch(/out\/evergrant-\d{8}T\d{6}Z\.age$/)
    expect(statSync(facts.file)).toMatchObject({ size: facts.bytes })
    expect(statSync(facts.file).mode & 0o777).toBe(0o600)
    expect(readFileSync(facts.file).includes('refresh 1')).toBe(false)
    expect(readdirSync(out)).toHaveLength(1)
  })

  test('is verified by whoever has the identity, with and without the master keys', async () => {
    const file = await backup()
    const known = await run(['backup', 'verify', file, '--identity-file', identity])
    expect(known.code, known.err).toBe(0)
    expect(known.out).toMatch(/can be restored[\s\S]*checksums, counts and foreign keys are right[\s\S]*The keys here open its seal/)
    const elsewhere = { EVERGRANT_DATA_DIR: join(root, 'none'), EVERGRANT_MASTER_KEYS: '' }
    const without = await run(['backup', 'verify', file, '--identity-file', identity, '--json'], elsewhere)
    expect([without.code, json(without)]).toEqual([0, expect.objectContaining({ keys_missing: ['k1'], seal_opens: null })])
    const wrong = await run(['backup', 'verify', file, '--identity-file', identity], {
      EVERGRANT_MASTER_KEYS: `k1:${Buffer.alloc(32, 'another sixteen!').toString('base64')}`,
    })
    expect([wrong.code, wrong.out]).toEqual([1, expect.stringMatching(/DO NOT OPEN ITS SEAL/)])
  })

  test('is not made without a lock, beside the keys, over another, or for a secret', async () => {
    const refused = async (...args: readonly string[]): Promise<Ended> => {
      const before = readdirSync(out)
      const ended = await run(['backup', ...args])
      expect(readdirSync(out)).toEqual(before)
      return ended
    }
    expect(await refused('--to', join(out, 'x.age'))).toMatchObject({ code: 2, err: expect.stringMatching(/always encrypted.*keygen/) })
    expect(await refused('--to', join(data, 'x.age'), '--recipient', recipient)).toMatchObject({ code: 1, err: expect.stringMatching(/beside the database/) })
    expect(await refused('--to', await backup(), '--recipient', recipient)).toMatchObject({ code: 1, err: expect.stringMatching(/is there already/) })
    expect(await refused('--to', join(out, 'x.age'), '--recipient-file', identity)).toMatchObject({ code: 1, err: expect.stringMatching(/secret half/) })
    expect(await refused('--to', join(out, 'x.age'), '--recipient', recipient, '--keep', '2')).toMatchObject({
      code: 2,
      err: expect.stringMatching(/needs a folder/),
    })
    expect(await refused('--to', join(out, 'x.age'), '--recipient', recipient, '--keep', '0')).toMatchObject({ code: 2 })
    expect(await run(['backup', 'keygen', '--to', join(data, 'identity.txt')])).toMatchObject({
      code: 1,
      err: expect.stringMatching(/must not be able to read its own/),
    })
    expect(await run(['backup', 'keygen', '--to', identity])).toMatchObject({ code: 1, err: expect.stringMatching(/cannot be made/) })
    const empty = await run(['backup', '--to', join(out, 'x.age'), '--recipient', recipient], { EVERGRANT_DATA_DIR: join(root, 'empty') })
    expect(empty).toMatchObject({ code: 4, err: expect.stringMatching(/there is no database at/) })
  })

  test('leaves as many in its folder as were asked for', async () => {
    const folder = join(root, 'kept')
    mkdirSync(folder)
    for (const name of ['evergrant-20200101T000000Z.age', 'evergrant-20200102T000000Z.age', 'mine.age']) writeFileSync(join(folder, name), '')
    writeFileSync(join(root, 'recipients.txt'), `# the safe\n${recipient}\n`)
    const made = await run(['backup', '--to', folder, '--recipient-file', join(root, 'recipients.txt'), '--keep', '2', '--json'])
    expect(json(made).removed).toEqual(['evergrant-20200101T000000Z.age'])
    expect(readdirSync(folder)).toHaveLength(3)
  })
})

describe('a restore', () => {
  test('goes only where nothing is, and then says that it is a copy', async () => {
    const file = await backup()
    const before = readFileSync(join(data, 'evergrant.db'))
    expect(await run(['restore', file, '--identity-file', identity])).toMatchObject({
      code: 1,
      err: expect.stringMatching(/only restored where no database is.*evergrant\.db/),
    })
    expect(readFileSync(join(data, 'evergrant.db')).equals(before)).toBe(true)
    const other = { EVERGRANT_DATA_DIR: join(root, 'other') }
    const restored = await run(['restore', file, '--identity-file', identity], other)
    expect(restored.code, restored.err).toBe(0)
    expect(restored.out).toMatch(/Nothing that could cost a grant is presented yet\.[\s\S]*--as-original.*or --as-clone/)
    expect(statSync(join(root, 'other', 'evergrant.db')).mode & 0o777).toBe(0o600)
    const status = await run(['restore', 'status', '--json'], other)
    expect([status.code, json(status).trust, json(status).reason]).toEqual([1, 'cloned', expect.stringMatching(/restored from a backup of/)])
  })

  test('at its old place is older than it was, with or without anything to compare with', async () => {
    const file = await backup()
    for (const end of ['', '-wal', '-shm'])
      if (existsSync(join(data, `evergrant.db${end}`))) renameSync(join(data, `evergrant.db${end}`), join(root, `away${end}`))
    const restored = await run(['restore', file, '--identity-file', identity, '--json'])
    expect(json(restored)).toMatchObject({ trust: 'restored', ended: null, keys_missing: [] })
    expect(json(await run(['restore', 'status', '--json']))).toMatchObject({ trust: 'restored', behind: [] })
    expect((await run(['restore', 'confirm'])).code).toBe(0)
    expect((await run(['restore', 'status'])).code).toBe(0)
  })

  test('as a clone ends every grant in the copy before anybody can open it', async () => {
    const file = await backup()
    const clone = { EVERGRANT_DATA_DIR: join(root, 'clone') }
    const restored = await run(['restore', file, '--identity-file', identity, '--as-clone', '--json'], clone)
    expect([restored.code, json(restored)]).toEqual([0, expect.objectContaining({ trust: 'trusted', ended: 2 })])
    const copy = new DatabaseSync(join(root, 'clone', 'evergrant.db'))
    expect(copy.prepare("select count(*) as ended from connection where state = 'needs_reauth' and fault like '%grant_kept_elsewhere%'").get()).toEqual({
      ended: 2,
    })
    expect(copy.prepare('select trusted from lineage').get()).toEqual({ trusted: 'trusted' })
    expect(copy.prepare('select instance from lineage').get()).not.toEqual({ instance: 'instance-1' })
    copy.close()
  })

  test('says which keys are missing, and is refused for another identity or a file that others can read', async () => {
    const file = await backup()
    const bare = { EVERGRANT_DATA_DIR: join(root, 'bare'), EVERGRANT_MASTER_KEYS: '' }
    const restored = await run(['restore', file, '--identity-file', identity], bare)
    expect([restored.code, restored.out]).toEqual([1, expect.stringMatching(/needs master key k1[\s\S]*put the keys back before a server starts/)])
    const stranger = join(root, 'stranger.txt')
    await run(['backup', 'keygen', '--to', stranger])
    const target = { EVERGRANT_DATA_DIR: join(root, 'strange') }
    expect(await run(['restore', file, '--identity-file', stranger], target)).toMatchObject({
      code: 1,
      err: expect.stringMatching(/None of the identities opens/),
    })
    expect(await run(['restore', file], target)).toMatchObject({ code: 2, err: expect.stringMatching(/--identity-file/) })
    chmodSync(stranger, 0o644)
    expect(await run(['restore', file, '--identity-file', stranger], target)).toMatchObject({ code: 1, err: expect.stringMatching(/can be read by others/) })
    expect(readdirSync(join(root, 'strange')).filter((name) => !name.endsWith('.lock'))).toEqual([])
    const inline = await run(['restore', file, '--identity-file', identity, '--into', 'postgres://somebody:secret@127.0.0.1/x'])
    expect(inline).toMatchObject({ code: 2, err: expect.stringMatching(/does not belong on the command line/) })
    expect(inline.err).not.toMatch(/secret/)
  })
})

const { database, skip } = await freshDatabase()
const { database: second } = await freshDatabase()

describe.skipIf(database === null)(`over PostgreSQL${skip ?? ''}`, () => {
  const [url, target] = [database?.url ?? '', second?.url ?? '']
  afterAll(async () => {
    await database?.drop()
    await second?.drop()
  })

  test('a backup of the embedded database moves there, and one of it is a clone elsewhere', async () => {
    const moved = await run(['restore', await backup(), '--identity-file', identity, '--into', 'env:TARGET', '--json'], { TARGET: url })
    expect([moved.code, json(moved)]).toEqual([0, expect.objectContaining({ database: 'PostgreSQL', store: 'sqlite', trust: 'cloned' })])
    expect(await run(['restore', await backup(), '--identity-file', identity, '--into', 'env:TARGET'], { TARGET: url })).toMatchObject({
      code: 1,
      err: expect.stringMatching(/only restored into an empty database.*createdb/),
    })
    const made = await run(['backup', '--to', out, '--recipient', recipient, '--json'], { EVERGRANT_DATABASE_URL: url })
    expect([made.code, json(made)]).toEqual([0, expect.objectContaining({ store: 'postgres', seal_opens: true })])
    const cloned = await run(['restore', json(made).file, '--identity-file', identity, '--into', 'env:TARGET', '--as-clone', '--json'], { TARGET: target })
    expect(json(cloned)).toMatchObject({ trust: 'trusted', ended: 2 })
    const store = await openPostgresStore(target, options)
    expect(await store.organizations.bySlug('default')).toMatchObject({ name: 'Default' })
    await store.close()
  })
})
