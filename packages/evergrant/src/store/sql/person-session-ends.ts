import type { OrganizationId, SessionId, UserId } from '../../core/ids.ts'
import type { SessionEnd } from '../../core/session/session.ts'
import type { Instant } from '../../core/time.ts'
import { changed, type Dialect, type Program, type Row, rows, run } from './program.ts'
import { integer, text, textOrNull } from './rows.ts'

interface Ending {
  readonly end: SessionEnd
  readonly at: Instant
}

/** Whose sessions end. `organization` null: in every one. */
interface Ended {
  readonly user: UserId
  readonly organization: OrganizationId | null
  /** Left out, with its branches. */
  readonly except: SessionId | null
}

/**
 * Ends the branches of sessions that have just ended, and theirs. Level by level, each looked for after the level above was written: whoever opens a
 * branch locks its parent first, so it is found here or finds its parent ended.
 */
export function* endBranches(dialect: Dialect, parents: readonly SessionId[], ending: Ending): Program<void> {
  let level: readonly SessionId[] = parents
  while (level.length > 0) {
    const found = yield* rows(
      `select s.id from session s where ${dialect.among('s.parent_id')} and s.revoked_at is null order by s.id ${dialect.forUpdate('s')}`,
      JSON.stringify(level),
    )
    level = found.map((branch) => text(branch, 'id') as SessionId)
    yield* endRows(dialect, level, ending)
  }
}

export function* endRows(dialect: Dialect, ids: readonly SessionId[], { end, at }: Ending): Program<void> {
  if (ids.length === 0) return
  yield* run(`update session set revoked_at = ?, ended = ?, look_at = ? where revoked_at is null and ${dialect.among('id')}`, at, end, at, JSON.stringify(ids))
  for (const session of ids) yield* changed({ kind: 'session', session })
}

/** Returns those that were live. Those past their lifetime end, too: a clock that was ahead may come back. */
export function* endOfUser(dialect: Dialect, whose: Ended, ending: Ending): Program<readonly SessionId[]> {
  const live: SessionId[] = []
  // Once more while it finds some: a branch that was being opened is seen when its parent's lock is ours.
  for (;;) {
    const open = yield* rows(
      `select s.id, s.parent_id, s.organization_id, s.idle_expires_at, s.expires_at, now_ms() as now from session s
       where s.user_id = ? and s.revoked_at is null order by s.id ${dialect.forUpdate('s')}`,
      whose.user,
    )
    const leaving = chosen(open, whose)
    if (leaving.length === 0) return live
    yield* endRows(dialect, leaving.map(idOf), ending)
    live.push(...leaving.filter(isLive).map(idOf))
  }
}

function isLive(row: Row): boolean {
  return integer(row, 'idle_expires_at') > integer(row, 'now') && integer(row, 'expires_at') > integer(row, 'now')
}

/** Those of the organization with their branches, wherever these are; never `except` and its branches, even below one that ends. */
function chosen(open: readonly Row[], { organization, except }: Ended): readonly Row[] {
  const kept = except === null ? new Set<string>() : withBranches(open, [except], new Set())
  const own = open.filter((row) => organization === null || text(row, 'organization_id') === organization)
  const ended = withBranches(open, own.map(idOf), kept)
  return open.filter((row) => ended.has(idOf(row)))
}

function withBranches(open: readonly Row[], roots: readonly SessionId[], without: ReadonlySet<string>): ReadonlySet<string> {
  const found = new Set<string>(roots.filter((id) => !without.has(id)))
  for (let before = -1; before !== found.size; ) {
    before = found.size
    for (const row of open) if (found.has(textOrNull(row, 'parent_id') ?? '') && !without.has(idOf(row))) found.add(idOf(row))
  }
  return found
}

const idOf = (row: Row): SessionId => text(row, 'id') as SessionId
