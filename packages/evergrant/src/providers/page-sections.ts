import { isNamedByBrowser } from '../core/provider/account.ts'
import { isMachineGrant, isStaticGrant } from '../core/provider/grant-kind.ts'
import type { AccountSource, ProviderRecord } from '../core/provider/record.ts'
import type { QuotaFacts } from '../core/provider/record-around.ts'
import { API_HANDLING, code, conditionWords, HANDLING, handlingOf, list, requestWords, reuseWords, span, table, unverifiedMark } from './page-words.ts'

/** Where the callback of an integration stands; its slug is the last part. */
const CALLBACK = 'https://<your Evergrant>/connect/callback/'

export function setUp(record: ProviderRecord): string[] {
  const steps = record.setup.map((step, index) => `${index + 1}. ${step.replaceAll('{redirect_uri}', code(CALLBACK + record.id))}`)
  const told = Object.entries(record.variables).filter(([, variable]) => variable.askedOf !== 'provider')
  const variables = told.map(([name, { label, example, default: preset, askedOf, choices }]) => [
    code(name),
    choices === null
      ? label
      : `${label}: ${Object.entries(choices)
          .map(([value, choice]) => (value === choice.label ? code(value) : `${code(value)} ${choice.label}`))
          .join(', ')}`,
    code(example),
    preset === null ? '' : code(preset),
    askedOf === 'integration' ? 'the integration' : 'each connection',
  ])
  const here = isMachineGrant(record.grant)
    ? []
    : [
        '',
        `The last part of the redirect URI is the slug of your integration: with another slug it reads otherwise. ${code('evergrant integrations show <slug>')} prints it as ${code('callback_url')}.`,
      ]
  return [
    `## Set it up${unverifiedMark(record, 'setup')}`,
    '',
    ...steps,
    ...here,
    ...(told.length === 0 ? [] : table(['variable', 'what it is', 'example', 'default', 'asked of'], variables)),
    '',
    '```sh',
    ...createCommand(record),
    '```',
  ]
}

function createCommand(record: ProviderRecord): string[] {
  const asked = Object.entries(record.variables).filter(([, { askedOf, default: preset }]) => askedOf === 'integration' && preset === null)
  const variables = asked.map(([name, { example }]) => `  --variable '${name}=${example}'`)
  const { clientAuth, signature } = record.token
  const signs = clientAuth === 'signed_secret' || clientAuth === 'private_key_jwt' || signature?.algorithm === 'ed25519'
  const secret = signs ? 'private-key.pem' : 'client-secret.txt'
  const client = isStaticGrant(record.grant) ? [] : [`  --client-id <client id> --client-secret-file ${secret}`]
  const lines = [
    `evergrant integrations create --provider ${record.id} --slug ${record.id} --name '${record.name.replaceAll("'", '')}'`,
    ...client,
    ...variables,
  ]
  return [...continued(lines), ...(isMachineGrant(record.grant) ? continued(connectCommand(record)) : [])]
}

function continued(lines: readonly string[]): string[] {
  return lines.map((line, index) => (index === lines.length - 1 ? line : `${line} \\`))
}

/** Secrets go through a file, so that none is in a process list. */
function connectCommand(record: ProviderRecord): string[] {
  const asked = Object.entries(record.variables).filter(([, { askedOf, default: preset }]) => askedOf === 'connection' && preset === null)
  const variables = asked.map(([name, { example }]) => `  --variable '${name}=${example}'`)
  const proof = record.grant === 'installation' ? [] : ['  --credentials-file credentials.json']
  return [`evergrant connections create --integration ${record.id} --owner <whose it is>`, ...proof, ...variables]
}

export function scopes(record: ProviderRecord): string[] {
  const { authorize } = record
  if (isMachineGrant(record.grant) && Object.keys(record.scopes).length === 0) return []
  const names = [...new Set([...Object.keys(record.scopes), ...authorize.requiredScopes, ...authorize.defaultScopes])]
  const rows = names.map((name) => [
    code(name),
    record.scopes[name] ?? '',
    authorize.requiredScopes.includes(name)
      ? 'always'
      : authorize.defaultScopes.includes(name)
        ? 'unless the integration names others'
        : 'when the integration names it',
  ])
  const none =
    authorize.scopeParameter === null
      ? 'The request carries no scopes: what is granted is chosen at the provider.'
      : names.length === 0
        ? 'None are asked for unless the integration names some.'
        : null
  const doubted = unverifiedMark(record, 'scopes', 'authorize.defaultScopes')
  return ['', `## Scopes${doubted}`, ...(none === null ? [] : ['', none]), ...table(['scope', 'what it allows', 'asked for'], rows)]
}

export function lifetimes(record: ProviderRecord): string[] {
  const { accessSeconds, refreshIdleSeconds, refreshAbsoluteSeconds, absoluteFrom, absoluteSince, issuesRefreshToken, cap } = record.lifetimes
  const mark = (...names: string[]) => unverifiedMark(record, ...names.map((name) => `lifetimes.${name}`))
  const since = absoluteSince === null ? '' : ` (grants consented since ${absoluteSince.slice(0, 10)})`
  const absolute =
    absoluteFrom === 'consent' ? 'after the consent; no refresh extends it, and the owner is warned before' : 'after its issue; each refresh starts anew'
  const rows = [
    [
      'Access token',
      `${accessSeconds === null ? 'as its answer says' : `${span(accessSeconds)} where the answer does not say otherwise`}${mark('accessSeconds')}`,
    ],
    ['Refresh token', `${issuesRefreshToken ? 'issued' : 'none'}${mark('issuesRefreshToken')}`],
    ...(refreshIdleSeconds === null
      ? []
      : [['Unused', `ends ${span(refreshIdleSeconds)} after the last refresh; Evergrant refreshes unused grants in time${mark('refreshIdleSeconds')}`]]),
    ...(refreshAbsoluteSeconds === null
      ? []
      : [['At the latest', `ends ${span(refreshAbsoluteSeconds)} ${absolute}${since}${mark('refreshAbsoluteSeconds', 'absoluteFrom')}`]]),
    ...(cap === null
      ? []
      : [['Grants for each account', `${cap.grants}; one more ${cap.next === 'refused' ? 'is refused' : 'silently ends the oldest'}${mark('cap')}`]]),
    ...(issuesRefreshToken ? [['Rotation', `${ROTATION[record.rotation]}${unverifiedMark(record, 'rotation')}`]] : []),
  ]
  const evidence =
    record.reuse.evidence === '' || record.reuse.evidence === 'No refresh token is issued.'
      ? ''
      : ` ${record.reuse.class === 'PU' && unverifiedMark(record, 'reuse') !== '' ? 'Said' : 'Evidence'}: ${record.reuse.evidence}`
  return ['', '## Lifetimes', ...table(['what', 'how long'], rows), '', `${reuseWords(record)}${unverifiedMark(record, 'reuse')}${evidence}`]
}

const ROTATION: Readonly<Record<ProviderRecord['rotation'], string>> = {
  never: 'a refresh leaves the refresh token as it is',
  always: 'each refresh answers with a new refresh token',
  sometimes: 'a refresh may answer with a new refresh token: the one of the answer counts',
  optional: 'a setting at the provider',
  unknown: 'not known: whatever refresh token an answer brings is kept',
}

export function whatBreaks(record: ProviderRecord): string[] {
  const rules = record.verdicts.map(({ step, status, where, meaning, verdict, confirm }, index) => [
    `${step === 'any' ? '' : `${step === 'exchange' ? 'code exchange' : 'refresh'}: `}${conditionWords(status, where)}`,
    `${meaning}${unverifiedMark(record, `verdicts.${index}`)}`,
    `${confirm === null ? '' : `${code(confirm)} is asked first, to tell the end from a wrong client. `}${
      (verdict === 'dead' || verdict === 'expired') && step === 'exchange' ? handlingOf(record, 'restart_flow') : handlingOf(record, verdict)
    }`,
  ])
  const api = (record.api?.answers ?? []).map(({ status, where, means }, index) => [
    `API: ${conditionWords(status, where)}`,
    unverifiedMark(record, `api.answers.${index}`).trim(),
    API_HANDLING[means],
  ])
  const standard = isStaticGrant(record.grant) ? [staticRow(record)] : standardRows(record)
  return [
    '',
    '## What breaks, and what Evergrant does',
    ...table(['the provider says', 'it means', 'Evergrant'], [...rules, ...api, ...standard]),
    ...list(habits(record)),
  ]
}

function staticRow(record: ProviderRecord): string[] {
  const told =
    record.check === null ? 'Believes it, as the record knows no call that proves the secret' : 'Asks the provider whether it still takes the secret; if not'
  return ['API: HTTP 401', 'A reader says so, or the proxy saw it.', `${told}: ${handlingOf(record, 'dead').replace(/^A/, 'a')}`]
}

function standardRows(record: ProviderRecord): string[][] {
  const machine = isMachineGrant(record.grant)
  const own = machine
    ? `${HANDLING.config} Where the connection has a client or key of its own: ${handlingOf(record, 'dead').replace(/^A/, 'a')}`
    : HANDLING.config
  return [
    [
      '`invalid_grant`, HTTP 400, 401 or 403',
      machine ? 'RFC 6749 section 5.2: what is presented is not accepted.' : 'RFC 6749 section 5.2: the grant, or the code, is over.',
      machine ? handlingOf(record, 'dead') : 'Asks the owner to reconnect; in a flow, to start it again.',
    ],
    ['`invalid_client`, other 4xx', "The client id, the secret or the request is wrong: the operator's job.", own],
    ['HTTP 429', 'Too many requests.', HANDLING.throttled],
    ['HTTP 408, 5xx, a page, no answer', 'Nobody knows what happened.', HANDLING.unknown],
  ]
}

/** What is odd about this provider and handled by itself. */
function habits(record: ProviderRecord): string[] {
  const { lifetimes: life, token, chain, afterConnect, limits, authorize, answer } = record
  const said = (condition: boolean, ...words: string[]) => (condition ? words : [])
  return [
    ...said(
      life.noopAboveSeconds !== null,
      `A refresh with more than ${span(life.noopAboveSeconds ?? 0)} left changes nothing: Evergrant refreshes after that, and takes the same token for no failure.`,
    ),
    ...said(life.refreshEndsAccessToken, 'A refresh ends the old access token: whoever still holds it gets one 401, and the new one after it.'),
    ...said(life.onePerAccount, 'A second consent of the same account ends the first grant: Evergrant says so before and after.'),
    ...said(token.refresh.prolongs, 'A refresh answers without a token: the one that is held lives on.'),
    ...said(token.refresh.minimumAgeSeconds !== null, `A token younger than ${span(token.refresh.minimumAgeSeconds ?? 0)} cannot be renewed: Evergrant waits.`),
    ...said(answer.success !== null, 'An answer counts as success by its body, whatever its status.'),
    ...said(authorize.callback.by === 'push', 'The authorization code comes in a push of the provider, not with the browser.'),
    ...said(authorize.callback.hmac !== null, 'The callback is signed, and the signature is checked.'),
    ...chain.map(
      (step) =>
        `After the exchange${step.onRefresh ? ' and each refresh' : ''} a further request (${requestWords(step.request)}) brings the token to keep${unverifiedMark(record, 'chain')}; the first answer is stored before it is sent.`,
    ),
    ...afterConnect.map(
      (step) =>
        `After a consent Evergrant asks for ${step.finds} (${requestWords(step.request)})${step.needed ? '; a consent without it fails' : ''}${unverifiedMark(record, 'afterConnect')}.`,
    ),
    ...said(
      limits.token !== null,
      `The token endpoint takes ${limits.token?.requests} requests in ${span(limits.token?.seconds ?? 0)} for each ${limits.token?.per}: Evergrant keeps below that${unverifiedMark(record, 'limits')}.`,
    ),
    ...record.sunsets.map(({ what, on, instead }) => `**${on}**: ${what}${instead === '' ? '' : ` Instead: ${instead}`}${unverifiedMark(record, 'sunsets')}`),
  ]
}

export function using(record: ProviderRecord): string[] {
  const rows = [['Account', accountWords(record)], ['Disconnecting', revokeWords(record)], ...apiRows(record), ...checkRows(record), ...pushRows(record)]
  return ['', '## Using it', ...table(['what', 'how'], rows)]
}

function accountWords(record: ProviderRecord): string {
  if (record.account.length === 0) return 'cannot be named: a reconnect cannot check who it was'
  const proof = isNamedByBrowser(record) ? ', which proves nothing: a reconnect needs the mode `verified` or `signed_in`' : ''
  return `${record.account.map(sourceWords).join(', else ')}${unverifiedMark(record, 'account')}${proof}`
}

function sourceWords(source: AccountSource): string {
  switch (source.from) {
    case 'answer':
      return `${code(source.path)} of the token answer`
    case 'id_token':
      return `${code(source.claim)} of the id_token`
    case 'access_token':
      return `${code(source.claim)} of the access token`
    case 'callback':
      return `${code(source.parameter)} of the callback`
    case 'variable':
      return source.pattern === null ? code(source.name) : `the part of ${code(source.name)} that stays the same`
    case 'request':
      return `${code(source.path)} of ${code(`${source.method} ${source.url}`)}`
  }
}

function revokeWords(record: ProviderRecord): string {
  const { revoke } = record
  if (revoke === null) return 'ends the connection here; the provider offers no way that this record knows'
  const reach =
    revoke.reach === 'grant' ? 'everything of the account at this client ends, so it is sent with the last connection of the account only' : 'this token ends'
  return `revokes the ${revoke.token} token at the provider: ${reach}${unverifiedMark(record, 'revoke', 'revoke.url', 'revoke.reach')}`
}

function apiRows(record: ProviderRecord): string[][] {
  const { api } = record
  if (api === null) return []
  const { header, prefix, query } = api.authorization
  const carried = query === null ? `${code(`${header}: ${prefix}<token>`)}` : `the query parameter ${code(query)}`
  const hosts = api.hosts.length === 0 ? '' : `; further hosts: ${api.hosts.map(code).join(', ')}`
  const own = Object.keys(api.headers)
  return [
    [
      'API',
      `${code(api.base)}, the token in ${carried}${own.length === 0 ? '' : `, and ${own.map(code).join(', ')}`}${hosts}${unverifiedMark(record, 'api.base', 'api.hosts', 'api.authorization')}`,
    ],
    ...api.required.map(({ header: name, except, meaning }) => [
      'Header of the caller',
      `${code(name)}: ${meaning}${except.length === 0 ? '' : ` Not for ${except.map(code).join(', ')}.`}`,
    ]),
    ...record.limits.api.map((quota) => ['Quota', `${quotaWords(quota)}${unverifiedMark(record, 'limits')}`]),
  ]
}

function quotaWords(quota: QuotaFacts): string {
  const { name, per, limit, used, remaining, reset, windowSeconds } = quota
  const headers = [...new Set([limit, used, remaining, reset].flatMap((one) => (one === null ? [] : [one.header])))]
  const length = windowSeconds === null ? '' : `, ${span(windowSeconds)}`
  return `${code(name)}, ${per === 'client' ? 'for all connections of the integration' : 'for each connection'}${length}: ${headers.map(code).join(', ')}`
}

function checkRows(record: ProviderRecord): string[][] {
  const { check } = record
  if (check === null) return []
  const often = check.everySeconds === null ? '' : `, every ${span(check.everySeconds)}, as the provider demands`
  const needs = check.needsScope.length === 0 ? '' : `, with the scope ${check.needsScope.map(code).join(' or ')}`
  return [['Test', `${requestWords(check.request)}${often}${needs}${unverifiedMark(record, 'check')}`]]
}

function pushRows(record: ProviderRecord): string[][] {
  const { push } = record
  if (push === null) return []
  const means = { revoked: 'a grant that its owner took back', code: 'an authorization code', changed: 'events for your application' } as const
  const told = [...new Set(push.rules.map((rule) => means[rule.means]))].join(' and ')
  const proof = push.proof.kind === 'none' ? 'unsigned, so that the secret address proves it' : `proven by ${code(push.proof.header)}`
  return [['Push', `tells of ${told}, ${proof}${unverifiedMark(record, 'push')}; see [provider events](../guides/provider-events.md)`]]
}
