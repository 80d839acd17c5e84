import type { Actor } from '../audit/event.ts'
import { Fault } from '../fault/fault.ts'
import type { ConnectionId, OrganizationId } from '../ids.ts'
import type { ProviderContext, ProviderDirectory } from '../provider/context.ts'
import type { ProviderRequest, WireOutcome } from '../provider/wire.ts'
import type { GrantRow } from '../refresh/credentials.ts'
import type { ReuseProbeReport, ReuseProbeRequest } from '../refresh/reuse-probe.ts'
import type { Clock } from '../time.ts'
import { checkRequest, judgeCheck } from './check-answer.ts'
import type { ConnectionService } from './connection-service.ts'
import type { Connections } from './connections.ts'
import type { Integration } from './integration.ts'

interface ReuseProbePorts {
  readonly engine: { learnReuse(request: ReuseProbeRequest): Promise<ReuseProbeReport> }
  readonly connections: Pick<ConnectionService, 'get' | 'pause' | 'resume'>
  readonly providers: Pick<ProviderDirectory, 'get'>
  readonly siblings: Pick<Connections, 'byAccount'>
  /** One request, one answer; never rejects. */
  readonly sendRequest: (request: ProviderRequest) => Promise<WireOutcome>
  readonly clock: Clock
}

interface ReuseProbeOrder {
  readonly organization: OrganizationId
  readonly connection: ConnectionId
  /** How long a spent token is tried again, 1 to {@link LONGEST_WINDOW_SECONDS}. */
  readonly windowSeconds: number
  /** Said by the operator where no tag says it. */
  readonly mayLose: boolean
}

export const LONGEST_WINDOW_SECONDS = 120
/** A caller waits for the answer, and common clients do so for five minutes. */
const PATIENCE_SECONDS = 180
/** Says of a connection that its grant may be lost. */
const THROWAWAY = 'throwaway'

/** Learns what a provider does with a refresh token that comes twice, on a connection that its operator can lose. */
export class ReuseProbes {
  readonly #ports: ReuseProbePorts

  constructor(ports: ReuseProbePorts) {
    this.#ports = ports
  }

  /** Takes as long as the window, and a while longer. @throws Fault `conflict` while more may be lost than was declared to be throwaway */
  async learn({ organization, connection, windowSeconds, mayLose }: ReuseProbeOrder, actor: Actor): Promise<ReuseProbeReport> {
    const { engine, connections } = this.#ports
    const { row, integration } = await connections.get(organization, connection)
    const why = mayLose ? null : await this.#precious(row, integration)
    if (why !== null) throw new Fault('conflict', { detail: why, field: '/may_lose' })
    return engine.learnReuse({
      organization,
      connection,
      limits: { forSeconds: windowSeconds, patienceSeconds: PATIENCE_SECONDS },
      pause: () => connections.pause(organization, connection, actor),
      resume: () => connections.resume(organization, connection, actor),
      use: (context, accessToken) => this.#use(context, accessToken, row.credential.tokenType, row.connection.scopes),
    })
  }

  /** Why an operator has to say that this grant may be lost; null where the tag is enough. */
  async #precious({ connection }: GrantRow, { provider }: Integration): Promise<string | null> {
    const { organization, integration, account, tags, id } = connection
    if (!tags.includes(THROWAWAY))
      return `A probe spends this grant and may end it, with every other grant of the same person at some providers. If it may be lost, tag the connection \`${THROWAWAY}\` or send \`may_lose\`.`
    const record = this.#ports.providers.get(provider)
    if (record?.reuse.neverProbe === true)
      return `${record.name} ends other grants of the same person when a refresh token comes twice, so its record forbids it. Send \`may_lose\` if they may all be lost.`
    const same = account === null ? [] : await this.#ports.siblings.byAccount(organization, integration, account)
    const other = same.find((one) => one.connection.id !== id && (one.connection.state === 'active' || one.connection.state === 'paused'))
    if (other === undefined) return null
    return `The same account has another connection here (${other.connection.id}), which may end with this one. Probe with an account of its own, or send \`may_lose\` if both may be lost.`
  }

  async #use(context: ProviderContext, accessToken: string, tokenType: string, scopes: readonly string[] | null): Promise<boolean | null> {
    const request = checkRequest(context, { accessToken, tokenType }, scopes)
    if (request === null) return null
    const { kind } = judgeCheck(context.record, await this.#ports.sendRequest(request), this.#ports.clock.wall())
    return kind === 'works' ? true : kind === 'token_rejected' ? false : null
  }
}
