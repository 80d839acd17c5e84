import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { runCommandLine } from '../../packages/evergrant/src/cli/program.ts'
import { run as runSdk } from '../../packages/sdk/src/cli/run.ts'

/** What a command line is compared with. */
export interface CommandWorld {
  readonly root: string
  readonly scripts: Readonly<Record<string, string>>
}

/** Programs that documentation may use without having been told of by this repository. */
const KNOWN_PROGRAMS = new Set(
  `cat cd chmod chown cp cut date docker echo export false gpg grep git head helm id install jq journalctl kill kubectl ls mkdir mv npm nginx openssl pg_basebackup pg_dump
   pg_restore pgbackrest printf psql python3 read rm scp sed set seq sleep sort systemctl systemd-analyze systemd-creds tail tar tee test timedatectl touch trap tr true umask uniq unset useradd
   vi wait wc xargs age age-keygen base64 sha256sum ssh apt-get curl`.split(/\s+/),
)

/** Complaints about one command line, without a place. Requests of curl are judged elsewhere. */
export async function judgeCommand(words: readonly string[], world: CommandWorld): Promise<string[]> {
  const [program = '', ...args] = words.slice(words.findIndex((word) => !/^[A-Z_][A-Z0-9_]*=/.test(word)))
  if (words.every((word) => /^[A-Za-z_][A-Za-z0-9_]*=/.test(word))) return []
  if (program === 'npm') return await judgeNpm(args, world)
  if (program === 'npx') return await judgeNpx(args)
  if (program === 'evergrant') return await judgeOurs(args)
  if (program === 'evergrant-sdk') return await judgeSdk(args)
  if (program === 'node') return judgeNode(args, world)
  if (program === 'bash' || (program.includes('/') && !/^[<$/]/.test(program))) return judgeNode(program === 'bash' ? args : [program], world)
  return KNOWN_PROGRAMS.has(program) || /^[<$]/.test(program) ? [] : [`nobody knows the program '${program}'`]
}

/** The variables that a command line sets before its program. */
export function assignedNames(words: readonly string[]): string[] {
  const inline = words.slice(
    0,
    Math.max(
      0,
      words.findIndex((word) => !/^[A-Z_][A-Z0-9_]*=/.test(word)),
    ),
  )
  const all = words.every((word) => word.includes('=')) ? words : words[0] === 'export' ? words.slice(1) : inline
  return all.flatMap((word) => /^([A-Z_][A-Z0-9_]*)=/.exec(word)?.[1] ?? [])
}

async function judgeNpm(args: readonly string[], world: CommandWorld): Promise<string[]> {
  const [verb = '', ...rest] = args.filter((word) => word !== '--silent' && word !== '-s')
  if (['install', 'ci', 'pack', 'publish', 'view', 'sbom', 'audit', 'login', 'exec'].includes(verb)) return []
  const [name = '', ...more] = verb === 'run' ? rest : [verb, ...rest]
  const script = world.scripts[name]
  if (script === undefined) return [`there is no script '${name}' in package.json`]
  const given = more[0] === '--' ? more.slice(1) : more
  if (more.length > 0 && more[0] !== '--') return [`'npm run ${name}' needs \`--\` before ${more[0]}`]
  if (name === 'evergrant') return await judgeOurs(given)
  return given
    .filter((word) => word.startsWith('--'))
    .flatMap((option) => (knowsOption(script, option, world.root) ? [] : [`'npm run ${name}' has no option ${option}`]))
}

/** An option of a script that has no help to ask: its name must stand in the sources of the script's folder. */
function knowsOption(script: string, option: string, root: string): boolean {
  const main = /[\w./-]+\.(ts|mjs)(?!.*\.(ts|mjs))/.exec(script)?.[0]
  if (main === undefined) return false
  const folder = join(root, dirname(main))
  const name = option.slice(2).split('=')[0] ?? ''
  const words = [`'--${name}'`, `"--${name}"`, `${name}:`, `'${name}':`, `values.${name}`]
  return [join(root, main), ...readdirSync(folder).map((file) => join(folder, file))]
    .filter((path) => /\.(ts|mjs)$/.test(path) && statSync(path).isFile())
    .some((path) => {
      const text = readFileSync(path, 'utf8')
      return words.some((word) => text.includes(word))
    })
}

async function judgeNpx(args: readonly string[]): Promise<string[]> {
  const [name = '', ...rest] = args.filter((word) => word !== '-y' && word !== '--yes')
  if (name === '@evergrant/sdk') return await judgeSdk(rest)
  return name === 'evergrant' ? await judgeOurs(rest) : [`npx ${name} is not ours`]
}

function judgeNode(args: readonly string[], { root }: CommandWorld): string[] {
  const file = args.find((word) => !word.startsWith('-')) ?? ''
  return file === '' || existsSync(join(root, file)) ? [] : [`there is no file ${file}`]
}

/** The commands that stand for their group (`isDefault` in the sources). */
const DEFAULTS: Readonly<Record<string, string>> = { backup: 'make', migrate: 'up', restore: 'from' }

interface Help {
  readonly commands: ReadonlySet<string>
  /** Option -> whether it takes a value. */
  readonly options: ReadonlyMap<string, boolean>
  readonly least: number
  readonly most: number
}

const helps = new Map<string, Promise<Help>>()

/** What `evergrant <path> --help` says. */
function helpOf(path: readonly string[]): Promise<Help> {
  const key = path.join(' ')
  const known = helps.get(key) ?? readHelp(path)
  helps.set(key, known)
  return known
}

async function readHelp(path: readonly string[]): Promise<Help> {
  const said: string[] = []
  await runCommandLine([...path, '--help'], { out: (piece) => void said.push(piece), err: () => undefined, interactive: false })
  const text = said.join('')
  const [, commandPart = ''] = /^Commands:\n([\s\S]*?)(\n\n|$(?![\s\S]))/m.exec(text) ?? []
  const usage = /^Usage: evergrant[^\n]*/.exec(text)?.[0].slice('Usage: evergrant'.length) ?? ''
  const places =
    usage
      .replace('[options]', '')
      .replace('[command]', '')
      .match(/<[^>]+>|\[[^\]]+\]/g) ?? []
  const options = [...text.matchAll(/^ {2}(?:-\w, )?(--[\w-]+)(?: (<|\[))?/gm)].map((match): [string, boolean] => [match[1] ?? '', match[2] !== undefined])
  return {
    commands: new Set([...commandPart.matchAll(/^ {2}([a-z][\w-]*)/gm)].map((match) => match[1] ?? '')),
    options: new Map(options),
    least: places.filter((place) => place.startsWith('<')).length,
    most: places.some((place) => place.includes('...')) ? Number.POSITIVE_INFINITY : places.length,
  }
}

async function judgeOurs(args: readonly string[]): Promise<string[]> {
  const path: string[] = []
  let help = await helpOf([])
  let rest = [...args]
  while (rest[0] !== undefined && help.commands.has(rest[0])) {
    path.push(rest[0])
    rest = rest.slice(1)
    help = await helpOf(path)
  }
  // A group may stand for one of its commands; its help does not say for which.
  const itself = DEFAULTS[path.join(' ')]
  if (help.commands.size > 0 && itself !== undefined && rest[0] !== '--help') {
    path.push(itself)
    help = await helpOf(path)
  }
  const name = ['evergrant', ...path].join(' ')
  if (help.commands.size > 0) return rest[0] === '--help' || rest[0] === '--version' ? [] : [`'${name}' has no command '${rest[0] ?? ''}'`]
  return judgeArguments(name, rest, help)
}

function judgeArguments(name: string, args: readonly string[], { options, least, most }: Help): string[] {
  const complaints: string[] = []
  let places = 0
  for (let index = 0; index < args.length; index += 1) {
    const word = args[index] ?? ''
    if (!word.startsWith('--') || word === '--') {
      places += word.startsWith('-') && word !== '-' ? 0 : 1
      continue
    }
    const [option = ''] = word.split('=')
    const takesValue = options.get(option)
    if (takesValue === undefined) return [`'${name}' has no option ${option}`]
    if (takesValue === true && !word.includes('=')) {
      index += 1
      if (args[index] === undefined) complaints.push(`'${name}': ${option} needs a value`)
    }
  }
  if (places < least && !args.includes('--help')) complaints.push(`'${name}' needs ${least} argument(s), this has ${places}`)
  if (places > most) complaints.push(`'${name}' takes ${most} argument(s), this has ${places}`)
  return complaints
}

/** The SDK's command line has one page of help for everything. */
async function judgeSdk(args: readonly string[]): Promise<string[]> {
  const said: string[] = []
  await runSdk(['--help'], { out: (text) => void said.push(text), err: () => undefined, colours: false })
  const help = said.join('')
  const commands = new Set([...help.matchAll(/^ {2}([a-z]+)/gm)].map((match) => match[1]))
  const [command = ''] = args
  if (!commands.has(command)) return [`'evergrant-sdk' has no command '${command}'`]
  return args.filter((word) => word.startsWith('--') && !help.includes(word)).map((option) => `'evergrant-sdk ${command}' has no option ${option}`)
}
