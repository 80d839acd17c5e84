import { megabytes, short, table, whole } from '../markdown.ts'
import type { KillResult, KillRound } from './kill.ts'
import type { RaceResult } from './race.ts'
import type { PeersResult } from './run.ts'
import type { ThroughputRow } from './throughput.ts'

export function peerTables({ reads, races, kills }: PeersResult): string {
  return [readsTable(reads), racesTable(races), killsTable(kills)].join('\n\n')
}

export function readsTable(reads: readonly ThroughputRow[]): string {
  const floor = reads[0]?.cpuMicros ?? Number.NaN
  return table(
    ['one valid token, 32 connections', 'requests/s', 'of the floor', 'processor time', 'times the floor', 'PostgreSQL', 'memory'],
    reads.map((row) => [
      row.name,
      whole(row.perSecond),
      short(row.ratio),
      `${whole(row.cpuMicros)} us`,
      short(row.cpuMicros / floor),
      `${whole(row.databaseMicros)} us`,
      megabytes(row.residentBytes),
    ]),
  )
}

export function racesTable(races: readonly RaceResult[]): string {
  const each = (values: readonly number[]) => [...new Set(values)].join(', ')
  return table(
    ['one expired token, P4', 'callers', 'rounds', 'refreshes at the provider', 'answered', 'usable', 'grant alive'],
    races.map(({ peer, callers, rounds }) => [
      peer,
      String(callers),
      String(rounds.length),
      each(rounds.map((round) => round.refreshes)),
      each(rounds.map((round) => round.answered)),
      each(rounds.map((round) => round.usable)),
      `${rounds.filter((round) => round.alive).length} of ${rounds.length}`,
    ]),
  )
}

export function killsTable(kills: readonly KillResult[]): string {
  return table(
    ['kill -9 after the commit', 'class', 'rounds', 'grant alive', 'token back after', 'told in the end'],
    kills.map(({ peer, reuse, rounds }) => [
      peer,
      reuse,
      String(rounds.length),
      `${rounds.filter((round) => round.alive).length} of ${rounds.length}`,
      backAfter(rounds),
      [...new Set(rounds.map((round) => round.told))].join('; '),
    ]),
  )
}

function backAfter(rounds: readonly KillRound[]): string {
  const times = rounds.map((round) => round.recoveredMs).filter((time) => time !== null)
  return times.length === 0 ? 'never' : `${(Math.max(...times) / 1_000).toFixed(1)} s at most`
}
