import { Command, CommanderError } from 'commander'
import { BackupError } from '../backup/backup-error.ts'
import { Fault } from '../core/fault/fault.ts'
import { CommandFailure, EXIT, type ExitCode } from './exit-code.ts'
import { fileRemedy } from './file-trouble.ts'
import { Output, type Streams } from './output.ts'
import type { Shell } from './shell.ts'
import { version } from './version.ts'

const HELP_AFTER = `
Every command takes --json. Exit codes: 0 done, 1 a problem was found or the request was refused, 2 the command line is
wrong, 3 answers are only in the journal, 4 the server or the database cannot be reached, 5 some lines were refused.
Configuration comes from EVERGRANT_... variables; \`evergrant doctor\` checks them.`

/** A server, and what asks every few seconds how it is, start with their own code; whoever asks for anything else, help included, gets all of it. */
const ALONE: ReadonlyMap<string, (program: Command, shell: Shell) => Promise<void>> = new Map([
  ['serve', async (program: Command, shell: Shell) => (await import('./commands/serve.ts')).serveCommand(program, shell)],
  ['health', async (program: Command, shell: Shell) => (await import('./commands/health.ts')).healthCommand(program, shell)],
])

/** Runs one command line and says how it went. Never throws. */
export async function runCommandLine(args: readonly string[], streams: Streams): Promise<ExitCode> {
  const json = args.includes('--json')
  let exitCode: ExitCode = EXIT.done
  const finish = (code: ExitCode): void => {
    exitCode = code
  }
  const shell: Shell = { output: new Output(streams, json), finish }
  let complaint = ''
  // With --json a program reads standard error, too: what commander writes there becomes the one error of the answer.
  const collect = (text: string): void => {
    complaint += text
  }
  const program = await createProgram(args[0], shell, json ? { ...streams, err: collect } : streams)
  try {
    await program.parseAsync([...args], { from: 'user' })
    return exitCode
  } catch (error) {
    if (json && complaint !== '' && error instanceof CommanderError) shell.output.failure(wrongLine(complaint), { code: 'usage' })
    return explain(error, shell.output)
  }
}

/** The first sentence of what commander says, without its help. */
function wrongLine(complaint: string): string {
  const [first = ''] = complaint.split('\n')
  return first.startsWith('error: ') ? first.slice('error: '.length) : 'the command line is not complete; --help says what is possible'
}

async function createProgram(name: string | undefined, shell: Shell, streams: Streams): Promise<Command> {
  const program = new Command('evergrant')
    .description('Connect once, stay connected: keeps the OAuth grants of an application alive.')
    .version(version(), '--version')
    .addHelpText('after', HELP_AFTER)
    .showHelpAfterError('(add --help for what is possible)')
  const alone = name === undefined ? undefined : ALONE.get(name)
  if (alone !== undefined) await alone(program, shell)
  else (await import('./all-commands.ts')).allCommands(program, shell)
  settle(program, streams)
  return program
}

/** Options that every leaf has, and a program that throws where commander would exit. */
function settle(command: Command, streams: Streams): void {
  command.exitOverride().configureOutput({ writeOut: (text) => streams.out(text), writeErr: (text) => streams.err(text) })
  if (command.commands.length === 0) command.option('--json', 'print the result as JSON')
  for (const child of command.commands) settle(child, streams)
}

function explain(error: unknown, output: Output): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage
  if (error instanceof BackupError) {
    output.failure(error.message, { code: 'backup' })
    return EXIT.problem
  }
  if (error instanceof CommandFailure) {
    output.failure(error.message, error.exitCode === EXIT.usage ? { code: 'usage', ...error.facts } : error.facts)
    return error.exitCode
  }
  if (error instanceof Fault) {
    output.failure(`${error.message} (${error.code})`, { code: error.code, field: error.details.field ?? null })
    return error.code === 'store_unavailable' ? EXIT.unreachable : EXIT.problem
  }
  const remedy = fileRemedy(error)
  if (error instanceof Error && remedy !== undefined) {
    output.failure(`The embedded database cannot be used: ${error.message}. ${remedy}`, { code: 'store_unavailable' })
    return EXIT.unreachable
  }
  output.failure(error instanceof Error ? (error.stack ?? error.message) : 'an unknown error', { code: 'internal' })
  return EXIT.problem
}
