import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { refuseClosedFolder, refuseForeignFolder } from './foreign-folder.ts'

const ROOT = 0
const SERVER = { uid: 61_184, gid: 61_184 }
const owners = (given: Readonly<Record<string, { readonly uid: number; readonly gid: number }>>) => (path: string) => given[path] ?? null

test('root makes nothing in the folder of the user of the server, and is told how to run the command as that user', () => {
  const refused = () => refuseForeignFolder({ dataDir: '/d' }, ROOT, owners({ '/d': SERVER, '/d/evergrant.db': SERVER }))
  expect(refused).toThrow(/\/d belongs to user 61184, and you are root.*setpriv --reuid=61184 --regid=61184 --clear-groups/)
  // Before the first start there is the folder alone.
  expect(() => refuseForeignFolder({ dataDir: '/d' }, ROOT, owners({ '/d': SERVER }))).toThrow(/61184/)
  // A node on PostgreSQL has its id there, and its journal.
  expect(() => refuseForeignFolder({ dataDir: '/d' }, ROOT, owners({ '/d': { uid: 0, gid: 0 }, '/d/node-id': SERVER }))).toThrow(/61184/)
})

test('root goes on where root runs the server, in a folder of somebody else, too, and where nothing is yet', () => {
  const root = { uid: 0, gid: 0 }
  for (const given of [{}, { '/d': root, '/d/evergrant.db': root }, { '/d': SERVER, '/d/evergrant.db': root }])
    expect(() => refuseForeignFolder({ dataDir: '/d' }, ROOT, owners(given))).not.toThrow()
})

test('whoever is not root goes on: what they may not write the system refuses', () => {
  const given = owners({ '/d': SERVER, '/d/evergrant.db': SERVER })
  for (const user of [SERVER.uid, 1_000]) expect(() => refuseForeignFolder({ dataDir: '/d' }, user, given)).not.toThrow()
})

test('who runs this goes on in a folder of their own', () => {
  const folder = mkdtempSync(join(tmpdir(), 'evergrant-own-'))
  try {
    expect(() => refuseForeignFolder({ dataDir: folder })).not.toThrow()
    expect(() => refuseForeignFolder({ dataDir: join(folder, 'nothing') })).not.toThrow()
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('a folder that this user may not enter is not taken for an empty one; what is not there, and what is a file, is for others to tell', () => {
  const refused = (code: string) => () => {
    throw Object.assign(new Error(code), { code })
  }
  expect(() => refuseClosedFolder({ dataDir: '/d' }, refused('EACCES'))).toThrow(/^\/d is closed to this user.*run the command as the user of the server/)
  expect(() => refuseClosedFolder({ dataDir: '/d' }, refused('ENOENT'))).not.toThrow()
  const folder = mkdtempSync(join(tmpdir(), 'evergrant-entered-'))
  try {
    writeFileSync(join(folder, 'a-file'), '')
    for (const dataDir of [folder, join(folder, 'nothing'), join(folder, 'a-file')]) expect(() => refuseClosedFolder({ dataDir })).not.toThrow()
  } finally {
    rmSync(folder, { recursive: true })
  }
})
