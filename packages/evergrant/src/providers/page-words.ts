import { isMachineGrant, isStaticGrant } from '../core/provider/grant-kind.ts'
import type { ApiAnswerRule, ProviderRecord, VerdictRule } from '../core/provider/record.ts'
import type { RecordRequest } from '../core/provider/record-around.ts'

/** Says of a field that nobody has verified it; empty for all others. A name stands for everything below it. */
export function unverifiedMark(record: ProviderRecord, ...paths: readonly string[]): string {
  const doubted = paths.some((path) => record.unverified.some((name) => path === name || path.startsWith(`${name}.`)))
  return doubted ? ' *(unverified)*' : ''
}

const UNITS = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
] as const

/** `90 days`, `8 hours`, `90 minutes`: the largest unit that leaves no rest. */
export function span(seconds: number): string {
  const [unit, length] = UNITS.find(([, one]) => seconds >= one && seconds % one === 0) ?? ['second', 1]
  const count = seconds / length
  return `${count.toLocaleString('en-US')} ${unit}${count === 1 ? '' : 's'}`
}

export function code(text: string): string {
  return text.includes('`') ? `\`\` ${text} \`\`` : `\`${text}\``
}

/** A table; empty without rows. Cells must not end early. */
export function table(columns: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return []
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`
  return ['', line(columns), line(columns.map(() => '---')), ...rows.map(line)]
}

export function list(items: readonly string[]): string[] {
  return items.length === 0 ? [] : ['', ...items.map((item) => `- ${item}`)]
}

/** Status and conditions of a rule: HTTP 400 or 401 with `error` = `invalid_grant`. */
export function conditionWords(status: readonly number[] | null, where: Readonly<Record<string, string | number | boolean>>): string {
  const said = Object.entries(where).map(([path, value]) => `${code(path)} ${matchWords(value)}`)
  const http = status === null || status.length === 0 ? '' : `HTTP ${status.join(' or ')}`
  return [http, said.join(' and ')].filter((part) => part !== '').join(' with ') || 'any answer'
}

function matchWords(value: string | number | boolean): string {
  if (value === '*') return 'is there'
  const text = String(value)
  return /^\/.+\/i?$/s.test(text) ? `matches ${code(text)}` : `is ${code(text)}`
}

export function requestWords(request: RecordRequest): string {
  return code(`${request.method} ${request.url}`)
}

export const GRANT_WORDS: Readonly<Record<ProviderRecord['grant'], string>> = {
  authorization_code: 'A person consents in the browser (authorization code, RFC 6749 section 4.1).',
  client_credentials: 'The client itself is granted access (client credentials, RFC 6749 section 4.4): no browser, no person.',
  jwt_bearer: 'A JWT that Evergrant signs is exchanged for tokens (RFC 7523): no browser, no person.',
  installation: 'An installation of the app is granted access, with a JWT that Evergrant signs: no browser.',
  api_key: 'An API key is stored: no flow at all.',
  basic: 'A user name and a password are stored: no flow at all.',
}

export const HANDLING: Readonly<Record<VerdictRule['verdict'], string>> = {
  dead: 'Makes sure that no newer token was stored, then asks the owner to reconnect.',
  expired: 'Makes sure that no newer token was stored, then asks the owner to reconnect.',
  throttled: 'Waits as long as the provider says, and tries again.',
  unknown: 'Takes it for no proof of anything: tries again, and never ends the grant.',
  config: 'Tells the operator that the client is refused; grants stay as they are, and no owner is asked for anything.',
  restart_flow: 'Asks the person to start the connect flow again; nothing that is stored changes.',
  admin_approval: 'Says that an administrator at the provider has to consent.',
}

/** What follows from a verdict. Without a browser there is no owner to send anywhere: new credentials go into the same connection. */
export function handlingOf({ grant }: ProviderRecord, verdict: VerdictRule['verdict']): string {
  if (!isMachineGrant(grant)) return HANDLING[verdict]
  return verdict === 'dead' || verdict === 'expired' || verdict === 'restart_flow' ? NEW_CREDENTIALS : HANDLING[verdict]
}

const NEW_CREDENTIALS = 'Asks for new credentials; the connection keeps its id, and without new ones the stored ones can be tried again.'

export const API_HANDLING: Readonly<Record<ApiAnswerRule['means'], string>> = {
  token_rejected: 'The proxy refreshes once and replays the call.',
  scope_missing: 'The answer is passed on; a refresh would not help, the owner must grant more.',
  throttled: 'The proxy waits, and tells callers until when.',
  not_about_the_token: 'The answer is passed on; the token is fine.',
}

/** What a second use of a refresh token does, and what Evergrant does about it. */
export function reuseWords(record: ProviderRecord): string {
  const { grant, reuse, lifetimes, token } = record
  if (token.refresh.presents === 'access_token')
    return 'There is no refresh token: the access token renews itself while it lives, and Evergrant renews it in time.'
  if (isStaticGrant(grant)) return 'Nothing renews it: it is served until its known end, or until the provider refuses it.'
  if (isMachineGrant(grant)) return 'There is no refresh token: the same credentials ask for each token anew, so a lost answer costs nothing.'
  if (!lifetimes.issuesRefreshToken) return 'There is no refresh token. A token that ended or was revoked asks the owner to reconnect.'
  switch (reuse.class) {
    case 'P0':
      return 'The same refresh token can be presented again: a lost answer is simply asked for again (class P0).'
    case 'P1':
      return `Inside ${span(reuse.windowSeconds)} the same refresh token can be presented again: Evergrant repeats a lost request inside this window and not after it (class P1).`
    case 'P2':
      return 'An old refresh token works until its successor is used: Evergrant stores the new pair before anybody uses it (class P2).'
    case 'P3':
      return 'A refresh token works once. Evergrant notes each attempt before it is sent, and stores the answer before it is used (class P3).'
    case 'P4':
      return 'A second use of a refresh token ends the whole grant. Evergrant does not repeat a request whose answer was lost while the access token still lives (class P4).'
    case 'PU':
      return `${unverifiedMark(record, 'reuse') === '' ? 'Nobody knows' : 'Nobody has checked'} what a second use of a refresh token does: Evergrant takes it for the strictest class until the integration's setting \`reuse\` says otherwise (class PU).`
  }
}
