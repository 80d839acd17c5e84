import { writeResult } from '../results.ts'
import { startEvergrant } from './evergrant-peer.ts'
import { install, pinned } from './install.ts'
import { type KillResult, killAfterCommit } from './kill.ts'
import type { Peer } from './peer.ts'
import { startBetterAuth, startRecipe } from './programs.ts'
import { type RaceResult, race } from './race.ts'
import { Stage } from './stage.ts'
import { type ThroughputRow, throughput } from './throughput.ts'

export interface PeersResult {
  readonly versions: Readonly<Record<string, string>>
  readonly reads: readonly ThroughputRow[]
  readonly races: readonly RaceResult[]
  readonly kills: readonly KillResult[]
}

interface PeersOptions {
  readonly short: boolean
  /** Leaves out the races and the kills. */
  readonly readsOnly?: boolean
}

/** What an application gets from others for the same work, in the same run, on the same PostgreSQL and provider. */
export async function runPeers({ short, readsOnly = false }: PeersOptions): Promise<PeersResult> {
  install()
  const reads = await Stage.run((stage) => allReads(stage, short))
  if (readsOnly) return { versions: pinned(), reads, races: [], kills: [] }
  const versions = pinned()
  writeResult('peers', short, { versions, reads, races: [], kills: [] })
  const races = await Stage.run((stage) => allRaces(stage, short))
  writeResult('peers', short, { versions, reads, races, kills: [] })
  const kills = await Stage.run((stage) => allKills(stage, short))
  return { versions, reads, races, kills }
}

const say = (what: string) => console.error(`  ${what}`)

async function allReads(stage: Stage, short: boolean): Promise<readonly ThroughputRow[]> {
  const profile = await stage.profile('reads', 'P4')
  const issuer = stage.issuer(profile)
  const ours = { providersDir: stage.providersDir, practiceUrl: stage.practice.url, profile, reuse: 'P4', nodes: 1 } as const
  const theirs = { issuer, nodes: 1 }
  const peers: Peer[] = []
  try {
    peers.push(await startEvergrant({ ...ours, databaseUrl: await stage.newDatabase() }))
    const uncached = { EVERGRANT_CACHE_ENTRIES: '0' }
    peers.push(await startEvergrant({ ...ours, databaseUrl: await stage.newDatabase(), name: 'Evergrant, no token in memory', env: uncached }))
    for (const [encrypt, cookieCache, direct] of [
      [true, false, false],
      [false, false, false],
      [false, true, false],
      [true, false, true],
    ] as const) {
      peers.push(await startBetterAuth({ ...theirs, databaseUrl: await stage.newDatabase(), encrypt, cookieCache, direct }))
    }
    say('reads of a valid token')
    const shape = short ? { rounds: 2, seconds: 1 } : { rounds: 3, seconds: 3 }
    return await throughput(
      stage,
      peers.map((peer) => ({ peer, profile })),
      shape,
    )
  } finally {
    await Promise.all(peers.map((peer) => peer.stop()))
  }
}

type Start = (databaseUrl: string, profile: string) => Promise<Peer>

function starts(stage: Stage, reuse: 'P4' | 'P1:10', nodes: number): readonly Start[] {
  const { providersDir } = stage
  const practiceUrl = stage.practice.url
  const of = (profile: string) => stage.issuer(profile)
  const recipe = (library: 'openid-client' | 'simple-oauth2', lock: boolean): Start => {
    return (databaseUrl, profile) => startRecipe({ library, lock, nodes, databaseUrl, issuer: of(profile) })
  }
  return [
    (databaseUrl, profile) => startEvergrant({ databaseUrl, providersDir, practiceUrl, profile, reuse, nodes }),
    (databaseUrl, profile) => startBetterAuth({ databaseUrl, issuer: of(profile), nodes, encrypt: true, cookieCache: false, direct: false }),
    recipe('openid-client', false),
    recipe('simple-oauth2', false),
    recipe('simple-oauth2', true),
  ]
}

async function allRaces(stage: Stage, short: boolean): Promise<readonly RaceResult[]> {
  const results: RaceResult[] = []
  const rounds = short ? 1 : 4
  for (const nodes of [1, 2]) {
    for (const [index, start] of starts(stage, 'P4', nodes).entries()) {
      const profile = await stage.profile(`race-${nodes}-${index}`, 'P4')
      const peer = await start(await stage.newDatabase(), profile)
      say(`races: ${peer.name}`)
      try {
        for (const callers of [2, 50]) results.push(await race(stage, peer, profile, callers, rounds))
      } finally {
        await peer.stop()
      }
    }
  }
  return results
}

/** One kill after the other; the waits afterwards, two minutes for some, all at once. */
async function allKills(stage: Stage, short: boolean): Promise<readonly KillResult[]> {
  const grants = short ? 1 : 4
  const peers: Peer[] = []
  const settled: Promise<KillResult>[] = []
  try {
    for (const reuse of ['P4', 'P1:10'] as const) {
      for (const [index, start] of starts(stage, reuse, 1).slice(0, 4).entries()) {
        const profile = await stage.profile(`kill-${reuse.slice(0, 2).toLowerCase()}-${index}`, reuse)
        const peer = await start(await stage.newDatabase(), profile)
        peers.push(peer)
        say(`kill at ${reuse}: ${peer.name}`)
        const run = await killAfterCommit(stage, peer, { profile, reuse, grants, patienceMs: index === 0 ? 180_000 : 15_000 })
        run.settled.catch(() => {})
        settled.push(run.settled)
      }
    }
    say('waiting for what the callers are told in the end')
    return await Promise.all(settled)
  } finally {
    await Promise.all(peers.map((peer) => peer.stop()))
  }
}
