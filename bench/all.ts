import { benchExpiredRead } from './expired-read.ts'
import { benchInteractive } from './interactive.ts'
import { installed } from './peers/install.ts'
import { runPeers } from './peers/run.ts'
import { benchRefresh } from './refresh.ts'
import { readResult, writeResult } from './results.ts'
import { expiredRows, interactiveRows, peerRows, type Row, ratioRows, scaleRows } from './rows.ts'
import type { ScaleFigures } from './scale/run.ts'
import { benchTokenRead } from './token-read.ts'

export interface BenchOptions {
  readonly short: boolean
  readonly stores: readonly ('sqlite' | 'postgres')[]
}

/** Every target that concerns connections. The rows about a million connections come from the last `npm run scale`. */
export async function benchAll(options: BenchOptions): Promise<readonly Row[]> {
  const { short, stores } = options
  const rows: Row[] = []
  const take = (found: readonly Row[]) => {
    rows.push(...found)
    for (const row of found) console.log(said(row))
  }
  take(ratioRows(await kept('token-read', short, () => benchTokenRead(options))))
  take(ratioRows(await kept('refresh', short, () => benchRefresh(options))))
  if (stores.includes('postgres')) take(expiredRows(await kept('expired-read', short, () => benchExpiredRead(options))))
  take(interactiveRows(await kept('interactive', short, () => benchInteractive(options))))
  for (const store of stores) {
    const scale = readResult<ScaleFigures>(`scale-${store}`)
    if (scale === null) console.log(`no figures of npm run scale -- 1000000 --store ${store} yet`)
    else take(scaleRows(scale.figures.result))
  }
  if (installed() && stores.includes('postgres')) {
    take(peerRows((await kept('peer-reads', short, () => runPeers({ short, readsOnly: true }))).reads))
  } else console.log('peers are not installed; npm run bench -- peers installs them and measures beside them')
  writeResult('all', short, rows)
  return rows
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
