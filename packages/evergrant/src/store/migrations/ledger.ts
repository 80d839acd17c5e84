import { Fault } from '../../core/fault/fault.ts'
import type { MigrationStatus } from '../contract.ts'
import { MIGRATIONS } from './index.ts'
import type { Migration } from './migration.ts'

/** A step as the database remembers it. */
export interface AppliedStep {
  readonly version: number
  readonly name: string
  readonly appliedAt: number
  /** The oldest program that can go on with it; null: its program did not say. */
  readonly worksFrom: number | null
}

export const NEWER_BUT_BEARABLE = 'a newer version has migrated the database; this version can go on with it'

const OWN_LAST = Math.max(...MIGRATIONS.map(({ version }) => version))

export function stepsMissing(applied: readonly AppliedStep[]): readonly Migration[] {
  const done = new Set(applied.map(({ version }) => version))
  return MIGRATIONS.filter(({ version }) => !done.has(version))
}

/** Steps that this program does not know, by whether it can go on with them all the same. */
export function newerSteps(
  applied: readonly AppliedStep[],
  own: number = OWN_LAST,
): { readonly refused: readonly number[]; readonly bearable: readonly number[] } {
  const newer = applied.filter(({ version }) => version > own)
  const bears = ({ worksFrom }: AppliedStep): boolean => worksFrom !== null && worksFrom <= own
  const versions = (steps: readonly AppliedStep[]) => steps.map(({ version }) => version)
  return { refused: versions(newer.filter((step) => !bears(step))), bearable: versions(newer.filter(bears)) }
}

export function statusOf(applied: readonly AppliedStep[]): readonly MigrationStatus[] {
  const done = new Map(applied.map(({ version, appliedAt }) => [version, appliedAt]))
  const newer = applied.filter(({ version }) => version > OWN_LAST).map(({ version, name, appliedAt }) => ({ version, name, appliedAt }))
  return [...MIGRATIONS.map(({ version, name }) => ({ version, name, appliedAt: done.get(version) ?? null })), ...newer]
}

/**
 * The step that a rollback takes back; null when nothing is applied.
 * @throws Fault `store_unavailable` when only a newer version knows how
 */
export function lastKnown(applied: readonly AppliedStep[]): Migration | null {
  const last = applied.at(-1)
  if (last === undefined) return null
  const migration = MIGRATIONS.find(({ version }) => version === last.version)
  if (migration !== undefined) return migration
  throw new Fault('store_unavailable', {
    detail: `the last migration of this database, ${last.version} (${last.name}), is of a newer version of Evergrant: take it back with that version.`,
  })
}
