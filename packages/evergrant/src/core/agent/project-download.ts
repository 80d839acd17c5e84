import type { AgentId } from '../ids.ts'
import type { Clock, Instant } from '../time.ts'
import type { AgentCaller } from './agent-caller.ts'
import type { AgentService } from './agent-service.ts'
import { CODE_LIFE_MS, type EnrolmentService } from './enrolment-service.ts'

/** What is in a ready project. */
export interface ProjectPlan {
  /** Of the agent. */
  readonly name: string
  /** Where machines reach this server, without a trailing slash. */
  readonly server: string
  readonly code: string
  /** From then on the code enrols nobody. */
  readonly expiresAt: Instant
  /** Of the installation to be; null: the name of its host. */
  readonly installation: string | null
  readonly madeAt: Instant
}

export interface PackedProject {
  /** `weather-agent.zip`. */
  readonly fileName: string
  readonly archive: Uint8Array
}

interface ProjectDownloadPorts {
  readonly agents: Pick<AgentService, 'get'>
  readonly enrolment: Pick<EnrolmentService, 'createCode'>
  readonly pack: (plan: ProjectPlan) => PackedProject
  readonly clock: Pick<Clock, 'wall'>
  /** Where machines reach this server, without a trailing slash. */
  readonly publicUrl: string
}

interface ProjectDownload extends PackedProject {
  /** From then on its code enrols nobody. */
  readonly expiresAt: Instant
}

/**
 * A ready project: the address of this server and a code for one machine, in a file that says so. The code works once and for
 * an hour, so whoever finds the file later holds nothing.
 */
export class ProjectDownloads {
  readonly #ports: ProjectDownloadPorts

  constructor(ports: ProjectDownloadPorts) {
    this.#ports = ports
  }

  /** @throws Fault as `EnrolmentService.createCode` */
  async create(caller: AgentCaller, id: AgentId, name: string | null): Promise<ProjectDownload> {
    const { agents, enrolment: enrolments, pack, clock, publicUrl: server } = this.#ports
    const { agent } = await agents.get(caller, id)
    const { enrolment, code } = await enrolments.createCode(caller, id, { name, lifeMs: CODE_LIFE_MS })
    const { expiresAt } = enrolment
    return { ...pack({ name: agent.name, server, code, expiresAt, installation: name, madeAt: clock.wall() }), expiresAt }
  }
}
