// npm run scale -- <connections> [--store sqlite|postgres|both] [--short] [--curve]
// What a number of connections costs. Prints a table; the last line is one JSON object.
import { writePage } from '../page.ts'
import { runScale } from './run.ts'

const args = process.argv.slice(2)
const connections = Number((args[0] ?? '').replaceAll(/[_,]/g, ''))
const named = args.includes('--store') ? args[args.indexOf('--store') + 1] : 'both'
if (!Number.isInteger(connections) || connections < 100 || (named !== 'sqlite' && named !== 'postgres' && named !== 'both')) {
  console.error(
    'Say how many: npm run scale -- 1000000 [--store sqlite|postgres|both] [--short]   (--curve: with --short, too, a tenth, a hundredth and a thousandth of it)',
  )
  process.exit(2)
}
await runScale({
  connections,
  stores: named === 'both' ? ['sqlite', 'postgres'] : [named],
  short: args.includes('--short'),
  curve: args.includes('--curve') || !args.includes('--short'),
})
if (!args.includes('--short')) writePage()
process.exit(0)
