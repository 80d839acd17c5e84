import { describe, expect, test } from 'vitest'
import { type Breach, breachesOf, statementsOf } from '../../testing/additive-migrations.ts'
import { MIGRATIONS } from './index.ts'
import { type Migration, portable } from './migration.ts'

/**
 * What a step does beyond adding, and why nodes of the version before bear it. An entry that is not needed any more fails. An index over rows that
 * are there keeps writers waiting while it is built, about a second for a million rows on PostgreSQL: from the first release on, such a step needs its figure here.
 */
const BEFORE_THE_FIRST_RELEASE = 'no version before it was ever released: it only runs on empty databases'
const KEPT_BY_THE_DATABASE = 'reads the row that is written and fills a table that the version before does not know'
const indexes = (version: number, ...names: readonly string[]) =>
  names.map((about) => ({ version, rule: 'blocks' as const, about, why: BEFORE_THE_FIRST_RELEASE }))
const triggers = (version: number, ...names: readonly string[]) => names.map((about) => ({ version, rule: 'acts' as const, about, why: KEPT_BY_THE_DATABASE }))
const ALLOWED: readonly (Breach & { readonly why: string })[] = [
  ...indexes(5, 'health_leased (again)'),
  ...indexes(7, 'health_warn'),
  ...indexes(9, 'connection_attention', 'credential_suspect', 'health_failing'),
  ...indexes(10, 'answer_cut'),
  ...indexes(12, 'event_drift'),
  ...indexes(18, 'connect_session_of_owner', 'connection_of_owner', 'event_of_owner', 'event_session_opened'),
  ...indexes(18, 'imported_grant_of_connection', 'push_notice_account'),
  ...indexes(21, 'connect_session_connection', 'connection_account_prefix', 'connection_fault', 'connection_owner_prefix'),
  ...indexes(21, 'connection_shown', 'connection_state', 'connection_tally', 'event_notable', 'health_ends', 'revocation_of'),
  ...triggers(21, 'connection_tags_changed', 'connection_tags_made'),
  ...triggers(22, 'event_noted'),
]

const step = (version: number, up: string, down = ''): Migration => ({ version, name: 'step', up: portable(up), down: portable(down) })
const FIRST = step(1, 'create table thing (id text primary key); create index thing_id on thing (id);', 'drop table thing;')
const told = (up: string, down = '') => breachesOf([FIRST, step(2, up, down)]).map(({ rule, about }) => `${rule}: ${about}`)

test('every step adds, has a way back, and says by name where it does more', () => {
  const named = ({ version, rule, about }: Breach): string => `${version} ${rule}: ${about}`
  expect(breachesOf(MIGRATIONS).map(named).sort()).toEqual(ALLOWED.map(named).sort())
})

test('versions are numbered without a gap, and none says that it works for a newer program than the one before it', () => {
  expect(MIGRATIONS.map(({ version }) => version)).toEqual(MIGRATIONS.map((_, index) => index + 1))
  for (const { version, worksFrom = 0 } of MIGRATIONS) expect(worksFrom).toBeLessThan(version)
})

describe('the reader sees', () => {
  test.each([
    ['a dropped table', 'drop table thing;', 'removes: table thing'],
    ['a dropped column', 'alter table thing drop column id;', 'removes: thing drop column id'],
    ['a renamed column', 'alter table thing rename column id to name;', 'removes: thing rename column id to name'],
    ['another type', 'alter table thing alter column id type bigint;', 'removes: thing alter column id type bigint'],
    ['an index that goes', 'drop index thing_id;', 'removes: thing_id'],
    ['a function that means something else', 'create or replace function now_ms() returns bigint as $$ select 1; $$;', 'removes: function now_ms'],
    ['a column that must be given', 'alter table thing add column a text not null;', 'refuses: thing.a'],
    ['a column that is checked', "alter table thing add column a text check (a in ('x'));", 'refuses: thing.a'],
    ['a column that refers to another table', 'alter table thing add column a text references thing (id);', 'refuses: thing.a'],
    ['rows that may not repeat any more', 'create unique index one on thing (id);', 'refuses: one'],
    ['an index over rows that are there', 'create index some on thing (id);', 'blocks: some'],
    ['a trigger on what is written already', 'create trigger t after insert on thing begin delete from other; end;', 'acts: t'],
    ['rows that are changed', "update thing set id = 'a';", 'acts: thing'],
    ['rows that are deleted', 'delete from thing;', 'acts: thing'],
    ['a statement that it cannot read', 'vacuum;', 'unread: vacuum'],
  ])('%s', (_what, up, expected) => {
    expect(told(up)).toContain(expected)
  })

  test.each([
    ['a table', 'create table other (id text);', 'no way back: table other'],
    ['an index', 'create index some on thing (id);', 'no way back: index some'],
    ['a column', 'alter table thing add column a text;', 'no way back: column thing.a'],
    ['a trigger', 'create trigger t after insert on thing begin delete from other; end;', 'no way back: trigger t'],
  ])('that %s is left by the way back', (_what, up, expected) => {
    expect(told(up)).toContain(expected)
  })

  test('nothing in a new table, a column with a default, or one that may be empty', () => {
    const up =
      "create table other (id text); create unique index o on other (id); alter table thing add column a text not null default ''; alter table thing add column b $int;"
    expect(told(up, 'alter table thing drop column b; alter table thing drop column a; drop table other;')).toEqual([])
  })
})

test('a body with semicolons is one statement', () => {
  expect(statementsOf('create function f() as $$ begin; a; end $$; drop table x;')).toHaveLength(2)
  expect(statementsOf('create trigger t after insert on x begin a; b; end; drop table x;')).toHaveLength(2)
})
