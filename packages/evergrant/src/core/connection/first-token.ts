import { Fault } from '../fault/fault.ts'
import { type Account, accountFromAnswer, accountRequest, readAccountAnswer } from '../provider/account.ts'
import { parseJson } from '../provider/answer-body.ts'
import { scopesToAsk } from '../provider/authorize.ts'
import type { ProviderContext } from '../provider/context.ts'
import { isRenewedGrant, type MachineGrant, type RenewedGrant } from '../provider/grant-kind.ts'
import { contextOf, grantRequest } from '../provider/grant-request.ts'
import { machineVerdict } from '../provider/grant-verdict.ts'
import { judge } from '../provider/judge.ts'
import { keptText, type OwnCredentials, type StaticSecret, secretsOf } from '../provider/own-credentials.ts'
import { readSecretCheck, secretCheckRequest } from '../provider/secret-check.ts'
import type { Granted, ProviderSaid, Verdict } from '../provider/verdict.ts'
import type { ProviderRequest, WireOutcome } from '../provider/wire.ts'
import type { Observation } from '../refresh/engine-ports.ts'
import type { GrantedTokens } from '../refresh/new-credential.ts'
import type { Clock, Instant } from '../time.ts'

export interface FirstTokenPorts {
  /** One request, one answer; never rejects. */
  readonly send: (request: ProviderRequest) => Promise<WireOutcome>
  readonly observe: (observation: Observation) => void
  readonly clock: Clock
}

interface FirstTokenInput {
  readonly context: ProviderContext
  readonly grant: MachineGrant
  readonly credentials: OwnCredentials
  /** What a static grant sends; null for the others. */
  readonly secret: StaticSecret | null
  readonly scopes: readonly string[]
  /** The known end of a static secret. */
  readonly expiresAt: Instant | null
  /** False: nobody is asked, and what is wrong shows at the first use. */
  readonly verify: boolean
}

export interface FirstToken {
  /** An empty access token is none: the first read asks for it. */
  readonly tokens: GrantedTokens
  readonly obtainedAt: Instant
  readonly scopes: readonly string[] | null
  readonly facts: Readonly<Record<string, string>>
  readonly account: Account | null
  /** The provider was asked, and took the credentials. */
  readonly verified: boolean
}

/**
 * Proves credentials before they are stored: the first token is asked for, and a static secret is tried where the record knows
 * a call that proves it. @throws Fault `invalid_request`, `credentials_refused`, `client_rejected`, `provider_unavailable`
 */
export async function firstToken(input: FirstTokenInput, ports: FirstTokenPorts): Promise<FirstToken> {
  const { grant, secret } = input
  if (isRenewedGrant(grant)) return renewedToken(input, grant, ports)
  if (secret === null) throw new Fault('internal', { detail: 'a static grant without its secret' })
  return staticSecret(input, secret, ports)
}

async function staticSecret(input: FirstTokenInput, { accessToken, tokenType }: StaticSecret, ports: FirstTokenPorts): Promise<FirstToken> {
  const { context, credentials } = input
  const obtainedAt = ports.clock.wall()
  const tokens = { accessToken, tokenType, refreshToken: null, accessExpiresAt: input.expiresAt, refreshExpiresAt: null }
  const request = input.verify ? secretCheckRequest(context, accessToken, tokenType) : null
  if (request !== null) {
    const check = readSecretCheck(context, await ports.send(request), [accessToken, ...secretsOf(credentials)])
    if (check.kind === 'refused') throw refusedBy(context, check.said, `/credentials/${input.grant === 'basic' ? 'password' : 'api_key'}`)
    if (check.kind === 'cannot_tell') throw notAsked(context, check.said)
  }
  const account = await accountOf(context, accessToken, null, input, ports)
  return { tokens, obtainedAt, scopes: null, facts: {}, account, verified: request !== null }
}

async function renewedToken(input: FirstTokenInput, grant: RenewedGrant, ports: FirstTokenPorts): Promise<FirstToken> {
  const { context, credentials, scopes } = input
  const own = contextOf(context, { grant, credentials })
  // Built even if it is not sent: a key that does not fit is told now.
  const request = built(input, () => grantRequest(context, { grant, credentials, scopes }))
  const kept = keptText(credentials)
  const facts: Record<string, string> = grant === 'client_credentials' && credentials['client_id'] !== undefined ? { client_id: credentials['client_id'] } : {}
  const sentAt = ports.clock.wall()
  if (!input.verify) {
    const tokens = { accessToken: '', tokenType: 'Bearer', refreshToken: kept, accessExpiresAt: sentAt, refreshExpiresAt: null }
    return { tokens, obtainedAt: sentAt, scopes: null, facts, account: await accountOf(own, '', null, input, ports), verified: false }
  }
  const started = ports.clock.mono()
  const outcome = await ports.send(request)
  const verdict = machineVerdict(judge(own, { step: 'refresh', outcome, sentAt, secrets: secretsOf(credentials) }), grant, credentials)
  ports.observe({ kind: verdict.kind, provider: context.record.id, durationMs: ports.clock.mono() - started })
  if (verdict.kind !== 'granted') throw refusal(own, verdict)
  const { accessToken, tokenType, accessExpiresAt } = verdict.grant
  const asked = scopesToAsk(context, scopes)
  return {
    tokens: { accessToken, tokenType, refreshToken: kept, accessExpiresAt, refreshExpiresAt: null },
    obtainedAt: sentAt,
    // RFC 6749 section 5.1: an answer that names none grants what was asked for.
    scopes: verdict.grant.scopes ?? (asked.length === 0 ? null : asked),
    facts: { ...verdict.grant.facts, ...facts },
    account: await accountOf(own, accessToken, verdict.grant, input, ports),
    verified: true,
  }
}

/** A key that does not fit is named where it was given. @throws Fault `invalid_request` */
function built({ credentials }: FirstTokenInput, build: () => ProviderRequest): ProviderRequest {
  try {
    return build()
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'invalid_request' || error.details.field !== undefined) throw error
    const field = credentials['client_secret'] === undefined ? '/integration' : '/credentials/client_secret'
    throw new Fault('invalid_request', { ...error.details, field, detail: error.message, cause: error })
  }
}

/** Whose it is, as far as anybody says; an account that cannot be read costs nothing but its name. */
async function accountOf(
  context: ProviderContext,
  token: string,
  grant: Granted | null,
  input: FirstTokenInput,
  ports: FirstTokenPorts,
): Promise<Account | null> {
  if (grant !== null && grant.account !== null) return { account: grant.account, label: grant.accountLabel }
  const told = accountFromAnswer(context, {}, { idToken: null, accessToken: null }, null)
  if (told !== null) return told
  const request = input.verify ? accountRequest(context, token, input.scopes) : null
  if (request === null) return null
  const outcome = await ports.send(request)
  const json = outcome.kind === 'answered' && outcome.answer.status === 200 ? parseJson(outcome.answer.text) : undefined
  return json === undefined ? null : readAccountAnswer(context, json)
}

function refusal(context: ProviderContext, verdict: Exclude<Verdict, { kind: 'granted' }>): Fault {
  const { said } = verdict
  switch (verdict.kind) {
    case 'dead':
    case 'restart_flow':
      return refusedBy(context, said, '/credentials')
    case 'config':
      return new Fault('credentials_refused', {
        field: '/integration',
        detail: `${context.record.name} refuses the client of the integration${wordsOf(said)}. Correct the integration (its client id, secret, scopes or variables); nothing was stored.`,
      })
    default:
      return notAsked(context, said)
  }
}

function refusedBy(context: ProviderContext, said: ProviderSaid, field: string): Fault {
  return new Fault('credentials_refused', { field, detail: `${context.record.name} refuses these credentials${wordsOf(said)}. Nothing was stored.` })
}

function notAsked(context: ProviderContext, said: ProviderSaid): Fault {
  const detail = `${context.record.name} could not say whether these credentials work${wordsOf(said)}. Nothing was stored. Try again, or send \`verify: false\` to store them without asking.`
  return new Fault('provider_unavailable', { detail })
}

function wordsOf({ httpStatus, code, text }: ProviderSaid): string {
  const told = [httpStatus === null ? null : `HTTP ${httpStatus}`, code, text].filter((part) => part !== null)
  return told.length === 0 ? '' : ` (${told.join(', ')})`
}
