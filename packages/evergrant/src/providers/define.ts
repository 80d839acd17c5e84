import { isMachineGrant } from '../core/provider/grant-kind.ts'
import type {
  AccountSource,
  AnswerFacts,
  ApiFacts,
  AuthorizeFacts,
  CallbackFacts,
  LifetimeFacts,
  ProviderRecord,
  RefreshFacts,
  RevokeFacts,
  SignatureFacts,
  SigningFacts,
  TokenFacts,
  TokenPaths,
  VariableDefinition,
  VerdictRule,
} from '../core/provider/record.ts'
import { type AroundDraft, completeAround } from './define-around.ts'

/** A record with everything optional that has a sensible default. The shape of an operator's file. */
export interface ProviderDraft extends AroundDraft {
  readonly id: string
  readonly name: string
  readonly docs?: string | null
  readonly grant?: ProviderRecord['grant']
  readonly setup?: readonly string[]
  readonly scopes?: Readonly<Record<string, string>>
  readonly variables?: Readonly<Record<string, VariableDraft>>
  readonly discovery?: ProviderRecord['discovery']
  readonly issuer?: string | null
  readonly authorize?: Partial<Omit<AuthorizeFacts, 'callback'>> & { readonly callback?: Partial<CallbackFacts> }
  readonly token?: Partial<Omit<TokenFacts, 'refresh' | 'signing' | 'signature'>> & {
    readonly refresh?: Partial<RefreshFacts>
    readonly signing?: SigningDraft | null
    readonly signature?: SignatureDraft | null
  }
  readonly answer?: Partial<Omit<AnswerFacts, 'paths' | 'refreshPaths' | 'tokens' | 'success'>> & {
    readonly success?: SuccessDraft | null
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
  readonly api?: (Pick<ApiFacts, 'base'> & Partial<Omit<ApiFacts, 'authorization'>> & { readonly authorization?: Partial<ApiFacts['authorization']> }) | null
  readonly notes?: readonly string[]
  readonly unverified?: readonly string[]
  readonly sources?: readonly string[]
}

type SigningDraft = Omit<SigningFacts, 'header'> & Partial<SigningFacts>
type SignatureDraft = Omit<SignatureFacts, 'encoding' | 'timestampHeader'> & Partial<SignatureFacts>
type SuccessDraft = Omit<NonNullable<AnswerFacts['success']>, 'step'> & Partial<NonNullable<AnswerFacts['success']>>

type VariableDraft = Pick<VariableDefinition, 'label' | 'pattern' | 'example'> &
  Partial<Omit<VariableDefinition, 'choices'>> & { readonly choices?: Readonly<Record<string, ChoiceDraft>> | null }
interface ChoiceDraft {
  readonly label: string
  readonly sets?: Readonly<Record<string, string>>
}

interface TokenDraft {
  readonly paths: Partial<TokenPaths>
  readonly refreshPaths?: Partial<TokenPaths> | null
  readonly account?: string | null
  readonly scopeParameter?: string | null
}

type SourceDefaults = 'label' | 'pattern' | 'method' | 'headers' | 'body' | 'needsScope'
/** An account source without what has a default. */
type AccountDraft = AccountSource extends infer Source
  ? Source extends AccountSource
    ? Omit<Source, SourceDefaults> & Partial<Pick<Source, Extract<keyof Source, SourceDefaults>>>
    : never
  : never
export type RuleDraft = Pick<VerdictRule, 'verdict' | 'where'> & Partial<VerdictRule>
type RevokeDraft = Partial<Omit<RevokeFacts, 'fallback'>> & { readonly fallback?: Partial<Omit<RevokeFacts, 'fallback'>> | null }

/** Names of RFC 6749 section 5.1 and OpenID Connect Core 3.1.3.3. */
const STANDARD_PATHS: TokenPaths = {
  accessToken: 'access_token',
  refreshToken: 'refresh_token',
  expiresIn: 'expires_in',
  expiresAt: null,
  refreshExpiresIn: 'refresh_token_expires_in',
  refreshExpiresAt: null,
  grantExpiresIn: null,
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
  unencoded: [],
  inFragment: false,
  chooseAccount: {},
  adminConsent: null,
  callback: { code: 'code', scope: null, facts: {}, hmac: null, by: 'redirect' },
}

const REFRESH: RefreshFacts = {
  presents: 'refresh_token',
  method: null,
  bodyFormat: null,
  clientAuth: null,
  rename: null,
  omit: null,
  headers: null,
  redirectUri: false,
  minimumAgeSeconds: null,
  prolongs: false,
}

const TOKEN: TokenFacts = {
  url: null,
  refreshUrl: null,
  method: 'POST',
  clientAuth: 'body',
  authorization: null,
  signing: null,
  bodyFormat: 'form',
  signature: null,
  awsSignature: null,
  headers: {},
  rename: {},
  omit: [],
  exchangeParameters: {},
  refreshParameters: {},
  scopesOnRefresh: false,
  refresh: REFRESH,
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
  onePerAccount: false,
  cap: null,
}

/** RFC 7009 section 2.1. */
const REVOKE: Omit<RevokeFacts, 'fallback'> = {
  url: null,
  method: 'POST',
  clientAuth: 'as_token',
  authorization: null,
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
    grant: draft.grant ?? 'authorization_code',
    setup: draft.setup ?? [],
    scopes: draft.scopes ?? {},
    variables: mapValues(draft.variables ?? {}, completeVariable),
    discovery: draft.discovery ?? null,
    issuer: draft.issuer ?? null,
    authorize: { ...AUTHORIZE, ...draft.authorize, callback: { ...AUTHORIZE.callback, ...draft.authorize?.callback } },
    token: completeToken(draft.token ?? {}),
    answer: completeAnswer(draft.answer ?? {}),
    verdicts: (draft.verdicts ?? []).map((rule) => ({ step: 'any', status: null, meaning: '', confirm: null, ...rule })),
    reuse: { class: isMachineGrant(draft.grant ?? 'authorization_code') ? 'P0' : 'PU', windowSeconds: 0, neverProbe: false, evidence: '', ...draft.reuse },
    rotation: draft.rotation ?? (isMachineGrant(draft.grant ?? 'authorization_code') ? 'never' : 'unknown'),
    lifetimes: { ...LIFETIMES, issuesRefreshToken: !isMachineGrant(draft.grant ?? 'authorization_code'), ...draft.lifetimes },
    revoke: completeRevoke(draft.revoke ?? null),
    account: (draft.account ?? []).map(completeAccount),
    api: completeApi(draft.api ?? null),
    ...completeAround(draft),
    notes: draft.notes ?? [],
    unverified: draft.unverified ?? [],
    sources: draft.sources ?? [],
  }
}

function completeToken(draft: NonNullable<ProviderDraft['token']>): TokenFacts {
  const signing = draft.signing ? { header: {}, ...draft.signing } : null
  const signature = draft.signature ? { encoding: 'hex' as const, timestampHeader: null, ...draft.signature } : null
  return { ...TOKEN, ...draft, signing, signature, refresh: { ...REFRESH, ...draft.refresh } }
}

function completeVariable({ choices = null, ...draft }: VariableDraft): VariableDefinition {
  const complete = choices === null ? null : mapValues(choices, (choice: ChoiceDraft) => ({ sets: {}, ...choice }))
  return { default: null, askedOf: 'integration', ...draft, choices: complete }
}

function completeApi(draft: NonNullable<ProviderDraft['api']> | null): ApiFacts | null {
  if (draft === null) return null
  const authorization = { header: 'authorization', prefix: 'Bearer ', query: null, ...draft.authorization }
  return { hosts: [], headers: {}, required: [], answers: [], ...draft, authorization }
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
  const success: AnswerFacts['success'] = draft.success ? { step: 'any', ...draft.success } : null
  return { ...ANSWER, ...draft, success, paths, refreshPaths: variant(draft.refreshPaths), tokens }
}

function completeAccount(draft: AccountDraft): AccountSource {
  switch (draft.from) {
    case 'callback':
      return draft
    case 'variable':
      return { pattern: null, ...draft }
    case 'answer':
      return { label: null, pattern: null, ...draft }
    case 'request':
      return { label: null, pattern: null, method: 'GET', headers: {}, body: null, needsScope: [], ...draft }
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
