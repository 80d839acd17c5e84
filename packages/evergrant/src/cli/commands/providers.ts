import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import type { JsonObject } from '../../core/json.ts'
import { adviseOn } from '../../providers/advice.ts'
import { type Problem, sayProblem } from '../../providers/check-draft.ts'
import { catalogue } from '../../providers/index.ts'
import { readProvider } from '../../providers/load.ts'
import { EXIT } from '../exit-code.ts'
import type { Shell } from '../shell.ts'

interface Looked {
  readonly file: string
  readonly id: string | null
  readonly name: string | null
  readonly problems: readonly Problem[]
  readonly advice: readonly Problem[]
}

/** `evergrant providers`: files of provider records, looked at without a server. */
export function providerCommands(program: Command, { output, finish }: Shell): void {
  const group = program.command('providers').description('provider records of your own')
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
