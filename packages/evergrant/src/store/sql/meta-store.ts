import type { Meta } from '../contract.ts'
import { type Database, type Program, row, run } from './program.ts'
import { bytes } from './rows.ts'

function* get(name: string): Program<Uint8Array | undefined> {
  const found = yield* row('select value from meta where name = ?', name)
  return found === undefined ? undefined : bytes(found, 'value')
}

function* putIfAbsent(name: string, value: Uint8Array): Program<Uint8Array> {
  yield* run('insert into meta (name, value) values (?, ?) on conflict do nothing', name, value)
  return (yield* get(name)) ?? value
}

export function metaStore(database: Database): Meta {
  return {
    get: (name) => database.read(() => get(name)),
    putIfAbsent: (name, value) => database.write(() => putIfAbsent(name, value)),
    put: async (name, value) => {
      await database.write(() => run('insert into meta (name, value) values (?, ?) on conflict (name) do update set value = excluded.value', name, value))
    },
  }
}
