import { base64Url } from '../connect/random-token.ts'
import { Fault } from '../fault/fault.ts'
import { type AgentId, newId } from '../ids.ts'
import type { Seal } from '../seal/seal.ts'
import { type Clock, type Entropy, MINUTE, SECOND } from '../time.ts'
import { type AgentCaller, agentEvent, requireEnrolling } from './agent-caller.ts'
import type { AgentService } from './agent-service.ts'
import type { Enrolment, Enrolments } from './enrolments.ts'
import type { MachineHints } from './installation.ts'

interface DevicePorts {
  readonly enrolments: Pick<Enrolments, 'insert' | 'byUserCode' | 'decide'>
  readonly agents: Pick<AgentService, 'get'>
  readonly seal: Pick<Seal, 'digest'>
  readonly clock: Pick<Clock, 'wall'>
  readonly entropy: Entropy
}

/** What a machine is told that waits for a person (RFC 8628 section 3.2). */
interface DeviceRequest {
  readonly deviceCode: string
  /** As people read it: `BCDF-GHJK`. */
  readonly userCode: string
  readonly expiresInMs: number
  readonly intervalMs: number
}

const LIFE_MS = 15 * MINUTE
const INTERVAL_MS = 5 * SECOND
/** No vowels, so that no word comes of it, and nothing that looks like another letter (RFC 8628 section 6.1). */
const LETTERS = 'BCDFGHJKLMNPQRSTVWXZ'
const LENGTH = 8
const WELL_FORMED = new RegExp(`^[${LETTERS}]{${LENGTH}}$`)

/** What a person types, however they type it; null: it cannot be one. */
export function userCodeOf(text: string): string | null {
  const code = text.toUpperCase().replace(/[^A-Z]/g, '')
  return WELL_FORMED.test(code) ? code : null
}

export function shownUserCode(code: string): string {
  return `${code.slice(0, LENGTH / 2)}-${code.slice(LENGTH / 2)}`
}

/** Machines without a keyboard of their own: a person allows them at another screen. */
export class DeviceService {
  readonly #ports: DevicePorts

  constructor(ports: DevicePorts) {
    this.#ports = ports
  }

  async ask(asked: { readonly name: string | null; readonly hints: MachineHints; readonly address: string | null }): Promise<DeviceRequest> {
    const { enrolments, seal, clock, entropy } = this.#ports
    const deviceCode = `egd_${base64Url(entropy.bytes(32))}`
    const userCode = newUserCode(entropy)
    const at = clock.wall()
    const enrolment: Enrolment = {
      id: newId('enr', entropy),
      hash: seal.digest(deviceCode),
      door: 'device',
      organization: null,
      agent: null,
      name: asked.name,
      userCode,
      status: 'open',
      asked: { host: asked.hints.host, platform: asked.hints.platform, address: asked.address },
      createdBy: { kind: 'system', id: null },
      createdAt: at,
      expiresAt: at + LIFE_MS,
      nextPollAt: null,
      intervalMs: INTERVAL_MS,
      usedBy: null,
      usedAttempt: null,
      installation: null,
    }
    await enrolments.insert(enrolment, null)
    return { deviceCode, userCode: shownUserCode(userCode), expiresInMs: LIFE_MS, intervalMs: INTERVAL_MS }
  }

  /** The machine that waits behind what a person typed. @throws Fault `invalid_request` in words for that person */
  async find(text: string): Promise<Enrolment> {
    const code = userCodeOf(text)
    const found = code === null ? undefined : await this.#ports.enrolments.byUserCode(code)
    if (found === undefined || found.status !== 'open' || this.#ports.clock.wall() >= found.expiresAt) throw unknownCode()
    return found
  }

  /** The machine becomes an installation of this agent. @throws Fault `invalid_request`, `not_found`, `role_missing`, `agent_revoked`, `agent_suspended` */
  async allow(caller: AgentCaller, text: string, id: AgentId): Promise<Enrolment> {
    const found = await this.find(text)
    const { agent } = await this.#ports.agents.get(caller, id)
    requireEnrolling(caller, agent)
    if (agent.status === 'revoked') throw new Fault('agent_revoked')
    if (agent.status === 'suspended') throw new Fault('agent_suspended')
    return this.#decide(caller, found, { status: 'approved', agent: id })
  }

  /** @throws Fault `invalid_request` */
  async deny(caller: AgentCaller, text: string): Promise<Enrolment> {
    return this.#decide(caller, await this.find(text), { status: 'denied', agent: null })
  }

  async #decide(
    { organization, actor }: AgentCaller,
    enrolment: Enrolment,
    { status, agent }: { readonly status: 'approved' | 'denied'; readonly agent: AgentId | null },
  ): Promise<Enrolment> {
    const { host, platform, address } = enrolment.asked
    const event = agentEvent(this.#ports, {
      type: status === 'approved' ? 'device.approved' : 'device.denied',
      organization,
      actor,
      subject: agent ?? enrolment.id,
      data: { enrolment: enrolment.id, host, platform, address },
    })
    const outcome = await this.#ports.enrolments.decide(enrolment.id, { status, organization, agent, name: enrolment.name }, event)
    if (outcome === 'gone') throw unknownCode()
    return { ...enrolment, status, organization, agent }
  }
}

/** Uniform: bytes that would make some letters more frequent are thrown away. */
function newUserCode(entropy: Entropy): string {
  const fair = 256 - (256 % LETTERS.length)
  let code = ''
  while (code.length < LENGTH) for (const byte of entropy.bytes(LENGTH)) if (byte < fair && code.length < LENGTH) code += LETTERS[byte % LETTERS.length] ?? ''
  return code
}

function unknownCode(): Fault {
  return new Fault('invalid_request', {
    field: '/user_code',
    detail: 'No machine waits with this code. Check it against the screen of the program; a code works for fifteen minutes, and once.',
  })
}
