import type { Command } from 'commander'
import { diagnose } from '../diagnosis.ts'
import { EXIT } from '../exit-code.ts'
import type { Finding } from '../finding.ts'
import type { Shell } from '../shell.ts'

/** `evergrant doctor`: looks at everything that stops a server or a grant, and says what to do. */
export function doctorCommand(program: Command, { output, finish }: Shell): void {
  program
    .command('doctor')
    .description('checks environment, keys, database, clock and redirect URIs; exit code 1 when there is a problem')
    .action(async () => {
      const findings = await diagnose()
      const problems = findings.filter((finding) => !finding.ok).length
      if (problems > 0) finish(EXIT.problem)
      output.result({ problems, findings: findings.map((finding) => ({ ...finding })) }, () => report(findings, problems))
    })
}

function report(findings: readonly Finding[], problems: number): string {
  const lines = findings.flatMap(({ name, ok, detail, remedy }) => [
    `${ok ? 'ok      ' : 'problem '}  ${name}: ${detail}`,
    ...(remedy === null ? [] : [`            -> ${remedy}`]),
  ])
  return [...lines, '', problems === 0 ? 'No problem found.' : `${problems} problem${problems === 1 ? '' : 's'} found.`].join('\n')
}
