import type { Command } from 'commander'
import { API_KEY_SCOPES } from '../../core/access/api-key.ts'
import { itemsOf } from '../api.ts'
import { cell, formatFacts, formatTable } from '../output.ts'
import { withApi } from '../reach.ts'
import type { Shell } from '../shell.ts'

/** `evergrant api-keys`: the keys of backends. A key's text is shown once, when it is made. */
export function apiKeyCommands(program: Command, { output }: Shell): void {
  const group = program.command('api-keys').description('keys of the backends that use this server')
  group
    .command('list')
    .description('every key, without its text')
    .action(() =>
      withApi(async (api) => {
        const page = await api.call('GET', 'api-keys')
        const rows = itemsOf(page).map((key) =>
          [key['id'], key['name'], key['hint'], key['scopes'], key['last_used_at'], key['expires_at'], key['revoked_at']].map((value) => cell(value)),
        )
        output.result(page, () => formatTable(['ID', 'NAME', 'STARTS WITH', 'SCOPES', 'LAST USED', 'EXPIRES', 'REVOKED'], rows))
      }),
    )
  group
    .command('create')
    .description('makes a key and shows it once')
    .requiredOption('--name <name>', 'what uses it')
    .option('--scope <scope...>', `what it may do: ${API_KEY_SCOPES.join(', ')}`, ['connections:read', 'connections:write', 'tokens:read', 'proxy', 'connect'])
    .option('--expires-at <time>', 'ISO 8601 with a zone')
    .action((options: { readonly name: string; readonly scope: string[]; readonly expiresAt?: string }) =>
      withApi(async (api) => {
        const body = { name: options.name, scopes: options.scope, ...(options.expiresAt === undefined ? {} : { expires_at: options.expiresAt }) }
        const made = await api.call('POST', 'api-keys', body)
        output.result(made, () => formatFacts(made))
        output.note('Keep the key now; it is not shown again.')
      }, output),
    )
  group
    .command('rotate <id>')
    .description('makes a successor; the old key goes on for the overlap')
    .option('--overlap <seconds>', 'how long the old key still works', '86400')
    .action((id: string, options: { readonly overlap: string }) =>
      withApi(async (api) => {
        const made = await api.call('POST', `api-keys/${encodeURIComponent(id)}/rotate`, { overlap_seconds: Number(options.overlap) })
        output.result(made, () => formatFacts(made))
        output.note('Keep the key now; it is not shown again.')
      }),
    )
  group
    .command('revoke <id>')
    .description('ends a key at once')
    .action((id: string) =>
      withApi(async (api) => {
        const ended = await api.call('DELETE', `api-keys/${encodeURIComponent(id)}`)
        output.result({ id, revoked: true, ...ended }, () => `${id} is revoked.`)
      }),
    )
}
