import { Fault } from '../fault/fault.ts'
import { type AgentId, newId, type WorkloadIssuerId } from '../ids.ts'
import type { JsonObject, JsonValue } from '../json.ts'
import { decodeJwt } from '../provider/base64url.ts'
import { type Clock, type Entropy, type Instant, MINUTE, SECOND } from '../time.ts'
import { type AgentCaller, agentEvent, requireEnrolling } from './agent-caller.ts'
import type { AgentService } from './agent-service.ts'
import type { ClaimCondition, WorkloadIssuer, WorkloadIssuers } from './workload-issuers.ts'

/** Port: whether the issuer signed the token, with the keys that it publishes. Never rejects because of the token. */
export interface IdentityTokenVerifier {
  verify(token: string, issuer: string): Promise<{ readonly kind: 'signed'; readonly claims: JsonObject } | { readonly kind: 'refused'; readonly why: string }>
}

interface WorkloadPorts {
  readonly issuers: WorkloadIssuers
  readonly agents: Pick<AgentService, 'get'>
  readonly verifier: IdentityTokenVerifier
  readonly clock: Pick<Clock, 'wall'>
  readonly entropy: Entropy
  readonly publicUrl: string
  /** Some private address may be called: only then is an issuer without TLS believed. */
  readonly privateAllowed: boolean
}

/** The one trust that a token fits, and who its issuer says it is. */
interface KnownWorkload {
  readonly trust: WorkloadIssuer
  /** `iss` and `sub` (RFC 7519 section 4.1): the same for every token of this workload. */
  readonly subject: string
}

interface NewWorkloadIssuer {
  readonly name: string
  readonly issuer: string
  /** By default one that nobody else has: this server and the organization. */
  readonly audience: string | null
  readonly conditions: readonly ClaimCondition[]
  readonly installationLifeMs: number
}

const TOKEN_MAX = 16_384
const LEEWAY_SECONDS = 60

/** Machines whose platform says who they are: no secret is stored anywhere, and recovery is enrolling again. */
export class WorkloadIdentities {
  readonly #ports: WorkloadPorts

  constructor(ports: WorkloadPorts) {
    this.#ports = ports
  }

  /** @throws Fault `not_found`, `role_missing`, `invalid_request` for an issuer without TLS, `already_exists` when the audience belongs to somebody else */
  async create(caller: AgentCaller, id: AgentId, wanted: NewWorkloadIssuer): Promise<WorkloadIssuer> {
    const { issuers, clock, entropy, publicUrl } = this.#ports
    const { agent } = await this.#ports.agents.get(caller, id)
    requireEnrolling(caller, agent)
    if (agent.status === 'revoked') throw new Fault('agent_revoked')
    if (this.#isOpenToAnybody(wanted.issuer))
      throw new Fault('invalid_request', {
        field: '/issuer',
        detail: `An issuer without TLS is not believed: whoever is on the way could sign in its place. Use https, or allow the private host that it is at: EVERGRANT_DANGEROUS_PRIVATE_HOSTS.`,
      })
    const reserved = reservedFor(caller, id, publicUrl)
    const audience = wanted.audience ?? reserved
    const trusted = await issuers.named(wanted.issuer)
    if (isReserved(audience, reserved, publicUrl) || trusted.some((other) => other.audience === audience && isClosedTo(caller, id, other)))
      throw new Fault('already_exists', {
        field: '/audience',
        detail: 'This audience is taken for this issuer. Leave `audience` out, or choose one of your own.',
      })
    const { name, issuer, conditions, installationLifeMs } = wanted
    const made: WorkloadIssuer = {
      id: newId('wli', entropy),
      organization: caller.organization,
      agent: id,
      name,
      issuer,
      audience,
      conditions,
      installationLifeMs,
      createdAt: clock.wall(),
    }
    await issuers.insert(made, this.#event('workload_issuer.created', caller, made, { issuer, audience, conditions: conditions.map(toText) }))
    return made
  }

  /** @throws Fault `not_found` */
  async list(caller: AgentCaller, id: AgentId): Promise<readonly WorkloadIssuer[]> {
    await this.#ports.agents.get(caller, id)
    return this.#ports.issuers.ofAgent(caller.organization, id)
  }

  /** What came by it goes on until its own end. @throws Fault `not_found` */
  async remove(caller: AgentCaller, agent: AgentId, id: WorkloadIssuerId): Promise<void> {
    const found = (await this.list(caller, agent)).find((issuer) => issuer.id === id)
    const event = found === undefined ? null : this.#event('workload_issuer.deleted', caller, found, { issuer: found.issuer })
    if (event === null || (await this.#ports.issuers.remove(caller.organization, agent, id, event)) === 'gone')
      throw new Fault('not_found', { field: 'workload', detail: `This agent trusts no workload identity ${id}.` })
  }

  /** The one trust that a token fits. @throws Fault `workload_refused`, whose detail names the check that failed */
  async find(token: string): Promise<KnownWorkload> {
    const { issuers, verifier, clock } = this.#ports
    const read = token.length > TOKEN_MAX ? null : decodeJwt(token)
    const named = read?.claims['iss']
    if (typeof named !== 'string') throw refused('It is no JWT with an `iss`.')
    const trusted = await issuers.named(named)
    // Nothing is fetched for an issuer that nobody here trusts.
    if (trusted.length === 0) throw refused(`No agent trusts the issuer ${named.slice(0, 200)}.`)
    if (this.#isOpenToAnybody(named)) throw refused('Its issuer has no TLS, and no private host is allowed here.')
    const verified = await verifier.verify(token, named)
    if (verified.kind === 'refused') throw refused(verified.why)
    const late = timeProblem(verified.claims, clock.wall())
    if (late !== null) throw refused(late)
    const meant = trusted.filter(({ audience }) => audienceOf(verified.claims).includes(audience))
    if (meant.length === 0) throw refused('Its `aud` is not the audience that the trust asks for.')
    const fitting = meant.filter(({ conditions }) => conditions.every((condition) => holds(condition, verified.claims)))
    const [one, ...more] = fitting
    if (one === undefined) throw refused(`A condition does not hold: ${failing(meant, verified.claims)}.`)
    if (more.some(({ agent }) => agent !== one.agent)) throw refused('It fits the conditions of more than one agent. Make them tell the agents apart.')
    const subject = verified.claims['sub']
    if (typeof subject !== 'string' || subject === '') throw refused('It has no `sub`.')
    return { trust: one, subject: JSON.stringify([named, subject]) }
  }

  /** Whoever is on the way could hand out keys of their own. */
  #isOpenToAnybody(issuer: string): boolean {
    return !issuer.startsWith('https://') && !this.#ports.privateAllowed
  }

  #event(type: 'workload_issuer.created' | 'workload_issuer.deleted', { organization, actor }: AgentCaller, issuer: WorkloadIssuer, data: JsonObject) {
    return agentEvent(this.#ports, { type, organization, actor, subject: issuer.agent, data: { workload: issuer.id, name: issuer.name, ...data } })
  }
}

/** The audience where nobody chooses one. Who reaches only their own has one for each agent. */
function reservedFor({ organization, own }: AgentCaller, agent: AgentId, publicUrl: string): string {
  return own === null ? `${publicUrl}/${organization}` : `${publicUrl}/${organization}/${agent}`
}

/** Audiences below our own address belong to the organization, or the agent, that they name. */
function isReserved(audience: string, reserved: string, publicUrl: string): boolean {
  return `${audience}/`.startsWith(`${publicUrl}/`) && !`${audience}/`.startsWith(`${reserved}/`) && audience !== publicUrl
}

/**
 * Else a token that was made for another organization would enrol a machine here. And a token that fits two agents enrols in neither: whoever reaches only their
 * own must not keep other people's workloads out by that.
 */
function isClosedTo({ organization, own }: AgentCaller, agent: AgentId, other: WorkloadIssuer): boolean {
  return other.organization !== organization || (own !== null && other.agent !== agent)
}

function refused(check: string): Fault {
  return new Fault('workload_refused', { field: '/workload_token', detail: `The identity token was refused. ${check}` })
}

/** RFC 7519 sections 4.1.4 to 4.1.6. A token that never ends is none for this. */
function timeProblem({ exp, nbf, iat }: JsonObject, now: Instant): string | null {
  const seconds = now / SECOND
  if (typeof exp !== 'number') return 'It has no `exp`.'
  if (seconds >= exp + LEEWAY_SECONDS) return 'Its time is over (`exp`): fetch a fresh one from the platform.'
  if (typeof nbf === 'number' && seconds < nbf - LEEWAY_SECONDS) return 'Its time has not begun (`nbf`): compare the clocks.'
  if (typeof iat !== 'number') return 'It has no `iat`.'
  return seconds < iat - MINUTE / SECOND ? 'It was issued in the future (`iat`): compare the clocks.' : null
}

function audienceOf({ aud }: JsonObject): readonly JsonValue[] {
  return Array.isArray(aud) ? (aud as readonly JsonValue[]) : [aud ?? null]
}

/** A `*` at the end stands for anything, the empty text included; nowhere else has it a meaning. */
function holds({ claim, value }: ClaimCondition, claims: JsonObject): boolean {
  const found = Object.hasOwn(claims, claim) ? claims[claim] : undefined
  const text = typeof found === 'string' ? found : typeof found === 'number' || typeof found === 'boolean' ? String(found) : null
  if (text === null) return false
  return value.endsWith('*') ? text.startsWith(value.slice(0, -1)) : text === value
}

/** The first one of the trust that comes closest, with what the token says. The holder of a genuine token may know what is in it. */
function failing(meant: readonly WorkloadIssuer[], claims: JsonObject): string {
  const condition = meant[0]?.conditions.find((one) => !holds(one, claims))
  if (condition === undefined) return 'none'
  const found = claims[condition.claim]
  return `\`${condition.claim}\` is ${JSON.stringify(found ?? null).slice(0, 200)}`
}

function toText({ claim, value }: ClaimCondition): string {
  return `${claim} = ${value}`
}
