import type {
  AccountSource,
  AnswerFacts,
  ApiFacts,
  AuthorizeFacts,
  LifetimeFacts,
  ProviderRecord,
  RevokeFacts,
  TokenFacts,
  TokenPaths,
  VariableDefinition,
  VerdictRule,
} from '../core/provider/record.ts'

/** A record with everything optional that has a sensible default. The shape of an operator's file. */
export interface ProviderDraft {
  readonly id: string
  readonly name: string
  readonly docs?: string | null
  readonly variables?: Readonly<Record<string, Pick<VariableDefinition, 'label' | 'pattern' | 'example'> & Partial<VariableDefinition>>>
  readonly discovery?: ProviderRecord['discovery']
  readonly issuer?: string | null
  readonly authorize?: Partial<Omit<AuthorizeFacts, 'callback'>> & { readonly callback?: Partial<AuthorizeFacts['callback']> }
  readonly token?: Partial<TokenFacts>
  readonly answer?: Partial<Omit<AnswerFacts, 'paths' | 'refreshPaths' | 'tokens'>> & {
    readonly paths?: Partial<TokenPaths>
    readonly refreshPaths?: Partial<TokenPaths> | null
    readonly tokens?: Readonly<Record<string, TokenDraft>> | null
  }
  readonly verdicts?: readonly RuleDraft[]
  readonly reuse?: Partial<ProviderRecord['reuse']>
  readonly rotation?: ProviderRecord['rotation']
  readonly lifetimes?: Partial<LifetimeFacts>
  readonly revoke?: RevokeDraft | null
  readonly account?: readonly AccountDraft[]
  readonly api?: (Pick<ApiFacts, 'base'> & Partial<ApiFacts>) | null
  readonly notes?: readonly string[]
  readonly unverified?: readonly string[]
  readonly sources?: readonly string[]
}

export interface TokenDraft {
  readonly paths: Partial<TokenPaths>
  readonly refreshPaths?: Partial<TokenPaths> | null
  readonly account?: string | null
  readonly scopeParameter?: string | null
}

/** An account source whose `label`, `method` and `needsScope` may be left out. */
export type AccountDraft = AccountSource extends infer Source
  ? Source extends AccountSource
    ? Omit<Source, 'label' | 'method' | 'needsScope'> & Partial<Pick<Source, Extract<keyof Source, 'label' | 'method' | 'needsScope'>>>
    : never
  : never
export type RuleDraft = Pick<VerdictRule, 'verdict' | 'where'> & Partial<VerdictRule>
export type RevokeDraft = Partial<Omit<RevokeFacts, 'fallback'>> & { readonly fallback?: Partial<Omit<RevokeFacts, 'fallback'>> | null }

/** Names of RFC 6749 section 5.1 and OpenID Connect Core 3.1.3.3. */
export const STANDARD_PATHS: TokenPaths = {
  accessToken: 'access_token',
  refreshToken: 'refresh_token',
  expiresIn: 'expires_in',
  expiresAt: null,
  refreshExpiresIn: 'refresh_token_expires_in',
  refreshExpiresAt: null,
  scope: 'scope',
  tokenType: 'token_type',
  idToken: 'id_token',
}

const AUTHORIZE: AuthorizeFacts = {
  url: null,
  parameters: {},
  omit: [],
  rename: {},
  scopeSeparator: ' ',
  scopeParameter: 'scope',
  defaultScopes: [],
  requiredScopes: [],
  pkce: 'supported',
  responseMode: 'query',
  callback: { code: 'code', scope: null, facts: {} },
}

const TOKEN: TokenFacts = {
  url: null,
  refreshUrl: null,
  method: 'POST',
  clientAuth: 'body',
  bodyFormat: 'form',
  headers: {},
  rename: {},
  omit: [],
  exchangeParameters: {},
  refreshParameters: {},
  scopesOnRefresh: false,
}

const ANSWER: AnswerFacts = {
  success: null,
  paths: STANDARD_PATHS,
  refreshPaths: null,
  tokens: null,
  defaultToken: null,
  expiresInUnit: 'seconds',
  expiresAtFormat: 'epoch_seconds',
  zeroMeansNever: false,
  scopeSeparator: 'either',
  facts: {},
  formEncoded: false,
}

const LIFETIMES: LifetimeFacts = {
  accessSeconds: null,
  noopAboveSeconds: null,
  refreshIdleSeconds: null,
  refreshAbsoluteSeconds: null,
  absoluteSince: null,
  absoluteFrom: 'consent',
  issuesRefreshToken: true,
  refreshEndsAccessToken: false,
}

/** RFC 7009 section 2.1. */
const REVOKE: Omit<RevokeFacts, 'fallback'> = {
  url: null,
  method: 'POST',
  clientAuth: 'as_token',
  format: 'form',
  token: 'refresh',
  parameter: 'token',
  parameters: {},
  reach: 'token',
}

/** Completes a draft. What nobody knows stays null, and an unknown reuse class is PU: never presented twice by guess. */
export function defineProvider(draft: ProviderDraft): ProviderRecord {
  return {
    id: draft.id,
    name: draft.name,
    docs: draft.docs ?? null,
    variables: mapValues(draft.variables ?? {}, (variable) => ({ default: null, askedOf: 'integration', ...variable })),
    discovery: draft.discovery ?? null,
    issuer: draft.issuer ?? null,
    authorize: { ...AUTHORIZE, ...draft.authorize, callback: { ...AUTHORIZE.callback, ...draft.authorize?.callback } },
    token: { ...TOKEN, ...draft.token },
    answer: completeAnswer(draft.answer ?? {}),
    verdicts: (draft.verdicts ?? []).map((rule) => ({ step: 'any', status: null, meaning: '', ...rule })),
    reuse: { class: 'PU', windowSeconds: 0, neverProbe: false, evidence: '', ...draft.reuse },
    rotation: draft.rotation ?? 'unknown',
    lifetimes: { ...LIFETIMES, ...draft.lifetimes },
    revoke: completeRevoke(draft.revoke ?? null),
    account: (draft.account ?? []).map(completeAccount),
    api: draft.api ? { hosts: [], authorization: { header: 'authorization', prefix: 'Bearer ' }, headers: {}, answers: [], ...draft.api } : null,
    notes: draft.notes ?? [],
    unverified: draft.unverified ?? [],
    sources: draft.sources ?? [],
  }
}

function completeAnswer(draft: NonNullable<ProviderDraft['answer']>): AnswerFacts {
  const paths = { ...STANDARD_PATHS, ...draft.paths }
  const variant = (some: Partial<TokenPaths> | null | undefined): TokenPaths | null => (some ? { ...STANDARD_PATHS, ...some } : null)
  const tokens = draft.tokens
    ? mapValues(draft.tokens, (token) => ({
        paths: { ...STANDARD_PATHS, ...token.paths },
        refreshPaths: variant(token.refreshPaths),
        account: token.account ?? null,
        scopeParameter: token.scopeParameter ?? null,
      }))
    : null
  return { ...ANSWER, ...draft, paths, refreshPaths: variant(draft.refreshPaths), tokens }
}

function completeAccount(draft: AccountDraft): AccountSource {
  switch (draft.from) {
    case 'callback':
      return draft
    case 'request':
      return { label: null, method: 'GET', needsScope: [], ...draft }
    default:
      return { label: null, ...draft }
  }
}

function completeRevoke(draft: RevokeDraft | null): RevokeFacts | null {
  if (draft === null) return null
  const { fallback, ...own } = draft
  const first = { ...REVOKE, ...own }
  return { ...first, fallback: fallback ? { ...first, ...fallback } : null }
}

function mapValues<From, To>(table: Readonly<Record<string, From>>, change: (value: From) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(table).map(([name, value]) => [name, change(value)]))
}
