import type { Actor } from '../audit/event.ts'
import { Fault } from '../fault/fault.ts'
import type { ConnectionId, OrganizationId } from '../ids.ts'
import type { ProviderContext } from '../provider/context.ts'
import type { ProviderRequest, WireOutcome } from '../provider/wire.ts'
import type { ReuseProbeReport, ReuseProbeRequest } from '../refresh/reuse-probe.ts'
import type { Clock } from '../time.ts'
import { checkRequest, judgeCheck } from './check-answer.ts'
import type { ConnectionService } from './connection-service.ts'

export interface ReuseProbePorts {
  readonly engine: { learnReuse(request: ReuseProbeRequest): Promise<ReuseProbeReport> }
  readonly connections: Pick<ConnectionService, 'get' | 'pause' | 'resume'>
  /** One request, one answer; never rejects. */
  readonly sendRequest: (request: ProviderRequest) => Promise<WireOutcome>
  readonly clock: Clock
}

export interface ReuseProbeOrder {
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
export const THROWAWAY = 'throwaway'

/** Learns what a provider does with a refresh token that comes twice, on a connection that its operator can lose. */
export class ReuseProbes {
  readonly #ports: ReuseProbePorts

  constructor(ports: ReuseProbePorts) {
    this.#ports = ports
  }

  /** Takes as long as the window, and a while longer. @throws Fault `conflict` for a connection that nobody declared to be throwaway */
  async learn({ organization, connection, windowSeconds, mayLose }: ReuseProbeOrder, actor: Actor): Promise<ReuseProbeReport> {
    const { engine, connections } = this.#ports
    const { row } = await connections.get(organization, connection)
    if (!mayLose && !row.connection.tags.includes(THROWAWAY))
      throw new Fault('conflict', {
        detail: `A probe spends this grant and may end it, with every other grant of the same person at some providers. If it may be lost, tag the connection \`${THROWAWAY}\` or send \`may_lose\`.`,
        field: '/may_lose',
      })
    return engine.learnReuse({
      organization,
      connection,
      limits: { forSeconds: windowSeconds, patienceSeconds: PATIENCE_SECONDS },
      pause: () => connections.pause(organization, connection, actor),
      resume: () => connections.resume(organization, connection, actor),
      use: (context, accessToken) => this.#use(context, accessToken, row.credential.tokenType, row.connection.scopes),
    })
  }

  async #use(context: ProviderContext, accessToken: string, tokenType: string, scopes: readonly string[] | null): Promise<boolean | null> {
    const request = checkRequest(context, { accessToken, tokenType }, scopes)
    if (request === null) return null
    const { kind } = judgeCheck(context.record, await this.#ports.sendRequest(request), this.#ports.clock.wall())
    return kind === 'works' ? true : kind === 'token_rejected' ? false : null
  }
}
