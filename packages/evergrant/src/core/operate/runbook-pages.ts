import { ALERT_RUNBOOKS } from './alert-runbooks.ts'
import { NODE_RUNBOOKS } from './node-runbooks.ts'
import type { Runbook } from './runbook.ts'

/** Every page, in the order of the list. */
export const RUNBOOKS: readonly Runbook[] = [...Object.values(ALERT_RUNBOOKS), ...NODE_RUNBOOKS]

/** `docs/runbooks/<id>.md`. `node scripts/write-runbooks.ts` writes it. */
export function runbookMarkdown({ title, symptom, causes, look, remedy }: Runbook): string {
  const shown = look.map(([what, command]) => `${what.charAt(0).toUpperCase()}${what.slice(1)}:\n\n\`\`\`sh\n${command}\n\`\`\``)
  return `# ${title}

## Symptom

${symptom}

## Causes

${causes.map((cause) => `- ${cause}`).join('\n')}

## Look

${shown.join('\n\n')}

## Remedy

${remedy.map((step, index) => `${index + 1}. ${step}`).join('\n')}
`
}

/** `docs/runbooks/README.md`. */
export function runbookIndex(): string {
  const list = (pages: readonly Runbook[]) => pages.map(({ id, title }) => `- [${title}](${id}.md)`).join('\n')
  return `# Runbooks

One page for each alert: what is seen, what it may be, where to look, what to do. A running server shows them at \`/docs/runbooks\`.
Commands use \`$EVERGRANT\`, the address of the server, and \`$KEY\`, an API key with the scope that the route asks for.
These pages are written from tables in the source; a test holds them together.

## What Evergrant itself tells

${list(Object.values(ALERT_RUNBOOKS))}

## What the monitoring of the machines tells (\`deploy/prometheus/alerts.yml\`)

${list(NODE_RUNBOOKS)}
`
}
