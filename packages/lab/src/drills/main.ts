// npm run drill -- <name> [options]
// The last line is one JSON object. Exit code 1: something that must be zero is not; 2: the command line is wrong.
import { oneOf, readCommandLine } from '../command-line.ts'
import type { Drill } from './drill.ts'

/** Each in a module of its own, which is read when it is asked for. */
const DRILLS: Readonly<Record<string, () => Promise<{ readonly drill: Drill }>>> = {
  keys: () => import('./keys.ts'),
  restore: () => import('./restore.ts'),
  rolling: () => import('./rolling.ts'),
  upgrade: () => import('./upgrade.ts'),
}

const names = Object.keys(DRILLS)
const HELP = `npm run drill -- <${names.join('|')}> [options]\n\n\`npm run drill -- <name> --help\` has the options of one.`
const [name = ''] = process.argv.slice(2)
const chosen = readCommandLine(HELP, () => oneOf('drill', name, names), name === '' || name.startsWith('-') ? ['--help'] : [name])
const load = DRILLS[chosen]
if (load === undefined) throw new Error(`there is no drill ${chosen}`)
const { drill } = await load()
const args = readCommandLine(`npm run drill -- ${chosen} ${drill.help}`, (given) => given, process.argv.slice(3))
const well = await drill.run(args, (line) => console.log(line))
process.exitCode = well ? 0 : 1
