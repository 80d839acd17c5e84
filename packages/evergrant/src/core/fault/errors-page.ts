import type { FaultDefinition } from './definition.ts'
import type { FaultClass } from './fault.ts'
import { FAULTS } from './table.ts'

/** What a class means, for readers of the error reference. In the order of the page. */
export const FAULT_CLASSES: readonly { readonly id: FaultClass; readonly title: string; readonly text: string }[] = [
  {
    id: 'grant',
    title: 'The grant is over',
    text: 'The issuer says that this grant has ended or lacks something. Only the owner can mend it, with one reconnect.',
  },
  {
    id: 'client',
    title: 'Our client is refused',
    text: "The integration's client id, secret or redirect URI is wrong. The operator mends it; no grant changes, and no user is asked for anything.",
  },
  {
    id: 'transient',
    title: 'It works later',
    text: 'Network, throttling or a provider in trouble. Evergrant tries again by itself, and serves a token that is still valid meanwhile.',
  },
  {
    id: 'unknown',
    title: 'Nobody knows yet',
    text: 'A refresh was sent and no trustworthy answer came back. It is cleared up by itself; silence never proves that a grant is over.',
  },
  { id: 'local', title: 'Our own trouble', text: 'Our database, keys or clock. Grants are untouched.' },
  {
    id: 'request',
    title: 'The request',
    text: 'The caller sent something that cannot be done. `field` names the place and `detail` the remedy. Nothing was changed.',
  },
]

export function faultsOf(id: FaultClass): readonly (readonly [string, FaultDefinition])[] {
  const rows: readonly (readonly [string, FaultDefinition])[] = Object.entries(FAULTS)
  return rows.filter(([, row]) => row.class === id)
}

/** `docs/errors.md`, whole. */
export function errorsMarkdown(): string {
  const parts = [
    '# Errors',
    '',
    '<!-- Generated from packages/evergrant/src/core/fault/table.ts by scripts/write-errors.ts. Change the table, not this file. -->',
    '',
    'Every error leaves as `application/problem+json` (RFC 9457) with `type`, `title`, `status`, `detail`, `code`, `action`, `needs_reauth`, `reconnect_url`, `retry_at`, `request_id` and, where one field is to blame, `field`.',
    'Decide by `code`; texts may change. 401 means only that the credential you sent is not valid; 503 means that nobody can tell right now, and nothing was lost.',
    'With `needs_reauth`, `reconnect_url` is the page where the owner repairs this very connection; it is null when no page can, and `detail` says what to do then.',
    'In the texts, `{P}` stands for the provider and `{A}` for the account; the API fills them in.',
  ]
  for (const { id, title, text } of FAULT_CLASSES) {
    parts.push('', `## ${title} (\`${id}\`)`, '', text)
    for (const [code, row] of faultsOf(id)) {
      parts.push(
        '',
        `### ${code}`,
        '',
        `**${row.title}** - HTTP ${row.status}, action \`${row.action}\``,
        '',
        `- For the operator: ${row.operator}`,
        `- For the end user: ${row.endUser}`,
        `- Effect: ${row.effect}.`,
        `- Tried again: ${row.retry}.`,
      )
    }
  }
  return `${parts.join('\n')}\n`
}
