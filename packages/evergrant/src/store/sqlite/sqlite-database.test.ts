import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { systemClock } from '../../system.ts'
import { run } from '../sql/program.ts'
import { SqliteDatabase } from './sqlite-database.ts'

/** A file whose next commit ends as if the disk had answered so. */
class FailingFile extends DatabaseSync {
  failWith: number | null = null

  override prepare(sql: string): StatementSync {
    const statement = super.prepare(sql)
    if (sql !== 'commit') return statement
    return new Proxy(statement, {
      get: (target, name) => {
        if (name !== 'run') return Reflect.get(target, name)
        return () => {
          if (this.failWith === null) return target.run()
          throw Object.assign(new Error('disk I/O error'), { errcode: this.failWith })
        }
      },
    })
  }
}

function opened() {
  const file = new FailingFile(':memory:')
  file.exec('create table thing (name text primary key)')
  const lost: Error[] = []
  const database = new SqliteDatabase(
    file,
    systemClock,
    () => {},
    (error) => lost.push(error),
  )
  const add = (name: string) => database.write(() => run('insert into thing values (?)', name))
  return { file, lost, database, add }
}

const FSYNC = 1034
const WRITE = 778
const FULL = 13

test.each([FSYNC, 1290])('after a failed sync (%i) nothing is tried on this file again, and it is told once', async (code) => {
  const { file, lost, database, add } = opened()
  await add('before')
  file.failWith = code
  const together = await Promise.allSettled([add('one'), add('two')])
  expect(together.map((outcome) => outcome.status)).toEqual(['rejected', 'rejected'])
  file.failWith = null
  const refused = { code: 'store_unavailable', message: expect.stringMatching(/must be started again/) }
  await expect(add('three')).rejects.toMatchObject(refused)
  await expect(database.read(() => run('select 1'))).rejects.toMatchObject(refused)
  expect(lost).toHaveLength(1)
  expect(lost[0]).toMatchObject({ code: 'store_unavailable', message: expect.stringMatching(/disk failed to keep a write/) })
  expect(file.prepare('select name from thing').all()).toEqual([{ name: 'before' }])
})

test('what waits behind the batch whose sync failed is refused with it, not left waiting', async () => {
  const { file, add } = opened()
  file.failWith = FSYNC
  const many = await Promise.allSettled(Array.from({ length: 600 }, (_, index) => add(`row ${index}`)))
  expect(many.filter((outcome) => outcome.status === 'rejected')).toHaveLength(600)
})

test.each([WRITE, FULL])('a disk that is full or refuses a write (%i) loses nothing: the next try may succeed', async (code) => {
  const { file, lost, add } = opened()
  file.failWith = code
  await expect(add('one')).rejects.toMatchObject({ code: 'store_unavailable' })
  file.failWith = null
  await add('one')
  expect([lost, file.prepare('select name from thing').all()]).toEqual([[], [{ name: 'one' }]])
})
