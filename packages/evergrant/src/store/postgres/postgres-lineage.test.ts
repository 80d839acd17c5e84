import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freshDatabase } from '../../../../../tests/fresh-database.ts'
import { systemClock, systemTimers } from '../../system.ts'
import type { Store } from '../contract.ts'
import { openPostgresStore } from './postgres-store.ts'

const { database, skip } = await freshDatabase()
const url = database?.url ?? 'postgres://none/none'
const name = new URL(url).pathname.slice(1)
const options = { clock: systemClock, timers: systemTimers, migrate: true }
const urlOf = (other: string, role?: string): string => {
  const target = Object.assign(new URL(url), { pathname: `/${other}` })
  if (role !== undefined) Object.assign(target, { username: role, password: role })
  return target.href
}

async function admin(...statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: urlOf('postgres') })
  await client.connect()
  try {
    for (const statement of statements) await client.query(statement)
  } finally {
    await client.end()
  }
}

describe.skipIf(database === null)(`where a PostgreSQL database is${skip ?? ''}`, () => {
  const [copy, renamed, role] = [`${name}_copy`, `${name}_renamed`, `${name}_plain`]
  let store: Store
  const opened: Store[] = []
  const open = async (target: string): Promise<Store> => {
    const other = await openPostgresStore(target, options)
    opened.push(other)
    return other
  }
  beforeAll(async () => {
    store = await openPostgresStore(url, options)
  })
  afterAll(async () => {
    await store?.close()
    await Promise.all(opened.map((other) => other.close()))
    await admin(`drop database if exists ${copy} with (force)`, `drop database if exists ${renamed} with (force)`)
    await database?.drop()
    await admin(`drop role if exists ${role}`)
  })

  test('is the same for every node, names the database, and has a timeline', async () => {
    const home = await store.lineages.whereabouts()
    expect(home).toMatchObject({ name, timeline: 1 })
    expect(home?.id).toMatch(/^\d+\/\d+$/)
    expect(await (await open(url)).lineages.whereabouts()).toEqual(home)
  })

  test('is another place for a copy on the same server', async () => {
    await admin(`create database ${copy}`)
    const [here, there] = [await store.lineages.whereabouts(), await (await open(urlOf(copy))).lineages.whereabouts()]
    expect(there?.name).toBe(copy)
    expect(there?.id).not.toBe(here?.id)
    expect(there?.id.split('/')[0]).toBe(here?.id.split('/')[0])
  })

  test('is the same place after the database was renamed', async () => {
    const other = opened.pop()
    const before = await other?.lineages.whereabouts()
    await other?.close()
    await admin(`alter database ${copy} rename to ${renamed}`)
    expect(await (await open(urlOf(renamed))).lineages.whereabouts()).toEqual({ ...before, name: renamed })
  })

  test('is told to a role without privileges, too; and to one that may not ask, it is unknown', async () => {
    await admin(`create role ${role} login password '${role}'`, `grant all on database ${name} to ${role}`)
    const inside = new pg.Client({ connectionString: url })
    await inside.connect()
    await inside.query(`grant all on all tables in schema public to ${role}; grant usage, create on schema public to ${role}`)
    const plain = await openPostgresStore(urlOf(name, role), { ...options, migrate: false })
    try {
      expect(await plain.lineages.whereabouts()).toEqual(await store.lineages.whereabouts())
      await inside.query('revoke execute on function pg_control_system() from public')
      expect(await plain.lineages.whereabouts()).toBe(null)
    } finally {
      await plain.close()
      await inside.query(`drop owned by ${role}`)
      await inside.end()
    }
  })
})
