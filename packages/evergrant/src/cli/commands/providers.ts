import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { loadConfig } from '../../config.ts'
import type { JsonObject } from '../../core/json.ts'
import { adviseOn } from '../../providers/advice.ts'
import { type Problem, sayProblem } from '../../providers/check-draft.ts'
import { catalogue } from '../../providers/index.ts'
import { readProvider } from '../../providers/load.ts'
import { systemClock, systemTimers } from '../../system.ts'
import { CommandFailure, EXIT } from '../exit-code.ts'
import { pairs, readSecret } from '../option-values.ts'
import { learnt, readProbe, textsOf } from '../probe-words.ts'
import { type ProbeOrder, probeProvider } from '../provider-probe.ts'
import { withApi } from '../reach.ts'
import type { Shell } from '../shell.ts'

interface Looked {
  readonly file: string
  readonly id: string | null
  readonly name: string | null
  readonly problems: readonly Problem[]
  readonly advice: readonly Problem[]
}

interface ProbeOptions {
  readonly connection?: string
  readonly window: string
  readonly yesIMayLoseThisGrant?: boolean
  readonly clientId?: string
  readonly clientSecretFile?: string
  readonly refreshTokenFile?: string
  readonly variable?: readonly string[]
  readonly redirectUri?: string
  readonly for: string
  readonly throwaway?: boolean
}

/** `evergrant providers`: files of provider records, and what a provider does. */
export function providerCommands(program: Command, shell: Shell): void {
  const group = program.command('providers').description('provider records of your own')
  checkCommand(group, shell)
  probeCommand(group, shell)
}

function checkCommand(group: Command, { output, finish }: Shell): void {
  group
    .command('check <file...>')
    .description('says what is wrong with a record file, and what would make it better; exit code 1 when a server would refuse one')
    .option('--strict', 'exit code 1 for advice, too')
    .action(async (files: string[], options: { readonly strict?: boolean }) => {
      const looked = await Promise.all(files.map(look))
      const count = (of: 'problems' | 'advice') => looked.reduce((sum, one) => sum + one[of].length, 0)
      if (count('problems') > 0 || (options.strict === true && count('advice') > 0)) finish(EXIT.problem)
      output.result({ problems: count('problems'), advice: count('advice'), files: looked.map(asJson) }, () => looked.map(report).join('\n'))
    })
}

function probeCommand(group: Command, shell: Shell): void {
  const { output, finish } = shell
  group
    .command('probe [provider]')
    .description('learns on a grant that you can lose what a provider does with a refresh token that comes twice; exit code 1 when nothing was learnt')
    .option('--connection <id>', 'a connection with the tag `throwaway`; the server pauses it, spends its tokens, and stores what came last')
    .option('--window <seconds>', 'with --connection: how long a spent token is tried again, 1 to 120', '60')
    .option('--yes-i-may-lose-this-grant', 'with --connection: in place of the tag')
    .option('--client-id <id>', 'without --connection: client id at the provider')
    .option('--client-secret-file <path>', 'file with the client secret; left out for public clients')
    .option('--refresh-token-file <path>', 'file with a refresh token that nobody else uses; `-` reads standard input')
    .option('--variable <name=value...>', "values for the provider's URL templates and facts: tenant, domain")
    .option('--redirect-uri <uri>', 'repeated where the provider wants it (GitLab)')
    .option('--for <seconds>', 'how long a spent token is tried again', '130')
    .option('--throwaway', 'says that this grant may be lost: without it nothing is sent')
    .action(async (provider: string | undefined, options: ProbeOptions) => {
      if (options.connection !== undefined) return probeConnection(options.connection, options, shell)
      const order = orderOf(provider, options)
      const report = await probeProvider(order, loadConfig({ development: true }), {
        clock: systemClock,
        timers: systemTimers,
        tell: (step) => output.note(step),
      })
      if (report.class === null) finish(EXIT.problem)
      const { windowSeconds, refreshEndsAccessToken, reuseEndsGrant, open, ...told } = report
      const more = { window_seconds: windowSeconds, refresh_ends_access_token: refreshEndsAccessToken, reuse_ends_grant: reuseEndsGrant, unknown: [...open] }
      output.result({ ...told, ...more }, () => learnt(report))
    })
}

function probeConnection(id: string, options: ProbeOptions, { output, finish }: Shell): Promise<void> {
  const windowSeconds = Number(options.window)
  if (!Number.isInteger(windowSeconds) || windowSeconds < 1) throw new CommandFailure(EXIT.usage, `--window: '${options.window}' is no number of seconds`)
  return withApi(async (api) => {
    output.note('this may take four minutes; the connection is paused meanwhile')
    const body = { window_seconds: windowSeconds, ...(options.yesIMayLoseThisGrant === true ? { may_lose: true } : {}) }
    const told = await api.call('POST', `connections/${encodeURIComponent(id)}/probe`, body)
    const report = readProbe(told)
    for (const step of textsOf(told['steps'])) output.note(step)
    if (report.class === null) finish(EXIT.problem)
    const end = told['needs_reauth'] === true ? '\n\nThe grant of this connection is over: reconnect or disconnect it.' : ''
    output.result(told, () => learnt(report) + end)
  })
}

function orderOf(provider: string | undefined, options: ProbeOptions): ProbeOrder {
  const forSeconds = Number(options.for)
  if (!Number.isInteger(forSeconds) || forSeconds < 0) throw new CommandFailure(EXIT.usage, `--for: '${options.for}' is no number of seconds`)
  if (options.throwaway !== true)
    throw new CommandFailure(
      EXIT.usage,
      'A probe spends this grant and may end it, with every other grant of the same person at some providers. Add --throwaway if it may be lost.',
    )
  const { clientId, clientSecretFile, refreshTokenFile, variable, redirectUri } = options
  if (provider === undefined || clientId === undefined || refreshTokenFile === undefined)
    throw new CommandFailure(EXIT.usage, 'Name a --connection of a server, or a provider with --client-id and --refresh-token-file.')
  const variables = Object.entries(pairs(variable ?? [], (text) => text)).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : []))
  return {
    provider,
    forSeconds,
    clientId,
    clientSecret: clientSecretFile === undefined ? null : readSecret('--client-secret-file', clientSecretFile),
    refreshToken: readSecret('--refresh-token-file', refreshTokenFile),
    variables: Object.fromEntries(variables),
    redirectUri: redirectUri ?? null,
  }
}

async function look(file: string): Promise<Looked> {
  const nothing = { file, id: null, name: null, advice: [] }
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unreadable'
    return { ...nothing, problems: [{ path: '', text: `cannot be read (${code})` }] }
  }
  const { record, problems } = readProvider(text, file, catalogue)
  return record === null ? { ...nothing, problems } : { file, id: record.id, name: record.name, problems: [], advice: adviseOn(record) }
}

function report({ file, id, name, problems, advice }: Looked): string {
  const head = problems.length === 0 ? `ok       ${file}: ${id} (${name})` : `problem  ${file}: a server would refuse it`
  return [head, ...problems.map((problem) => `         ${sayProblem(file, problem)}`), ...advice.map((one) => `advice   ${sayProblem(file, one)}`)].join('\n')
}

function asJson({ file, id, name, problems, advice }: Looked): JsonObject {
  return { file, id, name, valid: problems.length === 0, problems: plain(problems), advice: plain(advice) }
}

function plain(problems: readonly Problem[]): { path: string; text: string }[] {
  return problems.map(({ path, text }) => ({ path, text }))
}
