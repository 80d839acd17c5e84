import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'
import { oneOf, wholeNumber } from '../command-line.ts'
import { at, type JsonReply } from '../http.ts'
import { PostgresProcess } from '../postgres-process.ts'
import { comesTrue, rest, until } from '../until.ts'
import { type BenchNode, type Held, Workbench } from '../workbench.ts'
import type { Drill } from './drill.ts'
import { KeyLoad } from './key-load.ts'

interface KeysOptions {
  readonly store: 'sqlite' | 'postgres'
  readonly rows: number
  readonly kills: number
  readonly seconds: number
}

/** The last line. From `failed_opens` on everything must be 0. */
interface KeysReport {
  readonly drill: 'keys'
  readonly store: string
  readonly rows: number
  readonly values_resealed: number
  readonly kills: number
  readonly reseal_seconds: number
  readonly values_per_second: number
  readonly refresh_p99_ms_before: number
  readonly refresh_p99_ms_during: number
  readonly refreshes: Readonly<Record<string, number>>
  readonly reads: number
  /** Renewals that a kill left without an answer, and that waited for their probe. */
  readonly told_to_wait: number
  /** Grants whose newest token was in an answer that a kill destroyed: the provider had rotated within seconds of the kill, and nobody has seen what it gave. */
  readonly lost_to_a_kill: number
  /** 1: sealing anew was refused while a live node lacked the new key. Null: there is one node. */
  readonly refused_while_a_node_lacked_the_key: number | null
  /** 1: the old key could not be taken away before. */
  readonly removal_refused_while_in_use: number
  readonly seconds: number
  readonly failed_opens: number
  readonly failed_requests: number
  readonly wrong_tokens: number
  readonly grants_lost: number
  readonly values_left_with_the_old_key: number
}

const PROFILE = 'p1'
/** Every refresh is of one of these; the others only lie there, are read, and are sealed anew. */
const LIVE = 40
const BATCH = 500

export const drill: Drill = {
  help: `[--store sqlite|postgres] [--rows 2000] [--kills 3] [--seconds 10]

  --store S     one node on sqlite with a key file, or two on postgres with EVERGRANT_MASTER_KEYS (sqlite)
  --rows N      connections whose tokens are sealed anew (2000)
  --kills N     kill -9 while they are (3)
  --seconds N   of load before anything happens: what is normal (10)`,
  run: async (args, say) => {
    const options = read(args)
    const started = performance.now()
    const postgres = options.store === 'postgres' ? await PostgresProcess.start() : null
    try {
      await postgres?.create('keys')
      const report = await rotate(options, postgres?.url('keys') ?? null, started, say)
      say(JSON.stringify(report))
      const { failed_opens, failed_requests, wrong_tokens, grants_lost, values_left_with_the_old_key } = report
      const wrong = failed_opens + failed_requests + wrong_tokens + grants_lost + values_left_with_the_old_key
      return wrong === 0 && report.refused_while_a_node_lacked_the_key !== 0 && report.removal_refused_while_in_use === 1
    } finally {
      await postgres?.stop()
    }
  },
}

function read(args: string[]): KeysOptions {
  const { values: given } = parseArgs({
    args,
    options: {
      store: { type: 'string', default: 'sqlite' },
      rows: { type: 'string', default: '2000' },
      kills: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '10' },
    },
  })
  return {
    store: oneOf('store', given.store, ['sqlite', 'postgres']),
    rows: wholeNumber('rows', given.rows),
    kills: wholeNumber('kills', given.kills),
    seconds: wholeNumber('seconds', given.seconds),
  }
}

async function rotate(options: KeysOptions, databaseUrl: string | null, started: number, say: (line: string) => void): Promise<KeysReport> {
  const keys = databaseUrl === null ? '' : `k1:${randomBytes(32).toString('base64')}`
  const bench = await Workbench.start({
    profiles: { [PROFILE]: 'P1:60' },
    // True times: a caller who waits half a second for a renewal, as in a faster world, fails on a busy machine for no other reason.
    timeScale: 1,
    // A start is no part of what is drilled, and the machine may be busy with other things.
    readyMs: 300_000,
    env: { EVERGRANT_MASTER_KEYS: keys },
    ...(databaseUrl === null ? {} : { databaseUrl }),
  })
  const load = new KeyLoad(bench, PROFILE)
  try {
    await load.fill(options.rows - LIVE, BATCH)
    for (let made = 0; made < LIVE; made += 1) load.live.push(await bench.hold(PROFILE))
    say(`${options.rows} connections are stored`)
    load.start()
    await rest(options.seconds * 1_000)
    load.phase = 'during'
    const rotation = databaseUrl === null ? await onOneNode(bench, load) : await onTwoNodes(bench, load)
    const sealing = performance.now()
    const done = await resealed(rotation.nodes, load, options, say)
    const resealSeconds = (performance.now() - sealing) / 1_000
    load.phase = 'after'
    const last = await rotation.finish()
    load.use(last)
    await rest(2_000)
    await load.stop()
    const left = await valuesWith('k1', last)
    await load.readAll(last)
    const gone = await lost(bench, load, last, say)
    return {
      drill: 'keys',
      store: options.store,
      rows: options.rows,
      values_resealed: done,
      kills: options.kills,
      reseal_seconds: round(resealSeconds),
      values_per_second: Math.round(done / resealSeconds),
      refresh_p99_ms_before: round(load.p99('before')),
      refresh_p99_ms_during: round(load.p99('during')),
      refreshes: load.refreshes(),
      reads: load.reads,
      told_to_wait: load.waited,
      lost_to_a_kill: gone.explained,
      refused_while_a_node_lacked_the_key: rotation.refusedWhileLacking,
      removal_refused_while_in_use: rotation.removalRefused ? 1 : 0,
      seconds: round((performance.now() - started) / 1_000),
      failed_opens: load.failedOpens.length,
      failed_requests: load.failed.length,
      wrong_tokens: load.wrong,
      grants_lost: gone.unexplained,
      values_left_with_the_old_key: left,
    }
  } finally {
    for (const line of [...load.failedOpens, ...load.failed].slice(0, 10)) say(line)
    await load.stop()
    await bench.dispose()
  }
}

interface Rotation {
  readonly nodes: readonly BenchNode[]
  readonly refusedWhileLacking: number | null
  readonly removalRefused: boolean
  /** Takes the old key away; resolves with a server that started without it. */
  readonly finish: () => Promise<BenchNode>
}

/** The key file: the running server reads it again, and starts once more when the old key is out of it. */
async function onOneNode(bench: Workbench, load: KeyLoad): Promise<Rotation> {
  const node = { server: bench.server, api: bench.api }
  must(await node.server.cli(['keys', 'add', '--json']))
  const early = await node.api.call('DELETE', '/admin/keys/k1')
  return {
    nodes: [node],
    refusedWhileLacking: null,
    removalRefused: early.status === 409,
    finish: async () => {
      must(await node.server.cli(['keys', 'remove', 'k1', '--json']))
      // The only node: who comes while it stops and starts finds nobody.
      await load.disturbed(async () => {
        await node.server.stop()
        await node.server.start()
      })
      return node
    },
  }
}

/** The environment: nodes with the new key take the place of those without it, one after the other. */
async function onTwoNodes(bench: Workbench, load: KeyLoad): Promise<Rotation> {
  const printed = must(await bench.server.cli(['keys', 'add', '--json']))
  const both = /"EVERGRANT_MASTER_KEYS":\s*"([^"]+)"/.exec(printed)?.[1] ?? ''
  const first = await bench.addNode({ EVERGRANT_MASTER_KEYS: both })
  const refused = await first.api.post('/admin/keys/reseal')
  load.use(first)
  await bench.server.stop()
  const second = await bench.addNode({ EVERGRANT_MASTER_KEYS: both })
  await until('both nodes to seal with the new key', async () => (await sealsWith(first)) === 'k2' && (await sealsWith(second)) === 'k2', {
    timeoutMs: 120_000,
  })
  const early = await first.api.call('DELETE', '/admin/keys/k1')
  return {
    nodes: [first, second],
    refusedWhileLacking: refused.status === 409 ? 1 : 0,
    removalRefused: early.status === 409,
    finish: async () => {
      const unused = await first.api.call('DELETE', '/admin/keys/k1')
      if (at(unused.body, 'outcome') !== 'unused') throw new Error(`k1 is still used: ${unused.text}`)
      const last = await bench.addNode({ EVERGRANT_MASTER_KEYS: both.split(',')[0] ?? '' })
      load.use(last)
      await Promise.all([first.server.stop(), second.server.stop()])
      return last
    },
  }
}

async function sealsWith(node: BenchNode): Promise<unknown> {
  const { body } = await node.api.get('/admin/keys')
  const keys = at(body, 'keys')
  return Array.isArray(keys)
    ? at(
        keys.find((key: unknown) => at(key, 'state') === 'seals'),
        'id',
      )
    : undefined
}

/** Two ask for it at once, all the time; nodes are killed in between, at moments that nobody chose. Resolves with the values that were sealed anew. */
async function resealed(all: readonly BenchNode[], load: KeyLoad, { rows, kills }: KeysOptions, say: (line: string) => void): Promise<number> {
  let killed = 0
  let done = 0
  while (true) {
    const node = all[killed % all.length] ?? all[0]
    if (node === undefined) throw new Error('there is no node')
    const replies = await Promise.all(all.flatMap(({ api }) => [api.post('/admin/keys/reseal'), api.post('/admin/keys/reseal')].map(quietly)))
    const progress = replies.find((reply) => reply?.status === 202)?.body
    // Asked once more after its end, it begins anew with nothing to do.
    done = Math.max(done, Number(at(progress, 'done') ?? 0))
    if (progress !== undefined && at(progress, 'finished_at') !== null && killed >= kills) return done
    if (killed < kills && done > (rows * 2 * killed) / (kills + 1)) {
      await rest(Math.random() * 300)
      say(`${done} of ${at(progress, 'total')} values; kill -9`)
      await load.disturbed(async () => {
        // Under way when it dies.
        await Promise.all([quietly(node.api.post('/admin/keys/reseal')), rest(Math.random() * 120).then(() => load.kill(node))])
        await node.server.start()
      })
      killed += 1
    }
  }
}

async function quietly(asked: Promise<JsonReply>): Promise<JsonReply | null> {
  return asked.catch(() => null)
}

async function valuesWith(key: string, { api }: BenchNode): Promise<number> {
  const { body } = await api.get('/admin/keys')
  const keys = at(body, 'keys')
  return Array.isArray(keys)
    ? Number(
        at(
          keys.find((one: unknown) => at(one, 'id') === key),
          'values',
        ) ?? 0,
      )
    : Number.NaN
}

/** A grant lives when it can be refreshed once more. */
async function lost(bench: Workbench, load: KeyLoad, { api }: BenchNode, say: (line: string) => void): Promise<{ explained: number; unexplained: number }> {
  const waiting = new Set(load.live)
  const renewed = async () => {
    for (const held of waiting) {
      const reply = await api.post(`/connections/${held.connection}/refresh`)
      if (reply.status === 200) waiting.delete(held)
    }
    return waiting.size === 0
  }
  // One that was under way when its server was killed waits for its probe; past the provider's window that is two minutes and a quarter.
  await comesTrue(renewed, { timeoutMs: 300_000, pollMs: 1_000 })
  let explained = 0
  for (const held of waiting) {
    const why = await unexplained(bench, load, held, (await api.get(`/connections/${held.connection}`)).body)
    if (why === null) explained += 1
    else say(`LOST ${held.connection}: ${why}`)
  }
  return { explained, unexplained: waiting.size - explained }
}

/** Between the provider's commit and our own, with a machine that is busy: a request under way lives no longer. */
const ON_ITS_WAY_MS = 10_000

/** Null when the provider's own log says that a kill destroyed the answer, which is the one loss that nothing prevents. */
async function unexplained(bench: Workbench, load: KeyLoad, held: Held, shown: unknown): Promise<string | null> {
  const code = at(shown, 'fault.code')
  if (code !== 'refresh_outcome_lost') return `it says ${String(code)}`
  if (!String(at(shown, 'fault.evidence.intent')).startsWith('itn_')) return 'no intent stands as evidence'
  const seen = at(await bench.truth(held), 'presentations')
  const spent = Array.isArray(seen) ? seen.findLast((one: unknown) => at(one, 'decision') === 'rotated') : undefined
  if (spent === undefined) return 'the provider never spent its refresh token'
  const rotatedAt = Number(at(spent, 'at'))
  if (!load.kills.some((killedAt) => Math.abs(killedAt - rotatedAt) <= ON_ITS_WAY_MS)) return 'no server was killed when the provider answered'
  return null
}

function must({ code, output }: { readonly code: number | null; readonly output: string }): string {
  if (code !== 0) throw new Error(`the command ended with ${code}:\n${output}`)
  return output
}

const round = (value: number): number => Math.round(value * 10) / 10
