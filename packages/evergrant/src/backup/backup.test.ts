// A backup as a file: what is written can be read, and nothing else can.
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CellRow, DatabaseCopy, Snapshot, TableShape } from '../core/backup/database-copy.ts'
import { destinationOf, openBackupFile, outlived, removeOld, writeBackupFile } from './backup-file.ts'
import { decrypted, encrypted, entriesOf, newIdentity, type Opener, type Readers, readIdentities, readPassphrase, readRecipients } from './envelope.ts'
import { LineSplitter } from './line-splitter.ts'
import { readBackup } from './read-backup.ts'
import { restoredTrust } from './restored-trust.ts'
import { backupBytes } from './write-backup.ts'

const TABLES: readonly TableShape[] = [
  {
    name: 'person',
    columns: [
      { name: 'id', kind: 'text' },
      { name: 'made', kind: 'integer' },
      { name: 'secret', kind: 'blob' },
    ],
  },
  { name: 'empty', columns: [{ name: 'id', kind: 'text' }] },
  { name: 'thing', columns: [{ name: 'name', kind: 'text' }] },
]
const ROWS: Readonly<Record<string, readonly CellRow[]>> = {
  person: [
    ['usr_1', 1, Uint8Array.from([1, 2, 0x6b, 0x31])],
    ['usr_2 "quoted"\n', null, null],
    ['usr_3 ü\u2028', Number.MAX_SAFE_INTEGER, new Uint8Array(0)],
  ],
  empty: [],
  thing: [['one'], ['two']],
}
const LINEAGE = { instance: 'instance-1', era: 2, home: { id: 'home-1', name: 'evergrant.db', timeline: null } }

function snapshot(rows = ROWS): Snapshot {
  return {
    facts: { store: 'sqlite', madeAt: 1_763_760_000_000, schema: [1, 2], lineage: LINEAGE },
    tables: TABLES,
    rows: async function* ({ name }) {
      for (const row of rows[name] ?? []) yield [row]
    },
    close: async () => {},
  }
}

/** A database that only counts. */
class Counting implements DatabaseCopy {
  readonly known = [1, 2]
  readonly taken: Record<string, CellRow[]> = {}
  readonly found: readonly string[]
  constructor(found: readonly string[] = []) {
    this.found = found
  }
  begin = async () => TABLES
  insert = async ({ name }: TableShape, rows: readonly CellRow[]) => {
    this.taken[name] = [...(this.taken[name] ?? []), ...rows]
  }
  count = async ({ name }: TableShape) => this.taken[name]?.length ?? 0
  flaws = async () => this.found
  meta = async () => undefined
  home = async () => null
  commit = async () => {}
  abandon = async () => {}
}

async function* of(...parts: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield typeof part === 'string' ? Buffer.from(part) : part
}

async function gathered(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const part of bytes) parts.push(part)
  return Buffer.concat(parts)
}

const plain = () => gathered(backupBytes({ snapshot: snapshot(), program: '9.9.9', keyIdOf: (value) => (value[0] === 1 ? 'k1' : null) }))

let text: string
let lines: readonly string[]
beforeAll(async () => {
  text = (await plain()).toString()
  lines = text.trimEnd().split('\n')
})

/** The sentence that a changed backup is refused with. */
const refusal = (changed: string | Uint8Array, copy: DatabaseCopy = new Counting()): Promise<string> =>
  readBackup(of(changed), copy).then(
    () => 'taken',
    (error: unknown) => (error instanceof Error && error.name === 'BackupError' ? error.message : `no BackupError: ${String(error)}`),
  )

describe('what is written', () => {
  test('is read again, every value of it, in portions of any size', async () => {
    for (const size of [1, 7, 64, text.length]) {
      const copy = new Counting()
      const bytes = Buffer.from(text)
      const parts = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => bytes.subarray(at * size, (at + 1) * size))
      const { header, end, rows } = await readBackup(of(...parts), copy)
      expect(copy.taken).toEqual({ person: ROWS['person'], thing: ROWS['thing'] })
      expect(rows).toEqual({ person: 3, empty: 0, thing: 2 })
      expect(end).toMatchObject({ tables: 3, rows: 5, keys: ['k1'] })
      expect(header).toMatchObject({ program: '9.9.9', schema: [1, 2], lineage: LINEAGE })
    }
  })

  test('names in its first line what it is, and has no more than the parts', () => {
    expect(JSON.parse(lines[0]!)).toMatchObject({ evergrant_backup: 1, made_at: 1_763_760_000_000, tables: 3 })
    expect(lines.filter((line) => line.startsWith('{')).map((line) => Object.keys(JSON.parse(line))[0])).toEqual([
      'evergrant_backup',
      'table',
      'end',
      'table',
      'end',
      'table',
      'end',
      'complete',
    ])
  })
})

describe('a backup that is not as it was written', () => {
  test('is refused wherever it is cut off', async () => {
    const cuts = new Set([0, 1, 10, ...Array.from(text, (character, at) => (character === '\n' ? [at, at + 1] : [])).flat(), text.length - 1])
    cuts.delete(text.length)
    for (const cut of cuts) expect(await refusal(text.slice(0, cut)), `cut at ${cut}`).toMatch(/cut off|is empty/)
  })

  test('is refused whatever bit is turned', async () => {
    const bytes = Buffer.from(text)
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes)
      changed[at] = bytes[at]! ^ (1 << (at % 7))
      expect(await refusal(changed), `byte ${at}`).not.toBe('taken')
    }
  })

  test('is refused when something follows its end, is missing, or stands twice', async () => {
    expect(await refusal(`${text}[1]\n`)).toMatch(/follows the end/)
    for (let at = 0; at < lines.length; at += 1) {
      expect(await refusal(`${lines.filter((_, other) => other !== at).join('\n')}\n`), `without line ${at}`).not.toBe('taken')
      expect(await refusal(`${lines.flatMap((line, other) => (other === at ? [line, line] : [line])).join('\n')}\n`), `line ${at} twice`).not.toBe('taken')
    }
  })

  test('is refused with the remedy when it is of another format or of a newer schema', async () => {
    expect(await refusal(text.replace('"evergrant_backup":1', '"evergrant_backup":2'))).toBe(
      'This backup is of format 2, and this version reads format 1: restore it with the version that wrote it (9.9.9), or a newer one.',
    )
    expect(await refusal(text.replace('"schema":[1,2]', '"schema":[1,2,77]'))).toBe(
      'The backup has schema 77, which this version does not know (it knows 2): restore it with Evergrant 9.9.9 or newer.',
    )
    expect(await refusal('SQLite format 3\0\n')).toMatch(/not a backup of Evergrant/)
  })

  test('cannot name a table or a column that the schema lacks', async () => {
    for (const name of ['../../etc/passwd', 'person"; drop table person; --', 'sqlite_schema', 'schema_migration', '__proto__', 'constructor']) {
      const copy = new Counting()
      expect(await refusal(text.replace('{"table":"person"', `{"table":${JSON.stringify(name)}`), copy), name).toMatch(/the order of its tables/)
      expect(copy.taken).toEqual({})
    }
    expect(await refusal(text.replace('["id","made","secret"]', '["id","made","secret\\" from x --"]'))).toMatch(/the columns of person/)
  })

  test('cannot put a value of another kind into a column', async () => {
    for (const row of [
      '["a","1",null]',
      '["a",1.5,null]',
      '["a",1e300,null]',
      '[1,1,null]',
      '["a",1,"no base64!"]',
      '["a",1,"QQ"]',
      '["a",1,{"a":1}]',
      '["a",1]',
      '["a",1,null,1]',
    ])
      expect(await refusal(text.replace(lines[2]!, row)), row).toMatch(/The backup is damaged: a (value|row) of person/)
    expect(await refusal(text.replace(lines[2]!, '['.repeat(50_000)))).toMatch(/damaged/)
  })

  test('is refused when its lines are right and do not hold together', async () => {
    expect(await refusal(text, new Counting(['3 rows of thing name a row of person that is not there']))).toMatch(/does not hold together: 3 rows of thing/)
    const losing = new Counting()
    losing.count = async () => 2
    expect(await refusal(text, losing)).toMatch(/person has 2 rows after the restore, and 3 in the backup/)
  })

  test('is never held in memory as one endless line', () => {
    const splitter = new LineSplitter(10)
    expect(splitter.push(Buffer.from('12345\n12345'))).toHaveLength(1)
    expect(() => splitter.push(Buffer.from('678901'))).toThrow(/a line of more than 10 bytes/)
  })
})

describe('the envelope', () => {
  let readers: Readers
  let opener: Opener
  let sealed: Buffer
  beforeAll(async () => {
    const { identity, recipient } = await newIdentity()
    readers = readRecipients([recipient])
    opener = readIdentities(entriesOf(`# recipient: ${recipient}\n\n${identity}\r\n`))
    sealed = await gathered(await encrypted(of(Buffer.alloc(200_000, 7)), readers))
  })

  const opened = (bytes: Uint8Array, by = opener): Promise<string> =>
    gathered(decrypted(of(bytes), bytes.subarray(0, 65_536), by)).then(
      (plaintext) => `${plaintext.length} bytes`,
      (error: unknown) => (error instanceof Error && error.name === 'BackupError' ? error.message : `no BackupError: ${String(error)}`),
    )

  test('opens for the holder of the identity, and for nobody else', async () => {
    expect(await opened(sealed)).toBe('200000 bytes')
    expect(await opened(sealed, readIdentities([(await newIdentity()).identity]))).toMatch(/None of the identities opens this file/)
    expect(await opened(sealed, readPassphrase('a passphrase of some length'))).toMatch(/made for a recipient \(--identity-file\)/)
    expect(sealed.includes(Buffer.alloc(32, 7))).toBe(false)
  })

  test('opens with its passphrase, and with no other', async () => {
    const locked = await gathered(await encrypted(of('content'), { ...readPassphrase('correct horse battery staple\n'), work: 12 }))
    expect(await opened(locked, readPassphrase('correct horse battery staple'))).toBe('7 bytes')
    expect(await opened(locked, readPassphrase('another horse battery staple'))).toMatch(/The passphrase does not open this file/)
  })

  test('is refused cut off at every boundary, and with any bit of it turned', async () => {
    const head = sealed.indexOf('\n--- ')
    for (const cut of [0, 5, 22, head, head + 40, head + 64, 65_536, 65_552 + head, 131_000, 200_000, sealed.length - 1])
      expect(await opened(sealed.subarray(0, cut)), `cut at ${cut}`).toMatch(/no encrypted backup|damaged|cut off/)
    for (let at = 0; at < sealed.length; at += at < 400 ? 3 : 19_997) {
      const changed = Buffer.from(sealed)
      changed[at] = sealed[at]! ^ 1
      expect(await opened(changed), `byte ${at}`).toMatch(/no encrypted backup|damaged|altered|None of the identities/)
    }
    expect(await opened(Buffer.concat([sealed, Buffer.from('x')]))).toMatch(/altered or cut off/)
  })

  test('is told from other files by its first bytes, and its head has a limit', async () => {
    expect(await opened(Buffer.from('{"evergrant_backup":1}\n'))).toMatch(/no encrypted backup/)
    expect(await opened(Buffer.from('-----BEGIN AGE ENCRYPTED FILE-----\n'))).toMatch(/armored/)
    expect(await opened(Buffer.from(`age-encryption.org/v1\n${'-> X25519 a\nYQ\n'.repeat(20_000)}`))).toMatch(/head of this file is damaged/)
  })

  test('takes no secret for a recipient, and no short passphrase', async () => {
    const { identity } = await newIdentity()
    expect(() => readRecipients([identity])).toThrow(/secret half of a pair/)
    expect(() => readRecipients([identity])).not.toThrow(new RegExp(identity.slice(20)))
    expect(() => readRecipients([])).toThrow(/no recipient/)
    expect(() => readRecipients(['age1nonsense'])).toThrow(/is no recipient/)
    expect(() => readIdentities(['AGE-SECRET-KEY-1NONSENSE'])).toThrow(/no identity/)
    expect(() => readPassphrase('short')).toThrow(/fewer than 16/)
  })
})

describe('the file', () => {
  const root = mkdtempSync(join(tmpdir(), 'evergrant-backup-'))
  const data = join(root, 'data')
  const out = join(root, 'out')
  mkdirSync(data)
  mkdirSync(out)
  afterAll(() => rmSync(root, { recursive: true, force: true }))
  const AT = Date.parse('2026-11-21T10:20:30.456Z')

  test('is private, complete or not there', async () => {
    const path = join(out, 'one.age')
    expect(await writeBackupFile(path, of('a', 'bc'))).toEqual({ bytes: 3, sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad' })
    expect([readFileSync(path, 'utf8'), statSync(path).mode & 0o777]).toEqual(['abc', 0o600])
    const failing = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from('a')
      throw new Error('the database went away')
    }
    await expect(writeBackupFile(join(out, 'two.age'), failing())).rejects.toThrow('the database went away')
    expect(readdirSync(out)).toEqual(['one.age'])
    writeFileSync(join(out, 'three.age.part'), '')
    await expect(writeBackupFile(join(out, 'three.age'), of('a'))).rejects.toThrow(/was interrupted and left it/)
    rmSync(join(out, 'three.age.part'))
  })

  test('never takes the place of another, and never lies beside the keys', async () => {
    expect(await destinationOf(join(out, 'new.age'), AT, data)).toEqual({ path: join(out, 'new.age'), folder: null })
    expect(await destinationOf(out, AT, data)).toEqual({ path: join(out, 'evergrant-20261121T102030Z.age'), folder: out })
    symlinkSync(data, join(root, 'alias'))
    mkdirSync(join(data, 'backups'))
    for (const to of [data, join(data, 'backups'), join(data, 'x.age'), join(root, 'alias'), join(root, 'alias', 'x.age'), join(out, '..', 'data', 'x.age')])
      await expect(destinationOf(to, AT, data), to).rejects.toThrow(/beside the database and its keys/)
    await expect(destinationOf(join(out, 'one.age'), AT, data)).rejects.toThrow(/is a file that is there already/)
    await expect(destinationOf(join(root, 'nowhere', 'x.age'), AT, data)).rejects.toThrow(/There is no folder/)
    await expect(destinationOf(`${join(root, 'nowhere')}/`, AT, data)).rejects.toThrow(/There is no folder/)
  })

  test('a folder that is not there is not taken for the name of a file, which every later night would refuse', async () => {
    await expect(destinationOf(join(out, 'nightly'), AT, data)).rejects.toThrow(/There is no folder .*nightly: make it first.*a name that ends with \.age/)
    expect(await destinationOf(join(out, 'nightly.age'), AT, data)).toEqual({ path: join(out, 'nightly.age'), folder: null })
  })

  test('is read only where it is an ordinary one', async () => {
    await expect(openBackupFile('/dev/zero')).rejects.toThrow(/is no file/)
    await expect(openBackupFile(out)).rejects.toThrow(/is no file/)
    await expect(openBackupFile(join(out, 'missing.age'))).rejects.toThrow(/cannot be read/)
    const { head } = await openBackupFile(join(out, 'one.age'))
    expect(Buffer.from(head).toString()).toBe('abc')
    truncateSync(join(out, 'one.age'), 0)
    expect(Buffer.from((await openBackupFile(join(out, 'one.age'))).head).toString()).toBe('')
  })

  test('goes when enough newer ones are there; other names stay', async () => {
    const folder = join(root, 'many')
    mkdirSync(folder)
    const days = [1, 2, 3, 4].map((day) => `evergrant-2026110${day}T000000Z.age`)
    const others = ['evergrant-20261101T000000Z.age.txt', 'notes.txt', 'evergrant-old.age', 'evergrant-20261104T000001Z.age.part']
    for (const name of [...days, ...others, 'evergrant-20261101T120000Z.age.part']) writeFileSync(join(folder, name), '')
    mkdirSync(join(folder, 'evergrant-20261001T000000Z.age'))
    expect(outlived(days, 4)).toEqual([])
    expect(await removeOld(folder, 2)).toEqual([days[0], 'evergrant-20261101T120000Z.age.part', days[1]])
    expect(readdirSync(folder).sort()).toEqual([...others, days[2], days[3], 'evergrant-20261001T000000Z.age'].sort())
    chmodSync(folder, 0o700)
  })
})

test('a restored database is older at its own place, a copy at every other, and nothing where it never served', () => {
  const facts = { store: 'sqlite', madeAt: 1_763_760_000_000, schema: [1], lineage: LINEAGE } as const
  expect(restoredTrust(facts, LINEAGE.home)).toEqual({ trusted: 'restored', reason: 'restored from a backup of 2025-11-21T21:20:00.000Z' })
  expect(restoredTrust(facts, { ...LINEAGE.home, id: 'home-2' })).toMatchObject({ trusted: 'cloned' })
  expect(restoredTrust(facts, null)).toMatchObject({ trusted: 'cloned', reason: expect.stringMatching(/into an unknown place/) })
  expect(restoredTrust({ ...facts, lineage: { ...LINEAGE, home: null } }, LINEAGE.home)).toMatchObject({ trusted: 'cloned' })
  expect(restoredTrust({ ...facts, lineage: null }, LINEAGE.home)).toBe(null)
})
