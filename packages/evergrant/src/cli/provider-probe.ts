import type { Config } from '../config.ts'
import { checkRequest, judgeCheck } from '../core/connection/check-answer.ts'
import { Fault } from '../core/fault/fault.ts'
import { completeVariables } from '../core/provider/choices.ts'
import type { ProviderContext } from '../core/provider/context.ts'
import { judge } from '../core/provider/judge.ts'
import { type ProbePorts, type ProbeReport, probeReuse } from '../core/provider/probe-reuse.ts'
import type { ProviderRecord } from '../core/provider/record.ts'
import { refreshRequest } from '../core/provider/token-request.ts'
import type { Clock, Timers } from '../core/time.ts'
import { createAddressGuard } from '../outbound/address-guard.ts'
import { createEgress } from '../outbound/egress.ts'
import { createProviderClient, type ProviderClient } from '../outbound/provider-client.ts'
import { createProviderDirectory } from '../providers/directory.ts'
import { catalogue } from '../providers/index.ts'
import { loadProviderFolder } from '../providers/load.ts'
import { createKeySigner } from '../seal/key-signer.ts'
import { systemClock, systemEntropy, systemTimers } from '../system.ts'

export interface ProbeOrder {
  readonly provider: string
  readonly clientId: string
  readonly clientSecret: string | null
  readonly refreshToken: string
  readonly variables: Readonly<Record<string, string>>
  /** Repeated by refreshes of some providers (GitLab). */
  readonly redirectUri: string | null
  readonly forSeconds: number
}

interface ProbeTools {
  readonly clock: Clock
  readonly timers: Pick<Timers, 'sleep'>
  readonly tell: (step: string) => void
}

/** As at a token endpoint that is slow: a refresh that is given up proves nothing. */
const DEADLINE_MS = 30_000
/** Narrowing a window may take this many times as long as finding one. */
const PATIENCE_ROUNDS = 4

/**
 * Presents a refresh token as the record says, and again. Nothing is stored, and no server is needed.
 * @throws Fault `invalid_request` for a provider that is not there, has no refresh tokens, or misses a variable
 */
export async function probeProvider(order: ProbeOrder, config: Config, tools: ProbeTools): Promise<ProbeReport> {
  const record = await recordOf(order.provider, config)
  const client = clientOf(config)
  const context = await contextOf(record, order, client)
  return probeReuse(order.refreshToken, { forSeconds: order.forSeconds, patienceSeconds: PATIENCE_ROUNDS * order.forSeconds }, portsOf(context, client, tools))
}

async function recordOf(id: string, { providersDir }: Config): Promise<ProviderRecord> {
  const records = providersDir === null ? catalogue : await loadProviderFolder(providersDir, catalogue)
  const record = records.find((one) => one.id === id)
  if (record === undefined)
    throw new Fault('invalid_request', { field: 'provider', detail: `There is no provider "${id}". Files of your own are read from EVERGRANT_PROVIDERS_DIR.` })
  if (!record.lifetimes.issuesRefreshToken || record.token.refresh.presents === 'access_token')
    throw new Fault('invalid_request', { field: 'provider', detail: `${record.name} issues no refresh tokens: there is nothing to learn.` })
  return record
}

function clientOf({ dangerousPrivateHosts, egressProxy, egressDirect }: Config): ProviderClient {
  const egress = egressProxy === null ? null : createEgress(egressProxy.reveal(), egressDirect)
  return createProviderClient({ guard: createAddressGuard({ allowPrivateHosts: dangerousPrivateHosts, development: true, egress }), timers: systemTimers })
}

async function contextOf(record: ProviderRecord, order: ProbeOrder, client: ProviderClient): Promise<ProviderContext> {
  const directory = createProviderDirectory({ records: [record], fetchJson: (url) => client.fetchJson(url), clock: systemClock })
  const variables = completeVariables(record, order.variables)
  const endpoints = await directory.resolve(record, variables)
  const signing = { signer: createKeySigner(), now: () => systemClock.wall(), unique: () => systemEntropy.uuid() }
  const { clientId, clientSecret, redirectUri } = order
  const own = { clientId, clientSecret, ...(redirectUri === null ? {} : { redirectUri }) }
  return { record, endpoints, ...own, variables, facts: variables, token: null, signing }
}

function portsOf(context: ProviderContext, client: ProviderClient, { clock, timers, tell }: ProbeTools): ProbePorts {
  return {
    refresh: async (token) => {
      const sentAt = clock.wall()
      const outcome = await client.sendRequest(refreshRequest(context, { refreshToken: token, scopes: [] }), { deadlineMs: DEADLINE_MS })
      return judge(context, { step: 'refresh', outcome, sentAt, secrets: [token] })
    },
    use: async (accessToken) => {
      // The API takes the token that the chain fetches, not this one.
      if (context.record.chain.length > 0) return null
      const scopes = context.record.check?.needsScope ?? []
      const request = checkRequest(context, { accessToken, tokenType: 'Bearer' }, scopes)
      if (request === null) return null
      const { kind } = judgeCheck(context.record, await client.sendRequest(request), clock.wall())
      return kind === 'works' ? true : kind === 'token_rejected' ? false : null
    },
    wait: (ms) => timers.sleep(ms),
    now: () => clock.wall(),
    tell,
  }
}
