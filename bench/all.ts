import { benchExpiredRead } from './expired-read.ts'
import { benchInteractive } from './interactive.ts'
import { installed } from './peers/install.ts'
import { runPeers } from './peers/run.ts'
import { benchProxy } from './proxy.ts'
import { benchRefresh } from './refresh.ts'
import { readResult, writeResult } from './results.ts'
import { expiredRows, interactiveRows, peerRows, proxyRows, type Row, ratioRows, scaleRows } from './rows.ts'
import type { ScaleFigures } from './scale/run.ts'
import { benchTokenRead } from './token-read.ts'

export interface BenchOptions {
  readonly short: boolean
  readonly stores: readonly ('sqlite' | 'postgres')[]
}

interface AllRows {
  readonly rows: readonly Row[]
  /** Commands that ended with an error instead of figures. */
  readonly failed: readonly string[]
}

/**
 * Every target that concerns connections. The rows about a million connections come from the last `npm run scale`. A command
 * that fails is named, and the others still run.
 */
export async function benchAll(options: BenchOptions): Promise<AllRows> {
  const { short, stores } = options
  const rows: Row[] = []
  const failed: string[] = []
  const take = async (name: string, measure: () => Promise<readonly Row[]>) => {
    try {
      const found = await measure()
      rows.push(...found)
      for (const row of found) console.log(said(row))
    } catch (error) {
      failed.push(name)
      console.error(`${name} failed:`, error)
    }
  }
  await take('token-read', async () => ratioRows(await kept('token-read', short, () => benchTokenRead(options))))
  await take('refresh', async () => ratioRows(await kept('refresh', short, () => benchRefresh(options))))
  const postgres = stores.includes('postgres')
  if (postgres) await take('expired-read', async () => expiredRows(await kept('expired-read', short, () => benchExpiredRead(options))))
  await take('interactive', async () => interactiveRows(await kept('interactive', short, () => benchInteractive(options))))
  await take('proxy', async () => proxyRows(await kept('proxy', short, () => benchProxy(options))))
  for (const store of stores) {
    const scale = readResult<ScaleFigures>(`scale-${store}`, short)
    if (scale === null) console.log(`no figures of npm run scale -- 1000000 --store ${store} yet`)
    else await take(`scale-${store}`, () => Promise.resolve(scaleRows(scale.figures.result)))
  }
  if (installed() && postgres)
    await take('peer-reads', async () => peerRows((await kept('peer-reads', short, () => runPeers({ short, readsOnly: true }))).reads))
  else if (postgres) console.log('peers are not installed; npm run bench -- peers installs them and measures beside them')
  writeResult('all', short, { rows, failed })
  return { rows, failed }
}

/** Measures and writes the figures down. */
export async function kept<Figures>(name: string, short: boolean, measure: () => Promise<Figures>): Promise<Figures> {
  const figures = await measure()
  writeResult(name, short, figures)
  return figures
}

export function said({ name, value, unit, target, rule, met }: Row): string {
  const figure = value >= 100 ? Math.round(value).toLocaleString('en-US') : Number(value.toPrecision(3)).toString()
  return `${met ? 'met   ' : 'MISSED'} ${name}: ${figure}${unit === '' ? '' : ` ${unit}`} (${rule} ${target})`
}
