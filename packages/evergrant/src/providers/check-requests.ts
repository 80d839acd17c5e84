import { factsOf } from '../core/provider/facts-of.ts'
import { isMachineGrant } from '../core/provider/grant-kind.ts'
import type { ClientAuth, ProviderRecord, VariableDefinition } from '../core/provider/record.ts'
import { matchesPattern, placeholdersOf } from '../core/provider/template.ts'
import { secretIsKey } from '../core/provider/values.ts'
import type { Problem } from './check-draft.ts'

/** What belongs together in how requests are built and refreshes work. */
export function requestProblems(record: ProviderRecord): Problem[] {
  return [
    ...proofProblems(record),
    ...keyProblems(record),
    ...refreshProblems(record),
    ...accountProblems(record),
    ...toldProblems(record),
    ...choiceProblems(record),
  ]
}

/** Templates of requests to the token endpoint, and the names that each may use besides variables. */
export function tokenTemplates(
  record: ProviderRecord,
): { readonly templates: readonly [string, string | null | undefined][]; readonly more: readonly string[] }[] {
  const { authorize, token, revoke, account, grant } = record
  const machine = isMachineGrant(grant) ? ['scope', 'issuer', 'subject', 'key_id'] : []
  return [
    { templates: named('authorize.parameters', authorize.parameters), more: ['client_id'] },
    {
      templates: [
        ['token.authorization', token.authorization],
        ...named('token.headers', token.headers),
        ...named('token.refresh.headers', token.refresh.headers),
        ...named('token.exchangeParameters', token.exchangeParameters),
        ...named('token.refreshParameters', token.refreshParameters),
        ...named('token.signing.header', token.signing?.header),
        ...named('token.signing.claims', token.signing?.claims),
        ['token.awsSignature.region', token.awsSignature?.region],
        ['revoke.authorization', revoke?.authorization],
        ['revoke.fallback.authorization', revoke?.fallback?.authorization],
      ],
      more: [...factsOf(record), 'client_id', 'client_secret', 'token_url', ...machine],
    },
    {
      templates: account.flatMap((source, index) => (source.from === 'request' ? named(`account.${index}.headers`, source.headers) : [])),
      more: [...factsOf(record), 'client_id', 'access_token', 'userinfo'],
    },
  ]
}

function named(path: string, table: Readonly<Record<string, string>> | null | undefined): [string, string][] {
  return Object.entries(table ?? {}).map(([name, value]) => [`${path}.${name}`, value])
}

/** A JWT is dated back by a minute, for clocks that are behind ours; the rest is for the way. */
const SHORTEST_JWT_SECONDS = 90

/** What signs, shows or says who the client is must be there. */
function proofProblems(record: ProviderRecord): Problem[] {
  const { token, revoke } = record
  const ways: [string, ClientAuth | null][] = [
    ['token.clientAuth', token.clientAuth],
    ['token.refresh.clientAuth', token.refresh.clientAuth],
  ]
  const used = (...kinds: ClientAuth[]) => ways.find(([, way]) => way !== null && kinds.includes(way))
  const signs = used('signed_secret', 'private_key_jwt')
  const says = used('header')
  const problems: Problem[] = []
  if (signs !== undefined && token.signing === null) problems.push({ path: 'token.signing', text: `is missing: ${signs[0]} ${signs[1]} signs a JWT` })
  if (says !== undefined && token.authorization === null)
    problems.push({ path: 'token.authorization', text: `is missing: ${says[0]} header sends this text as the Authorization header` })
  for (const [path, way] of [
    ['revoke', revoke],
    ['revoke.fallback', revoke?.fallback ?? null],
  ] as const) {
    if (way?.clientAuth === 'header' && way.authorization === null)
      problems.push({ path: `${path}.authorization`, text: `is missing: ${path}.clientAuth header sends this text as the Authorization header` })
  }
  const seconds = token.signing?.lifetimeSeconds ?? SHORTEST_JWT_SECONDS
  if (seconds < SHORTEST_JWT_SECONDS)
    problems.push({
      path: 'token.signing.lifetimeSeconds',
      text: `must be at least ${SHORTEST_JWT_SECONDS}, because it counts from a minute ago (found ${seconds})`,
    })
  return [...problems, ...signatureProblems(record), ...confirmProblems(record)]
}

const SIGNED = ['method', 'host', 'path', 'body', 'body_sha256', 'timestamp', 'client_id', 'client_secret']

/** Signatures over the request: what they are made of, and that their key does not go out beside them. */
function signatureProblems({ token, grant }: ProviderRecord): Problem[] {
  const { signature, awsSignature, clientAuth } = token
  if (signature === null && awsSignature === null) return []
  const path = signature === null ? 'token.awsSignature' : 'token.signature'
  const problems: Problem[] = []
  for (const name of placeholdersOf(signature?.text ?? '').filter((one) => !SIGNED.includes(one)))
    problems.push({ path: 'token.signature.text', text: `uses {${name}}, which is none of ${SIGNED.map((one) => `{${one}}`).join(', ')}` })
  const keyed = awsSignature !== null || signature?.algorithm === 'ed25519'
  if (keyed && placeholdersOf(signature?.text ?? '').includes('client_secret'))
    problems.push({ path: 'token.signature.text', text: 'uses {client_secret}, which is the key that signs and never sent' })
  for (const [place, way] of [
    ['token.clientAuth', clientAuth],
    ['token.refresh.clientAuth', token.refresh.clientAuth],
  ] as const)
    if (keyed && way !== null && way !== 'none')
      problems.push({ path: place, text: `must be none: the client secret is the key of ${path}, and the signature proves the client (found ${way})` })
  if (grant === 'installation') problems.push({ path, text: 'does not go with the grant installation, whose requests carry a signed JWT' })
  return problems
}

/** Asking again proves the client only where headers prove it, and settles an end only where nothing was spent. */
function confirmProblems({ grant, token, verdicts }: ProviderRecord): Problem[] {
  const proves = grant === 'installation' || (grant === 'client_credentials' && ['basic', 'basic_raw', 'header'].includes(token.clientAuth))
  return verdicts.flatMap(({ confirm, verdict }, index): Problem[] => {
    if (confirm === null) return []
    const path = `verdicts.${index}.confirm`
    if (verdict !== 'dead' && verdict !== 'expired') return [{ path, text: `goes with the verdicts dead and expired (found ${verdict})` }]
    return proves
      ? []
      : [{ path, text: 'needs a grant without a browser whose client proves itself in a header: installation, or client_credentials with basic or header' }]
  })
}

/** A key proves without being sent: nothing of the record may put it into a request. */
function keyProblems(record: ProviderRecord): Problem[] {
  const { token, revoke, chain, afterConnect, check } = record
  if (!secretIsKey(token)) return []
  const text = 'does not go with a client secret that is a key'
  const problems: Problem[] = []
  const { clientAuth: own } = token.refresh
  const both = { ...token, refresh: { ...token.refresh, clientAuth: null } }
  if (own !== null && secretIsKey(both) !== secretIsKey({ ...both, clientAuth: own }))
    problems.push({ path: 'token.refresh.clientAuth', text: `${text}: exchange and refresh must both use it, or neither` })
  for (const [path, way] of [
    ['revoke.clientAuth', revoke],
    ['revoke.fallback.clientAuth', revoke?.fallback ?? null],
  ] as const) {
    if (way?.clientAuth === 'body' || way?.clientAuth === 'basic') problems.push({ path, text: `${text}: use as_token` })
  }
  const requests = [...chain, ...afterConnect, ...(check === null ? [] : [check])].map(({ request }) => request)
  const templates: [string, string | null | undefined][] = [
    ...tokenTemplates(record).flatMap((group) => [...group.templates]),
    ...named('revoke.parameters', revoke?.parameters),
    ...named('revoke.fallback.parameters', revoke?.fallback?.parameters),
    ...requests.flatMap(({ url, headers, parameters }) => [[url, url] as [string, string], ...named(url, headers), ...named(url, parameters)]),
  ]
  for (const [path, template] of templates)
    if (placeholdersOf(template ?? '').includes('client_secret')) problems.push({ path, text: `uses {client_secret}, which ${text}` })
  return problems
}

function refreshProblems({ token, answer, lifetimes, chain }: ProviderRecord): Problem[] {
  const { presents, prolongs, minimumAgeSeconds } = token.refresh
  const problems: Problem[] = []
  if (prolongs && answer.success === null)
    problems.push({ path: 'answer.success', text: 'is missing: a refresh that prolongs (token.refresh.prolongs) has no token to prove its success' })
  if (prolongs && lifetimes.accessSeconds === null)
    problems.push({ path: 'lifetimes.accessSeconds', text: 'is missing: it says how long a success of token.refresh.prolongs prolongs the token' })
  if (prolongs && presents === 'access_token')
    problems.push({ path: 'token.refresh.prolongs', text: 'does not go with token.refresh.presents access_token: say which of the two it is' })
  if (presents === 'access_token' && chain.some(({ onRefresh }) => onRefresh))
    problems.push({ path: 'token.refresh.presents', text: 'must be refresh_token where a step of chain runs on every refresh (onRefresh)' })
  // Where a chain follows, the lifetime is the one of its first token.
  if (minimumAgeSeconds !== null && chain.length === 0 && lifetimes.accessSeconds !== null && minimumAgeSeconds >= lifetimes.accessSeconds)
    problems.push({
      path: 'token.refresh.minimumAgeSeconds',
      text: `must be less than lifetimes.accessSeconds (${lifetimes.accessSeconds}), or nothing could ever be renewed`,
    })
  return problems
}

function accountProblems(record: ProviderRecord): Problem[] {
  const pushed = (record.push?.rules ?? []).flatMap(({ pattern }, index) => patternProblems(`push.rules.${index}.pattern`, pattern))
  const own = record.account.flatMap((source, index): Problem[] => {
    const pattern = 'pattern' in source ? patternProblems(`account.${index}.pattern`, source.pattern) : []
    if (source.from !== 'variable' || Object.hasOwn(record.variables, source.name)) return pattern
    return [
      ...pattern,
      {
        path: `account.${index}.name`,
        text: `must name a variable of this record: ${Object.keys(record.variables).join(', ') || 'it has none'} (found "${source.name}")`,
      },
    ]
  })
  return [...own, ...pushed]
}

function patternProblems(path: string, pattern: string | null): Problem[] {
  if (pattern === null) return []
  const groups = groupsOf(pattern)
  const found = JSON.stringify(pattern)
  if (groups === null) return [{ path, text: `must be a regular expression that compiles (found ${found})` }]
  return groups === 0 ? [{ path, text: `must have a group in round brackets around the id (found ${found})` }] : []
}

/** How many groups a pattern has; null when it does not compile. */
function groupsOf(pattern: string): number | null {
  try {
    return (new RegExp(`${pattern}|`).exec('')?.length ?? 1) - 1
  } catch {
    return null
  }
}

/** What the provider tells comes too late for some URLs, and through a browser for others. */
function toldProblems(record: ProviderRecord): Problem[] {
  const { variables, authorize, discovery, issuer, token, revoke } = record
  const facts = factsOf(record)
  const late = Object.entries(variables).filter(([, variable]) => variable.askedOf === 'provider' && variable.default === null)
  const early: [string, string | null | undefined][] = [
    ['authorize.url', authorize.url],
    ['discovery.issuer', discovery?.issuer],
    ['issuer', issuer],
  ]
  const tooLate = early.flatMap(([path, template]) =>
    placeholdersOf(template ?? '')
      .filter((name) => late.some(([one]) => one === name))
      .map((name) => ({ path, text: `uses {${name}}, which the provider tells only after it: give variables.${name} a default` })),
  )
  const untold = late
    .filter(([name]) => !facts.includes(name))
    .map(([name]) => ({ path: `variables.${name}`, text: 'is told by nobody: name it among the facts of the callback, an answer, a push or afterConnect' }))
  const spoken: [string, string | null | undefined][] = [
    ['token.url', token.url],
    ['token.refreshUrl', token.refreshUrl],
    ['revoke.url', revoke?.url],
    ['revoke.fallback.url', revoke?.fallback?.url],
  ]
  const unproven = spoken.flatMap(([path, template]) =>
    hostNames(template ?? '')
      .filter((name) => Object.hasOwn(authorize.callback.facts, name) && !Object.hasOwn(variables, name))
      .map((name) => ({
        path,
        text: `sends secrets to {${name}}, which comes through the browser: declare variables.${name} with a pattern and askedOf provider`,
      })),
  )
  return [...tooLate, ...untold, ...unproven]
}

/** Names in the part of a URL that decides where a request goes. */
function hostNames(template: string): string[] {
  return placeholdersOf(/^(?:\{[^}]*\}|[a-z]+:\/\/[^/?#]*)/.exec(template)?.[0] ?? '')
}

function choiceProblems({ variables }: ProviderRecord): Problem[] {
  return Object.entries(variables).flatMap(([name, variable]) => (variable.choices === null ? [] : chosenProblems(name, variable, variable.choices, variables)))
}

function chosenProblems(
  name: string,
  variable: VariableDefinition,
  choices: NonNullable<VariableDefinition['choices']>,
  variables: ProviderRecord['variables'],
): Problem[] {
  const path = `variables.${name}.choices`
  const values = Object.keys(choices)
  const [first] = Object.values(choices)
  if (first === undefined) return [{ path, text: 'must have at least one choice' }]
  const wanted = Object.keys(first.sets).sort().join(', ')
  const uneven = Object.entries(choices)
    .filter(([, { sets }]) => Object.keys(sets).sort().join(', ') !== wanted)
    .map(([value]) => ({ path: `${path}.${value}.sets`, text: `must set the same names as the other choices: ${wanted || 'none'}` }))
  const outside = values
    .filter((value) => !matchesPattern(variable.pattern, value))
    .map((value) => ({ path: `${path}.${value}`, text: `must match the pattern of its variable, ${variable.pattern}` }))
  const unfit = Object.entries(choices).flatMap(([value, { sets }]) =>
    Object.entries(sets).flatMap(([set, text]): Problem[] => {
      const definition = Object.hasOwn(variables, set) ? variables[set] : undefined
      if (definition === undefined || matchesPattern(definition.pattern, text)) return []
      return [{ path: `${path}.${value}.sets.${set}`, text: `must match ${definition.pattern} (found ${JSON.stringify(text)})` }]
    }),
  )
  const preset = variable.default
  const strange =
    preset === null || values.includes(preset) ? [] : [{ path: `variables.${name}.default`, text: `must be one of its choices: ${values.join(', ')}` }]
  return [...uneven, ...outside, ...unfit, ...strange]
}
