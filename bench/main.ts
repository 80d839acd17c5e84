// npm run bench -- token-read | refresh [--short] [--store sqlite|postgres]
// Every figure is measured beside its floor in the same run. The last line is one JSON object.
import { cpus } from 'node:os'
import type { Ratio } from './figures.ts'
import { benchRefresh } from './refresh.ts'
import { benchTokenRead } from './token-read.ts'

const args = process.argv.slice(2)
const name = args[0]
const short = args.includes('--short')
const chosen = args[args.indexOf('--store') + 1]
const stores = args.includes('--store') && (chosen === 'sqlite' || chosen === 'postgres') ? ([chosen] as const) : (['sqlite', 'postgres'] as const)

const benches: Readonly<Record<string, typeof benchRefresh>> = { refresh: benchRefresh, 'token-read': benchTokenRead }
const bench = name === undefined ? undefined : benches[name]
if (bench === undefined) {
  console.error('Say which: npm run bench -- token-read | refresh   (with --short: under a minute; --store sqlite|postgres)')
  process.exit(2)
}

const ratios = await bench({ short, stores })
for (const { name: what, floor, measured, ratio, target, cpu, loopDelayP99 } of ratios) {
  const verdict = ratio >= target ? 'met' : 'MISSED'
  const cost = cpu === null ? '' : `; CPU ${Math.round(cpu.measured)} us (${Math.round(cpu.measuredLoop)} on the event loop) beside ${Math.round(cpu.floor)} us`
  const late = loopDelayP99 === undefined ? '' : `; event loop delay p99 ${loopDelayP99.toFixed(1)} ms`
  console.log(`${what.padEnd(28)} ${rate(measured)}/s beside ${rate(floor)}/s: ${ratio.toFixed(2)} (target ${target.toFixed(2)}, ${verdict})${cost}${late}`)
}
const machine = `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`
console.log(
  JSON.stringify({
    bench: name,
    short,
    machine,
    node: process.version,
    ratio_to_floor: Object.fromEntries(ratios.map((ratio: Ratio) => [ratio.name, Number(ratio.ratio.toFixed(3))])),
  }),
)
process.exit(0)

function rate(value: number): string {
  return Math.round(value).toLocaleString('en-US').padStart(7)
}
