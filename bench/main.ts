// npm run bench -- token-read | refresh | expired-read | interactive | proxy | import | session | sdk | console | peers | all | page   [--short] [--store sqlite|postgres]
// Every figure is measured beside its floor in the same run. The last line is one JSON object.

import { type BenchOptions, benchAll, kept, said } from './all.ts'
import { benchConsole } from './console/run.ts'
import { benchExpiredRead } from './expired-read.ts'
import type { Ratio } from './figures.ts'
import { benchImport } from './import.ts'
import { benchInteractive } from './interactive.ts'
import { writePage } from './page.ts'
import { peerTables } from './peers/report.ts'
import { runPeers } from './peers/run.ts'
import { profileRefresh } from './profile.ts'
import { benchProxy } from './proxy.ts'
import { benchRefresh } from './refresh.ts'
import { machine } from './results.ts'
import { consoleRows, expiredRows, importRows, interactiveRows, peerRows, proxyRows, type Row, sdkRows, sessionRows } from './rows.ts'
import { benchSdk } from './sdk/run.ts'
import { benchSession } from './session/run.ts'
import { benchTokenRead } from './token-read.ts'

const args = process.argv.slice(2)
const name = args[0] ?? ''
const short = args.includes('--short')
const stores = storesOf()
const options: BenchOptions = { short, stores }

/** Each prints its own figures and returns what belongs into the closing line. */
const commands: Readonly<Record<string, () => Promise<object>>> = {
  'token-read': async () => ratios(await kept(name, short, () => benchTokenRead(options))),
  refresh: async () => ratios(await kept(name, short, () => benchRefresh(options))),
  'expired-read': async () => {
    const result = await kept(name, short, () => benchExpiredRead(options))
    for (const [said, count] of Object.entries(result.others)) console.log(`${count} readers got: ${said}`)
    return rows(expiredRows(result))
  },
  interactive: async () => rows(interactiveRows(await kept(name, short, () => benchInteractive(options)))),
  import: async () => rows(importRows(await kept(name, short, () => benchImport(options)))),
  sdk: async () => {
    const result = await kept(name, short, () => benchSdk(options))
    for (const { store, perSecond, verificationsPerSecond, ratio } of result.refreshes)
      console.log(`refreshes, ${store.padEnd(8)} ${rate(perSecond)}/s beside ${rate(verificationsPerSecond)}/s raw ES256 verifications: ${ratio.toFixed(3)}`)
    return { ...rows(sdkRows(result)), refreshes: result.refreshes }
  },
  session: async () => {
    const result = await kept(name, short, () => benchSession(options))
    for (const { name: who, perSecond, ofFloor } of result.validate) console.log(`${who.padEnd(40)} ${rate(perSecond)}/s: ${ofFloor.toFixed(2)} of the floor`)
    return rows(sessionRows(result))
  },
  console: async () => rows(consoleRows(await kept(name, short, () => benchConsole(options)))),
  proxy: async () => rows(proxyRows(await kept(name, short, () => benchProxy(options)))),
  peers: async () => {
    const result = await kept(name, short, () => runPeers(options))
    console.log(peerTables(result))
    return rows(peerRows(result.reads))
  },
  all: async () => {
    const { rows: found, failed } = await benchAll(options)
    return { ...closing(found), failed }
  },
  page: async () => ({ written: writePage() }),
  profile: () => profileRefresh({ store: stores[0], pooled: args.includes('--pooled'), short }),
}

const command = commands[name]
if (command === undefined) {
  console.error(`Say which: npm run bench -- ${Object.keys(commands).join(' | ')}   (with --short: a rough look; --store sqlite|postgres)`)
  process.exit(2)
}
const figures = await command()
if (name !== 'page' && name !== 'profile' && !short) writePage()
console.log(JSON.stringify({ bench: name, short, machine: machine(), node: process.version, ...figures }))
process.exit('failed' in figures && Array.isArray(figures.failed) && figures.failed.length > 0 ? 1 : 0)

type StoreName = BenchOptions['stores'][number]

function storesOf(): readonly [StoreName, ...StoreName[]] {
  const at = args.indexOf('--store')
  if (at === -1) return ['sqlite', 'postgres']
  const chosen = args[at + 1]
  if (chosen === 'sqlite' || chosen === 'postgres') return [chosen]
  console.error(`--store is sqlite or postgres, and not ${chosen ?? 'left empty'}; without it, both are measured.`)
  process.exit(2)
}

function ratios(found: readonly Ratio[]): object {
  for (const { name: what, floor, measured, ratio, target, cpu, loopDelayP99 } of found) {
    const verdict = ratio >= target ? 'met' : 'MISSED'
    const cost =
      cpu === null ? '' : `; CPU ${Math.round(cpu.measured)} us (${Math.round(cpu.measuredLoop)} on the event loop) beside ${Math.round(cpu.floor)} us`
    const late = loopDelayP99 === undefined ? '' : `; event loop delay p99 ${loopDelayP99.toFixed(1)} ms`
    console.log(`${what.padEnd(28)} ${rate(measured)}/s beside ${rate(floor)}/s: ${ratio.toFixed(2)} (target ${target.toFixed(2)}, ${verdict})${cost}${late}`)
  }
  return { ratio_to_floor: Object.fromEntries(found.map((ratio) => [ratio.name, Number(ratio.ratio.toFixed(3))])) }
}

function rows(found: readonly Row[]): object {
  for (const row of found) console.log(said(row))
  return closing(found)
}

function closing(found: readonly Row[]): object {
  const missed = found.filter((row) => !row.met).map((row) => row.name)
  return { rows: found.map((row) => ({ ...row, value: Number(row.value.toPrecision(4)) })), met: found.length - missed.length, missed }
}

function rate(value: number): string {
  return Math.round(value).toLocaleString('en-US').padStart(7)
}
