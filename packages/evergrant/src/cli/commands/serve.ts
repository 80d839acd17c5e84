import type { Command } from 'commander'
import { type Config, loadConfig } from '../../config.ts'
import { databaseFile } from '../../database-file.ts'
import { banner, type Started } from '../banner.ts'
import { keepCompiledCode } from '../compiled-code.ts'
import { removeControlFile, writeControlFile } from '../control-file.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { withChosenPort } from '../free-port.ts'
import { holdsGrants } from '../lean-process.ts'
import { closeDoors } from '../memory-doors.ts'
import type { Output } from '../output.ts'
import type { Shell } from '../shell.ts'
import { version } from '../version.ts'

/** `evergrant serve`: the server, until it is told to stop. */
export function serveCommand(program: Command, { output, finish }: Shell): void {
  program
    .command('serve')
    .description('runs the server; SIGTERM finishes what is under way and ends it')
    .option('--development', 'with the practice provider beside it and a page to try it on')
    .action(async (options: { readonly development?: boolean }) => finish(await serve(output, options.development === true)))
}

async function serve(output: Output, development: boolean): Promise<ExitCode> {
  if (holdsGrants(development)) closeDoors()
  const config = await withChosenPort(loadConfig({ development }))
  const stopped = untilStopped()
  // Before most of the code is loaded.
  keepCompiledCode(config, version())
  const { createEvergrant } = await import('../../index.ts')
  const rehearsal = development ? await (await import('../../development.ts')).startDevelopment(config) : null
  const evergrant = await createEvergrant(config, rehearsal?.extension).catch(async (error: unknown) => {
    await rehearsal?.close()
    throw error
  })
  // Before anybody can ask for anything.
  const mistaken = untilMistaken(output)
  try {
    const url = await evergrant.listen()
    const { text: key } = evergrant.services.apiKeys.issueLocal(evergrant.organization)
    const publicUrl = evergrant.publicUrl
    writeControlFile(config.dataDir, { url, publicUrl, key, pid: process.pid })
    const setup = await evergrant.services.identity.joining.setupToken()
    const setupUrl = setup === null ? null : `${publicUrl}/auth/setup#${setup}`
    announce(output, { url: publicUrl, database: databaseName(config), dataDir: config.dataDir, development: rehearsal, setupUrl })
    const end = await Promise.race([stopped, evergrant.lost, mistaken])
    const lost = typeof end !== 'string'
    output.note(lost ? `${end.message}. Nothing new is started; answers in hand go to the journal.` : `${end}: finishing what is under way.`)
    const { onlyInJournal } = await evergrant.drain()
    await rehearsal?.close()
    if (onlyInJournal === 0) return lost ? EXIT.problem : EXIT.done
    output.note(`${onlyInJournal} answers are only in the journal of ${config.dataDir}: start this node again before anything else.`)
    return EXIT.onlyInJournal
  } finally {
    removeControlFile(config.dataDir, process.pid)
    await evergrant.close()
  }
}

/** Resolves with the first signal. The handlers stay, so that a second signal does not cut the drain short. */
function untilStopped(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => resolve(signal))
  })
}

/**
 * Resolves with the first error that nobody foresaw. After one, nothing is known of what the process would do next, so it ends; what it holds is made durable
 * first. The words of the error are not printed: they may quote what was read.
 */
function untilMistaken(output: Output): Promise<Error> {
  return new Promise((resolve) => {
    process.on('uncaughtException', (error: unknown) => {
      output.note(`An error that nobody foresaw: ${placeOf(error)}`)
      resolve(new Error('This process made a mistake and ends'))
    })
  })
}

/** The name of an error and the lines of the stack, without its message. */
function placeOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error
  const lines = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
  return [error.name, ...lines].join('\n')
}

function announce(output: Output, started: Started): void {
  const { url, database, dataDir, development, setupUrl } = started
  const links = development === null ? null : { try_url: development.tryUrl, practice_url: development.practiceUrl }
  output.result({ url, database, data_dir: dataDir, pid: process.pid, development: links, setup_url: setupUrl }, () => banner(version(), started))
}

/** Never with a password. */
function databaseName(config: Config): string {
  if (config.databaseUrl === null) return databaseFile(config)
  const { hostname, port, pathname } = new URL(config.databaseUrl.reveal())
  return `PostgreSQL ${hostname}${port === '' ? '' : `:${port}`}${pathname}`
}
