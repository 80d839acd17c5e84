import { parseArgs } from 'node:util'
import { type CommandOptions, enroll, logout, rotate, whoami } from './commands.ts'
import { doctor } from './doctor.ts'
import { type ExitCode, fail, type Terminal } from './terminal.ts'

const HELP = `evergrant-sdk: the credential of this machine

  enroll <code>                     enrol with a one-time code
  enroll --device --server <url>    enrol by approving this machine on a page
  whoami [--offline]                who this machine is, and that the server still takes it
  doctor                            look at permissions, key, lock, clock, store and server
  rotate                            a new key and new tokens
  logout                            end this installation on the server, then forget it here

  --server <url>    which server; else EVERGRANT_URL, or the one in the code
  --profile <name>  which profile of the credential file; else EVERGRANT_PROFILE
  --name <name>     enroll: what people call this machine
  --json            for programs

Exit codes: 0 done, 1 failed, 2 called in a wrong way, 3 this machine has to be enrolled, 4 later may work.
`

const OPTIONS = {
  server: { type: 'string' },
  profile: { type: 'string' },
  name: { type: 'string' },
  device: { type: 'boolean' },
  offline: { type: 'boolean' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

interface Surroundings {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  readonly colours: boolean
  readonly platform?: CommandOptions['platform']
}

/** One call of the command line; resolves to its exit code. */
export async function run(args: readonly string[], { out, err, colours, platform }: Surroundings): Promise<ExitCode> {
  let parsed: ReturnType<typeof parse>
  try {
    parsed = parse(args)
  } catch (error) {
    err(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`)
    return 2
  }
  const { values, positionals } = parsed
  const [command, code, ...more] = positionals
  if (values.help === true || command === undefined) {
    out(HELP)
    return values.help === true ? 0 : 2
  }
  const terminal: Terminal = { out, err, colours, json: values.json ?? false }
  const options: CommandOptions = { ...values, ...(platform === undefined ? {} : { platform }) }
  const work = workOf(command, code, more.length > 0, options, terminal)
  if (work === null) {
    err(`${whatIsWrong(command, code, options)}\n\n${HELP}`)
    return 2
  }
  return work().catch((error: unknown) => fail(terminal, error))
}

const COMMANDS = ['enroll', 'whoami', 'doctor', 'rotate', 'logout']

/** One sentence before the help, so that nobody has to compare. No word of it is an argument that may be a code. */
function whatIsWrong(command: string, code: string | undefined, { device }: CommandOptions): string {
  if (!COMMANDS.includes(command)) return `There is no such command. There are: ${COMMANDS.join(', ')}.`
  if (command !== 'enroll') return `\`${command}\` takes no argument.`
  if (code === undefined) return '`enroll` needs a one-time code, or --device. Codes come from: evergrant agents code <agent>'
  return device === true ? '`enroll` takes a code or --device, not both.' : '`enroll` takes one code.'
}

function parse(args: readonly string[]) {
  return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true })
}

function workOf(command: string, code: string | undefined, tooMuch: boolean, options: CommandOptions, terminal: Terminal): (() => Promise<ExitCode>) | null {
  if (tooMuch) return null
  if (command === 'enroll') return (code === undefined) === (options.device ?? false) ? () => enroll(code, options, terminal) : null
  if (code !== undefined) return null
  const commands: Readonly<Record<string, () => Promise<ExitCode>>> = {
    whoami: () => whoami(options, terminal),
    doctor: () => doctor(options, terminal),
    rotate: () => rotate(options, terminal),
    logout: () => logout(options, terminal),
  }
  return Object.hasOwn(commands, command) ? (commands[command] ?? null) : null
}
