import { patternOf } from '../core/provider/answer-path.ts'
import { answerPathsOf, isReadable } from '../core/provider/beside-body.ts'
import { factsOf } from '../core/provider/facts-of.ts'
import { isMachineGrant, isStaticGrant } from '../core/provider/grant-kind.ts'
import type { ProviderRecord } from '../core/provider/record.ts'
import type { RecordRequest } from '../core/provider/record-around.ts'
import { matchesPattern, placeholdersOf } from '../core/provider/template.ts'
import type { Problem } from './check-draft.ts'
import { requestProblems, tokenTemplates } from './check-requests.ts'

/** What a schema cannot say: names that must exist, patterns that must compile, fields that belong together. */
export function checkMeaning(record: ProviderRecord): Problem[] {
  return [
    ...endpointProblems(record),
    ...templateProblems(record),
    ...ruleProblems(record),
    ...pathProblems(record),
    ...variableProblems(record),
    ...choiceProblems(record),
    ...pushedCodeProblems(record),
    ...requestProblems(record),
  ]
}

/** A code that comes in a push belongs to whoever names the same installation in their browser. */
function pushedCodeProblems({ authorize, push }: ProviderRecord): Problem[] {
  if (authorize.callback.by === 'redirect') return []
  const pushed = (push?.rules ?? []).flatMap((rule) => (rule.means === 'code' ? Object.keys(rule.facts) : []))
  if (Object.keys(authorize.callback.facts).some((fact) => pushed.includes(fact))) return []
  return [{ path: 'authorize.callback.facts', text: 'must name a fact that a code rule of push names, too: nothing else tells whose code it is' }]
}

function endpointProblems(record: ProviderRecord): Problem[] {
  const { grant, token, authorize } = record
  const unsigned = (grant === 'jwt_bearer' || grant === 'installation') && token.signing === null
  const signing = unsigned ? [{ path: 'token.signing', text: `is missing: the grant ${grant} signs a JWT` }] : []
  if (record.discovery !== null) return signing
  const text = 'is missing: write the URL, or a discovery'
  return [
    ...signing,
    ...(authorize.url === null && !isMachineGrant(grant) ? [{ path: 'authorize.url', text }] : []),
    ...(token.url === null && !isStaticGrant(grant) ? [{ path: 'token.url', text }] : []),
  ]
}

function templateProblems(record: ProviderRecord): Problem[] {
  const chosen = Object.values(record.variables).flatMap(({ choices }) => Object.values(choices ?? {}).flatMap(({ sets }) => Object.keys(sets)))
  const variables = [...new Set([...Object.keys(record.variables), ...chosen])]
  const told = [...variables, ...factsOf(record)]
  const { revoke, chain, afterConnect, check } = record
  const before: Templates = [
    ['discovery.issuer', record.discovery?.issuer],
    ['issuer', record.issuer],
    ['authorize.url', record.authorize.url],
  ]
  const endpoints: Templates = [
    ['token.url', record.token.url],
    ['token.refreshUrl', record.token.refreshUrl],
  ]
  const revoking: Templates = [
    ['revoke.url', revoke?.url],
    ['revoke.fallback.url', revoke?.fallback?.url],
    ...texts('revoke.parameters', revoke?.parameters),
    ...texts('revoke.fallback.parameters', revoke?.fallback?.parameters),
  ]
  const requests: Templates = [
    ...chain.flatMap(({ request }, index) => requestTemplates(`chain.${index}.request`, request)),
    ...afterConnect.flatMap(({ request }, index) => requestTemplates(`afterConnect.${index}.request`, request)),
    ...(check === null ? [] : requestTemplates('check.request', check.request)),
  ]
  const calling: Templates = [
    ['api.base', record.api?.base],
    ['api.authorization.header', record.api?.authorization.header],
    ...(record.api?.hosts ?? []).map((host, index): [string, string] => [`api.hosts.${index}`, host]),
    ...texts('api.headers', record.api?.headers),
    ...record.verdicts.map(({ confirm }, index): [string, string | null] => [`verdicts.${index}.confirm`, confirm]),
    ...record.account.map((source, index): [string, string | null] => [`account.${index}.url`, source.from === 'request' ? source.url : null]),
  ]
  return [
    ...unknownNames(before, variables),
    ...tokenTemplates(record).flatMap(({ templates, more }) => unknownNames(templates, [...variables, ...more])),
    ...unknownNames(endpoints, [...told, 'client_id']),
    ...unknownNames(revoking, [...told, 'client_id', 'client_secret', 'account']),
    ...unknownNames(calling, [...told, 'client_id', 'userinfo']),
    ...unknownNames(requests, [...told, 'client_id', 'client_secret', 'access_token', 'account', 'userinfo']),
  ]
}

type Templates = readonly [string, string | null | undefined][]

function texts(path: string, table: Readonly<Record<string, string>> | null | undefined): Templates {
  return Object.entries(table ?? {}).map(([name, value]) => [`${path}.${name}`, value])
}

function requestTemplates(path: string, request: RecordRequest): Templates {
  return [[`${path}.url`, request.url], ...texts(`${path}.headers`, request.headers), ...texts(`${path}.parameters`, request.parameters)]
}

function unknownNames(templates: Templates, known: readonly string[]): Problem[] {
  return templates.flatMap(([path, template]) =>
    placeholdersOf(template ?? '')
      .filter((name) => !known.includes(name))
      .map((name) => ({ path, text: `uses {${name}}, which is no variable of this record${known.length > 0 ? ` (known: ${known.join(', ')})` : ''}` })),
  )
}

function ruleProblems(record: ProviderRecord): Problem[] {
  const wheres = [
    ...record.verdicts.map((rule, index) => ({ path: `verdicts.${index}.where`, where: rule.where })),
    ...(record.api?.answers ?? []).map((rule, index) => ({ path: `api.answers.${index}.where`, where: rule.where })),
    ...record.afterConnect.map(({ from }, index) => ({ path: `afterConnect.${index}.from.where`, where: from?.where ?? {} })),
    ...(record.push?.rules ?? []).map((rule, index) => ({ path: `push.rules.${index}.where`, where: rule.where })),
    { path: 'push.handshake.where', where: record.push?.handshake?.where ?? {} },
    { path: 'check.where', where: record.check?.where ?? {} },
  ]
  return wheres.flatMap(({ path, where }) =>
    Object.entries(where)
      .filter(([, expected]) => !compiles(() => patternOf(expected)))
      .map(([name, expected]) => ({ path: `${path}.${name}`, text: `must be a regular expression that compiles (found ${JSON.stringify(expected)})` })),
  )
}

/** A header or cookie that cannot be one would never be found. */
function pathProblems(record: ProviderRecord): Problem[] {
  return answerPathsOf(record)
    .filter(([, path]) => !isReadable(path))
    .map(([path, found]) => ({
      path,
      text: `must be header:NAME, cookie:NAME, cookie:NAME;max-age or cookie:NAME;expires where it leads beside the body (found ${JSON.stringify(found)})`,
    }))
}

function variableProblems(record: ProviderRecord): Problem[] {
  return Object.entries(record.variables)
    .filter(([, variable]) => variable.default !== null && !matchesPattern(variable.pattern, variable.default))
    .map(([name, variable]) => ({ path: `variables.${name}.default`, text: `must match ${variable.pattern} (found ${JSON.stringify(variable.default)})` }))
}

function choiceProblems(record: ProviderRecord): Problem[] {
  const { tokens, defaultToken } = record.answer
  const problems: Problem[] = []
  if (defaultToken !== null && (tokens === null || !Object.hasOwn(tokens, defaultToken)))
    problems.push({ path: 'answer.defaultToken', text: `must name one of answer.tokens (found "${defaultToken}")` })
  if (tokens !== null && defaultToken === null)
    problems.push({ path: 'answer.defaultToken', text: `is missing: choose one of ${Object.keys(tokens).join(', ')}` })
  if (record.reuse.class === 'P1' && record.reuse.windowSeconds === 0)
    problems.push({ path: 'reuse.windowSeconds', text: 'is missing: class P1 needs the length of its window' })
  return problems
}

function compiles(make: () => unknown): boolean {
  try {
    make()
    return true
  } catch {
    return false
  }
}
