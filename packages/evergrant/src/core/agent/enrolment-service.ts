import type { Events } from '../audit/events.ts'
import { base64Url } from '../connect/random-token.ts'
import { Fault } from '../fault/fault.ts'
import { type AgentId, type EnrolmentId, type InstallationId, newId } from '../ids.ts'
import type { JsonObject } from '../json.ts'
import type { Seal } from '../seal/seal.ts'
import { type Clock, type Entropy, HOUR, type Instant } from '../time.ts'
import type { EnrolmentDoor } from './agent.ts'
import { type AgentCaller, agentEvent, agentNotFound, requireEnrolling } from './agent-caller.ts'
import type { AgentService } from './agent-service.ts'
import type { AgentStanding, Agents } from './agents.ts'
import type { Enrolment, Enrolments } from './enrolments.ts'
import type { Installation, KeyCustody, MachineHints, WorkloadOrigin } from './installation.ts'
import type { SdkCredentials, SdkOpened } from './sdk-credentials.ts'
import type { SdkToken } from './sdk-token.ts'
import { stoppedFault } from './stopped.ts'
import type { WorkloadIdentities } from './workload-identities.ts'

interface EnrolmentPorts {
  readonly agents: Pick<Agents, 'get'>
  readonly service: Pick<AgentService, 'get'>
  readonly enrolments: Enrolments
  readonly workloads: Pick<WorkloadIdentities, 'find'>
  readonly credentials: Pick<SdkCredentials, 'opened'>
  readonly events: Pick<Events, 'appendOnce'>
  readonly seal: Pick<Seal, 'digest'>
  readonly clock: Pick<Clock, 'wall'>
  readonly entropy: Entropy
  /** Where machines reach this server, without a trailing slash: it is in the code. */
  readonly publicUrl: string
  /** How long a token of a machine lives without being refreshed, in milliseconds. */
  readonly tokenLifeMs: number
}

/** What a machine shows to be enrolled. */
export type EnrolmentCredential =
  | { readonly door: 'code'; readonly secret: string }
  | { readonly door: 'device'; readonly secret: string }
  | { readonly door: 'workload'; readonly token: string }

/** A machine that enrols: its key was proven in this request. */
interface EnrollingMachine {
  readonly key: { readonly thumbprint: string; readonly jwk: JsonObject }
  readonly attempt: string
  readonly name: string | null
  readonly custody: KeyCustody
  readonly hints: MachineHints
  readonly address: string | null
  readonly userAgent: string | null
}

/** The code itself is shown once. */
interface IssuedCode {
  readonly enrolment: Enrolment
  readonly code: string
}

const CODE = /^(egc_[A-Za-z0-9_-]{43})(?:\.[A-Za-z0-9_-]*)?$/
export const CODE_LIFE_MS = HOUR
const NAME_MAX = 100

/** The secret of a code, without the address beside it; null: no code of ours. */
export function secretOfCode(code: string): string | null {
  return CODE.exec(code)?.[1] ?? null
}

/** How machines come in: by a one-time code, by a person at another screen, by the identity that their platform gave them. */
export class EnrolmentService {
  readonly #ports: EnrolmentPorts

  constructor(ports: EnrolmentPorts) {
    this.#ports = ports
  }

  /** A code that enrols one machine. @throws Fault `not_found`, `role_missing`, `agent_revoked` */
  async createCode(caller: AgentCaller, id: AgentId, { name, lifeMs }: { readonly name: string | null; readonly lifeMs: number }): Promise<IssuedCode> {
    const { enrolments, seal, clock, entropy, publicUrl } = this.#ports
    const { agent } = await this.#ports.service.get(caller, id)
    requireEnrolling(caller, agent)
    if (agent.status === 'revoked') throw new Fault('agent_revoked')
    const secret = `egc_${base64Url(entropy.bytes(32))}`
    const at = clock.wall()
    const enrolment: Enrolment = {
      id: newId('enr', entropy),
      hash: seal.digest(secret),
      door: 'code',
      organization: caller.organization,
      agent: id,
      name,
      userCode: null,
      status: 'open',
      asked: { host: null, platform: null, address: null },
      createdBy: caller.actor,
      createdAt: at,
      expiresAt: at + lifeMs,
      nextPollAt: null,
      intervalMs: 0,
      usedBy: null,
      usedAttempt: null,
      installation: null,
    }
    await enrolments.insert(enrolment, this.#event('enrolment.created', caller, id, { enrolment: enrolment.id, name, expires_at: enrolment.expiresAt }))
    return { enrolment, code: `${secret}.${base64Url(Uint8Array.from(`${publicUrl}/`, (letter) => letter.charCodeAt(0)))}` }
  }

  /** Those that may still be used. @throws Fault `not_found` */
  async codes(caller: AgentCaller, id: AgentId): Promise<readonly Enrolment[]> {
    await this.#ports.service.get(caller, id)
    return this.#ports.enrolments.openOf(caller.organization, id)
  }

  /** @throws Fault `not_found`, also for one that was used */
  async withdraw(caller: AgentCaller, agent: AgentId, id: EnrolmentId): Promise<void> {
    const open = await this.codes(caller, agent)
    const event = this.#event('enrolment.withdrawn', caller, agent, { enrolment: id })
    const gone = !open.some((code) => code.id === id) || (await this.#ports.enrolments.withdraw(caller.organization, id, event)) === 'gone'
    if (gone) throw new Fault('not_found', { field: 'code', detail: `There is no enrolment code ${id} that could still be used.` })
  }

  /**
   * Binds the machine's key. The same key with the same attempt gets the same answer for ten minutes.
   * @throws Fault `enrolment_code_invalid`, `authorization_pending`, `slow_down`, `device_denied`, `workload_refused`, `agent_suspended`, `owner_inactive`
   */
  async enrol(credential: EnrolmentCredential, machine: EnrollingMachine): Promise<SdkOpened> {
    const place = await this.#place(credential)
    const { agent } = place.standing
    requireOpen(place.standing)
    const at = this.#ports.clock.wall()
    const installation = this.#installation(place, credential.door, machine, at)
    const token = this.#token(installation, machine, at)
    const data = {
      installation: installation.id,
      name: installation.name,
      door: credential.door,
      key_thumbprint: installation.keyThumbprint,
      address: machine.address,
    }
    const actor = { kind: 'installation', id: installation.id } as const
    const event = (type: 'installation.enrolled' | 'agent.verified') =>
      agentEvent(this.#ports, { type, organization: agent.organization, actor, subject: agent.id, data })
    const outcome = await this.#ports.enrolments.enrol({
      enrolment: place.enrolment?.id ?? null,
      installation,
      token,
      enrolled: event('installation.enrolled'),
      verified: event('agent.verified'),
    })
    if (outcome.kind === 'kept_out') {
      await this.#noteRefusal(place, machine, outcome.installation)
      throw keptOut(outcome.installation)
    }
    if (outcome.kind === 'refused') {
      if (place.enrolment !== null) await this.#noteRefusal(place, machine)
      throw invalidCode()
    }
    return this.#ports.credentials.opened(outcome.standing, outcome.token, { bound: true })
  }

  /**
   * Notes the use of a genuine code that is spent (it was copied, or its answer was lost), or of a workload that was stopped. At most one event an hour for
   * each; the refusal stands even where the event cannot be written.
   */
  async #noteRefusal({ standing: { agent }, enrolment }: Place, { key, address }: EnrollingMachine, stopped: InstallationId | null = null): Promise<void> {
    const { events, clock } = this.#ports
    const at = clock.wall()
    const event = agentEvent(this.#ports, {
      type: 'enrolment.refused',
      organization: agent.organization,
      actor: { kind: 'system', id: null },
      subject: agent.id,
      data: { enrolment: enrolment?.id ?? null, status: enrolment?.status ?? null, stopped, key_thumbprint: key.thumbprint, address },
    })
    await events.appendOnce(`enrolment refused ${enrolment?.id ?? stopped} ${Math.floor(at / HOUR)}`, event).catch(() => {})
  }

  /** Which agent the machine becomes an installation of. */
  async #place(credential: EnrolmentCredential): Promise<Place> {
    if (credential.door === 'workload') return this.#workload(credential.token)
    const enrolment = await this.#ports.enrolments.find(this.#ports.seal.digest(credential.secret))
    if (enrolment === undefined || enrolment.door !== credential.door) throw invalidCode()
    if (enrolment.door === 'device') await this.#requireDecision(enrolment)
    const { organization, agent } = enrolment
    const standing = organization === null || agent === null ? undefined : await this.#ports.agents.get(organization, agent)
    // A used code passes here: where it is spent, its key tells a retry of the same machine from a copy.
    if (standing === undefined || enrolment.status === 'withdrawn') throw invalidCode()
    return { standing, enrolment, lifeMs: null, workload: null }
  }

  async #workload(token: string): Promise<Place> {
    const { trust, subject } = await this.#ports.workloads.find(token)
    const standing = await this.#ports.agents.get(trust.organization, trust.agent)
    if (standing === undefined) throw agentNotFound(trust.agent)
    const workload = { issuer: trust.id, subject: this.#ports.seal.digest(subject) }
    return { standing, enrolment: null, lifeMs: trust.installationLifeMs, workload }
  }

  /** RFC 8628 section 3.5. */
  async #requireDecision(enrolment: Enrolment): Promise<void> {
    const { enrolments, clock } = this.#ports
    const at = clock.wall()
    // Whoever used it in time and did not hear the answer asks again: its own end says nothing about that.
    if (enrolment.status === 'used') return
    if (at >= enrolment.expiresAt) throw invalidCode()
    if (enrolment.status === 'denied')
      throw new Fault('device_denied', {
        detail: 'Somebody who looks after Evergrant refused this machine. If that was a mistake, start again: npx @evergrant/sdk enroll.',
      })
    if (enrolment.status !== 'open') return
    if (await enrolments.poll(enrolment.id, at)) throw new Fault('authorization_pending', { members: { interval: enrolment.intervalMs / 1_000 } })
    const slower = (await enrolments.find(enrolment.hash))?.intervalMs ?? enrolment.intervalMs
    throw new Fault('slow_down', { members: { interval: slower / 1_000 } })
  }

  #installation({ standing: { agent }, enrolment, lifeMs, workload }: Place, door: EnrolmentDoor, machine: EnrollingMachine, at: Instant): Installation {
    return {
      id: newId('ins', this.#ports.entropy),
      organization: agent.organization,
      agent: agent.id,
      name: (machine.name ?? enrolment?.name ?? machine.hints.host ?? agent.name).slice(0, NAME_MAX),
      status: 'active',
      keyThumbprint: machine.key.thumbprint,
      publicJwk: machine.key.jwk,
      keyCreatedAt: at,
      previousThumbprints: [],
      custody: machine.custody,
      enrolledVia: door,
      generation: 1,
      floorGeneration: 0,
      head: newId('sdk', this.#ports.entropy),
      recoveryMode: null,
      recoveries: [],
      reissues: [],
      cooldownUntil: null,
      cooldownMs: 0,
      minGeneration: 0,
      lock: null,
      stoppedBy: null,
      workload,
      rekeyUntil: null,
      hints: machine.hints,
      lastSeenAt: at,
      lastRefreshedAt: null,
      address: machine.address,
      userAgent: machine.userAgent,
      expiresAt: lifeMs === null ? null : at + lifeMs,
      createdAt: at,
    }
  }

  #token(installation: Installation, { attempt }: EnrollingMachine, at: Instant): SdkToken {
    return {
      id: installation.head,
      installation: installation.id,
      family: this.#ports.entropy.uuid(),
      parent: null,
      generation: 1,
      attempt,
      state: 'active',
      revokeClass: null,
      revokeReason: null,
      revokedBy: null,
      revokedAt: null,
      ticket: false,
      keyThumbprint: installation.keyThumbprint,
      createdAt: at,
      activatedAt: null,
      supersededAt: null,
      expiresAt: Math.min(at + this.#ports.tokenLifeMs, installation.expiresAt ?? Number.MAX_SAFE_INTEGER),
      address: installation.address,
      userAgent: installation.userAgent,
      metadata: { source: 'enrolment', recovered_from: null, recovery_reason: null },
    }
  }

  #event(type: 'enrolment.created' | 'enrolment.withdrawn', { organization, actor }: AgentCaller, subject: AgentId, data: JsonObject) {
    return agentEvent(this.#ports, { type, organization, actor, subject, data })
  }
}

interface Place {
  readonly standing: AgentStanding
  /** Null: a workload, which spends nothing. */
  readonly enrolment: Enrolment | null
  /** Until the absolute end; null: none. */
  readonly lifeMs: number | null
  readonly workload: WorkloadOrigin | null
}

/** @throws Fault `agent_suspended`, `owner_inactive`; a revoked agent's code is as good as none */
function requireOpen(standing: AgentStanding): void {
  const { agent, ownerActive } = standing
  if (agent.status === 'revoked') throw invalidCode()
  if (agent.status === 'suspended') throw stoppedFault('agent_suspended', standing)
  if (!ownerActive) throw stoppedFault('owner_inactive', standing)
}

/** Its identity was proven, so it may know. */
function keptOut(installation: InstallationId): Fault {
  return new Fault('workload_refused', {
    field: '/workload_token',
    detail: `The identity token is good, and this workload was cut off as the installation ${installation}, so it does not enrol again. Whoever looks after Evergrant lets it in: evergrant agents lift ${installation}, or unlock where that one is locked.`,
  })
}

/** Unknown, used by another key, withdrawn or over: nobody is told which. */
function invalidCode(): Fault {
  return new Fault('enrolment_code_invalid', {
    detail:
      'This enrolment code was used already, taken back, or is too old: a code enrols one machine, once. Ask for a new one and run: npx @evergrant/sdk enroll <code>.',
  })
}
