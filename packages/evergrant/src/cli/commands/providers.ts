import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { loadConfig } from '../../config.ts'
import type { JsonObject } from '../../core/json.ts'
import type { ProbeReport } from '../../core/provider/probe-reuse.ts'
import { adviseOn } from '../../providers/advice.ts'
import { type Problem, sayProblem } from '../../providers/check-draft.ts'
import { catalogue } from '../../providers/index.ts'
import { readProvider } from '../../providers/load.ts'
import { systemClock, systemTimers } from '../../system.ts'
import { CommandFailure, EXIT } from '../exit-code.ts'
import { pairs, readSecret } from '../option-values.ts'
import { type ProbeOrder, probeProvider } from '../provider-probe.ts'
import type { Shell } from '../shell.ts'

interface Looked {
  readonly file: string
  readonly id: string | null
  readonly name: string | null
  readonly problems: readonly Problem[]
  readonly advice: readonly Problem[]
}

interface ProbeOptions {
  readonly clientId: string
  readonly clientSecretFile?: string
  readonly refreshTokenFile: string
  readonly variable?: readonly string[]
  readonly redirectUri?: string
  readonly for: string
  readonly throwaway?: boolean
}

/** `evergrant providers`: files of provider records, and what a provider does; without a server. */
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

function probeCommand(group: Command, { output, finish }: Shell): void {
  group
    .command('probe <provider>')
    .description('learns on a grant that you can lose what a provider does with a refresh token that comes twice; exit code 1 when nothing was learnt')
    .requiredOption('--client-id <id>', 'client id at the provider')
    .option('--client-secret-file <path>', 'file with the client secret; left out for public clients')
    .requiredOption('--refresh-token-file <path>', 'file with a refresh token that nobody else uses; `-` reads standard input')
    .option('--variable <name=value...>', "values for the provider's URL templates and facts: tenant, domain")
    .option('--redirect-uri <uri>', 'repeated where the provider wants it (GitLab)')
    .option('--for <seconds>', 'how long a spent token is tried again', '130')
    .option('--throwaway', 'says that this grant may be lost: without it nothing is sent')
    .action(async (provider: string, options: ProbeOptions) => {
      const order = orderOf(provider, options)
      const report = await probeProvider(order, loadConfig({ development: true }), {
        clock: systemClock,
        timers: systemTimers,
        tell: (step) => output.note(step),
      })
      if (report.class === null) finish(EXIT.problem)
      const { windowSeconds, refreshEndsAccessToken, ...told } = report
      output.result({ ...told, window_seconds: windowSeconds, refresh_ends_access_token: refreshEndsAccessToken }, () => learnt(report))
    })
}

function orderOf(provider: string, options: ProbeOptions): ProbeOrder {
  const forSeconds = Number(options.for)
  if (!Number.isInteger(forSeconds) || forSeconds < 0) throw new CommandFailure(EXIT.usage, `--for: '${options.for}' is no number of seconds`)
  if (options.throwaway !== true)
    throw new CommandFailure(
      EXIT.usage,
      'A probe spends this grant and may end it, with every other grant of the same person at some providers. Add --throwaway if it may be lost.',
    )
  const { clientSecretFile, refreshTokenFile, variable, redirectUri } = options
  const variables = Object.entries(pairs(variable ?? [], (text) => text)).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : []))
  return {
    provider,
    forSeconds,
    clientId: options.clientId,
    clientSecret: clientSecretFile === undefined ? null : readSecret('--client-secret-file', clientSecretFile),
    refreshToken: readSecret('--refresh-token-file', refreshTokenFile),
    variables: Object.fromEntries(variables),
    redirectUri: redirectUri ?? null,
  }
}

/** What to write into the record. */
function learnt({ class: found, windowSeconds, rotation, refreshEndsAccessToken, evidence }: ProbeReport): string {
  if (found === null) return `Nothing was learnt. ${evidence}`
  const window = found === 'P1' ? `, windowSeconds: ${windowSeconds}` : ''
  return [
    evidence,
    '',
    `reuse: { class: ${found}${window}, evidence: ${JSON.stringify(evidence)} }`,
    ...(rotation === null ? [] : [`rotation: ${rotation}`]),
    ...(refreshEndsAccessToken === true ? ['lifetimes: { refreshEndsAccessToken: true }'] : []),
  ].join('\n')
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
