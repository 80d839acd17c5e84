import { valueAt } from '../core/provider/answer-path.ts'
import { isMachineGrant, isStaticGrant } from '../core/provider/grant-kind.ts'
import type { ProviderRecord, VariableDefinition } from '../core/provider/record.ts'
import { isLax } from '../core/provider/reuse-of.ts'
import { matchesPattern } from '../core/provider/template.ts'
import type { Problem } from './check-draft.ts'

/** What would make a valid record better: it works without, but somebody will miss it. In the order of what it costs. */
export function adviseOn(record: ProviderRecord): Problem[] {
  return [
    ...reuseAdvice(record),
    ...verdictAdvice(record),
    ...accountAdvice(record),
    ...callAdvice(record),
    ...sampleAdvice(record),
    ...peopleAdvice(record),
    ...nameAdvice(record),
  ]
}

/** `reuse.class` decides whether a refresh token is ever presented twice: nothing else can lose a grant. */
function reuseAdvice({ reuse, rotation, lifetimes, grant, token, unverified }: ProviderRecord): Problem[] {
  if (!lifetimes.issuesRefreshToken || isMachineGrant(grant) || token.refresh.presents === 'access_token') return []
  const lax = isLax(reuse.class)
  return [
    ...when(
      reuse.class === 'PU',
      'reuse.class',
      'is PU: nobody knows what a second use of a refresh token does, so none is ever tried. `evergrant providers probe` finds out on a grant that you can lose',
    ),
    ...when(
      reuse.class !== 'PU' && reuse.evidence === '',
      'reuse.evidence',
      `is missing: say where it stands that the class is ${reuse.class}, or leave reuse out, which is the safe way`,
    ),
    ...when(
      lax && unverified.includes('reuse'),
      'reuse',
      `is unverified, and so ${reuse.class}, which lets a refresh token be presented twice, counts as PU: verify it, then take it out of unverified`,
    ),
    ...when(rotation === 'unknown', 'rotation', 'is unknown: does a refresh answer with a new refresh token?'),
  ]
}

function verdictAdvice({ verdicts, token, answer }: ProviderRecord): Problem[] {
  const ends = (verdict: string) => verdict === 'dead' || verdict === 'expired'
  return [
    ...verdicts.flatMap((rule, index) => [
      ...when(
        ends(rule.verdict) && Object.keys(rule.where).length === 0,
        `verdicts.${index}.where`,
        'is empty, so that any such answer ends a grant: name what the body says',
      ),
      ...when(rule.meaning === '', `verdicts.${index}.meaning`, 'is missing: people read it'),
    ]),
    ...when(token.refresh.prolongs && answer.success === null, 'answer.success', 'is missing: a refresh that brings no token needs a condition for success'),
  ]
}

function accountAdvice({ account, grant, revoke, notes }: ProviderRecord): Problem[] {
  const silent = revoke === null && !isStaticGrant(grant) && !notes.some((note) => /revo/i.test(note))
  return [
    ...when(account.length === 0 && !isMachineGrant(grant), 'account', 'is missing: a reconnect cannot check that it was the same person'),
    ...when(silent, 'revoke', 'is missing: disconnecting leaves the grant alive at the provider. If there is no way, say so in notes'),
  ]
}

function callAdvice({ api, check, push }: ProviderRecord): Problem[] {
  return [
    ...when(api === null, 'api', 'is missing: the proxy has nothing to call'),
    ...when(check === null, 'check', 'is missing: a connection cannot be tested without a cheap call'),
    ...when(push !== null && push.rules.length === 0, 'push.rules', 'is empty: nothing that arrives has an effect'),
  ]
}

function sampleAdvice({ samples, answer, lifetimes, grant, token }: ProviderRecord): Problem[] {
  if (isStaticGrant(grant)) return []
  const refreshes = lifetimes.issuesRefreshToken && !isMachineGrant(grant)
  const chosen = answer.defaultToken === null ? answer : (answer.tokens?.[answer.defaultToken] ?? answer)
  const paths = { exchange: chosen.paths.accessToken, refresh: (chosen.refreshPaths ?? chosen.paths).accessToken }
  return (['exchange', 'refresh'] as const).flatMap((step) => {
    const path = `samples.${step}`
    if (samples[step] === null)
      return when(step === 'exchange' || refreshes, path, 'is missing: with a documented answer Evergrant tells when the provider changes its shape')
    const bare = step === 'refresh' && token.refresh.prolongs
    return when(!bare && typeof valueAt(samples[step], paths[step]) !== 'string', path, `has no access token at ${paths[step]}, where this record looks for it`)
  })
}

function peopleAdvice({ setup, scopes, authorize, docs, sources, grant }: ProviderRecord): Problem[] {
  const asked = [...new Set([...authorize.requiredScopes, ...authorize.defaultScopes])]
  const browser = !isMachineGrant(grant)
  return [
    ...when(setup.length === 0, 'setup', 'is missing: what does the operator do at the provider first?'),
    ...when(browser && setup.length > 0 && !setup.some((step) => step.includes('{redirect_uri}')), 'setup', 'does not say where {redirect_uri} is entered'),
    ...asked.filter((name) => !Object.hasOwn(scopes, name)).map((name) => ({ path: `scopes.${name}`, text: 'is missing: say what the scope allows' })),
    ...when(docs === null, 'docs', "is missing: the provider's own documentation"),
    ...when(sources.length === 0, 'sources', 'is missing: where do these facts come from?'),
  ]
}

function nameAdvice(record: ProviderRecord): Problem[] {
  return [
    ...record.unverified
      .filter((name) => !leadsSomewhere(record, name))
      .map((name) => ({ path: 'unverified', text: `names "${name}", which is no field of this record` })),
    ...Object.entries(record.variables).flatMap(([name, variable]) => variableAdvice(`variables.${name}`, variable)),
  ]
}

function variableAdvice(path: string, { pattern, example, choices, default: preset }: VariableDefinition): Problem[] {
  if (choices === null) return when(!matchesPattern(pattern, example), `${path}.example`, `does not match ${pattern}: people copy it`)
  const misfits = Object.keys(choices).filter((value) => !matchesPattern(pattern, value))
  return [
    ...misfits.map((value) => ({ path: `${path}.choices.${value}`, text: `does not match ${pattern}` })),
    ...when(preset !== null && !Object.hasOwn(choices, preset), `${path}.default`, `is none of the choices: ${Object.keys(choices).join(', ')}`),
  ]
}

function leadsSomewhere(record: ProviderRecord, path: string): boolean {
  let value: unknown = record
  for (const part of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return false
    value = Object.getOwnPropertyDescriptor(value, part)?.value
  }
  return true
}

function when(condition: boolean, path: string, text: string): Problem[] {
  return condition ? [{ path, text }] : []
}
