import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { CommandFailure, EXIT } from '../exit-code.ts'
import { formatFacts } from '../output.ts'
import { withApi } from '../reach.ts'
import type { Shell } from '../shell.ts'

interface CredentialOptions {
  readonly integration?: string
  readonly owner?: string
  readonly account?: string
  readonly tag?: string[]
  readonly credential?: string[]
  readonly credentialsFile?: string
  readonly variable?: string[]
  readonly expiresAt?: string
  /** Commander's name of `--no-verify`. */
  readonly verify: boolean
  readonly replace?: boolean
}

/** `connections create` and `connections credentials`: what needs no browser. */
export function credentialCommands(group: Command, shell: Shell): void {
  const create = group
    .command('create')
    .description('connects a provider that needs no browser: client credentials, JWT bearer, an installation, an API key, a password')
    .requiredOption('--integration <id>', 'id or slug of the integration')
    .requiredOption('--owner <owner>', 'whose connection it is')
    .option('--account <id>', 'account at the provider, where the provider does not tell it')
    .option('--tag <tag...>', 'tags of yours')
    .option('--replace', 'when this owner has this already: store the credentials into that connection')
  withCredentials(create).action((options: CredentialOptions) => {
    const { integration = '', owner = '', account, tag, replace } = options
    const own = { ...(account === undefined ? {} : { account }), ...(tag === undefined ? {} : { tags: tag }), ...(replace === true ? { replace } : {}) }
    return send(shell, 'POST', 'connections', { integration, owner, ...own, ...fieldsOf(options), credentials: credentialsOf(options) ?? {} })
  })
  const replace = group
    .command('credentials <id>')
    .description('gives a connection without a browser new credentials, under its id; without any, the stored ones are tried again')
  withCredentials(replace).action((id: string, options: CredentialOptions) => {
    const credentials = credentialsOf(options)
    return send(shell, 'PUT', `connections/${encodeURIComponent(id)}/credentials`, { ...fieldsOf(options), ...(credentials === null ? {} : { credentials }) })
  })
}

function withCredentials(command: Command): Command {
  return command
    .option('--credentials-file <path>', 'JSON with the credentials, such as {"api_key": "..."}; `-` reads standard input, so that none is in a process list')
    .option('--credential <name=value...>', 'one that is no secret, such as subject=ada@example.com')
    .option('--variable <name=value...>', "values for the provider's URLs: installation_id, account_id")
    .option('--expires-at <time>', 'known end of an API key or password: 2027-01-31T00:00:00Z')
    .option('--no-verify', 'store them without asking the provider first')
}

function fieldsOf({ variable, expiresAt, verify }: CredentialOptions): JsonObject {
  return {
    verify,
    ...(variable === undefined ? {} : { variables: pairs(variable) }),
    ...(expiresAt === undefined ? {} : { expires_at: expiresAt }),
  }
}

/** Null when none was named. */
function credentialsOf({ credential, credentialsFile }: CredentialOptions): JsonObject | null {
  if (credential === undefined && credentialsFile === undefined) return null
  return { ...(credentialsFile === undefined ? {} : readCredentials(credentialsFile)), ...pairs(credential ?? []) }
}

/** File descriptor 0 is standard input. */
function readCredentials(path: string): JsonObject {
  let value: JsonValue
  try {
    value = JSON.parse(readFileSync(path === '-' ? 0 : path, 'utf8'))
  } catch {
    throw new CommandFailure(EXIT.usage, `--credentials-file: ${path} cannot be read as JSON`)
  }
  if (!isJsonObject(value)) throw new CommandFailure(EXIT.usage, '--credentials-file: one JSON object such as {"api_key": "..."} is expected')
  return value
}

function pairs(texts: readonly string[]): JsonObject {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf('=')
      if (at < 1) throw new CommandFailure(EXIT.usage, `'${text}' is not name=value`)
      return [text.slice(0, at), text.slice(at + 1)]
    }),
  )
}

function send({ output }: Shell, method: 'POST' | 'PUT', path: string, body: JsonObject): Promise<void> {
  return withApi(async (api) => {
    const item = await api.call(method, path, body)
    output.result(item, () => formatFacts(item))
  })
}
