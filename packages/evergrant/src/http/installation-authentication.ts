import type { FastifyRequest } from 'fastify'
import type { ApiKeyScope } from '../core/access/api-key.ts'
import type { AgentPolicy } from '../core/agent/agent.ts'
import type { InstallationShown, ProvenInstallation } from '../core/agent/installation-guard.ts'
import { Fault } from '../core/fault/fault.ts'
import { decodeJwt } from '../core/provider/base64url.ts'
import type { ProvenKey } from '../core/session/session-guard.ts'
import { type Access, allows, type Done, type Limits, limited } from './admission.ts'
import { addressBucket } from './rate-limit.ts'
import type { Caller, Services } from './services.ts'

/** Lets an installation in: false when the token is none of an installation, and somebody else may look at it. */
export function installationHook(services: Pick<Services, 'installationGuard' | 'uses' | 'clock'>, limits: Limits) {
  const admit = (request: FastifyRequest, proven: ProvenInstallation, access: Access): Fault | undefined => {
    const waitMs = limits.keys.take(proven.installation.id)
    if (waitMs > 0) return limited(services, waitMs, 'The limit of this installation was reached.')
    services.uses.countDay(proven.installation.id, proven.agent.id, { requests: 1, bound: proven.bound ? 1 : 0 })
    const caller = installationCaller(proven)
    const refused = outOfReach(caller, access, request.routeOptions.config.agents === true)
    request[refused === undefined ? 'caller' : 'turnedAway'] = caller
    return refused
  }
  return (request: FastifyRequest, token: string, key: ProvenKey, access: Access, done: Done): boolean => {
    const shown: InstallationShown = { key: key === 'not_asked' ? null : key, address: request.ip }
    const known = services.installationGuard.peek(token, shown)
    if (known === 'unknown' && !isOfAgent(token)) return false
    if (known instanceof Fault) {
      done(known)
      return true
    }
    if (known !== 'unknown') {
      done(admit(request, known, access))
      return true
    }
    // Somebody who makes tokens up must not keep us busy with signatures; whoever sends a genuine one gets the turn back.
    const bucket = addressBucket(request.ip)
    const waitMs = limits.failures.take(bucket)
    if (waitMs > 0) {
      done(limited(services, waitMs, 'Too many invalid credentials from this address.'))
      return true
    }
    services.installationGuard.lookUp(token, shown).then(
      (proven) => {
        limits.failures.giveBack(bucket)
        done(admit(request, proven, access))
      },
      (cause: unknown) => {
        const fault = cause instanceof Fault ? cause : new Fault('store_unavailable', { cause })
        // One that was read is genuine: after a Rotate a thousand machines behind one address bring theirs once more, and must not keep each other out.
        const genuine = fault.code !== 'access_token_expired' || services.installationGuard.peek(token, shown) !== 'unknown'
        if (genuine) limits.failures.giveBack(bucket)
        done(fault)
      },
    )
    return true
  }
}

/** By what it says of itself, which nobody has checked: only whose guard looks at it is decided here. */
function isOfAgent(token: string): boolean {
  const subject = decodeJwt(token)?.claims.sub
  return typeof subject === 'string' && subject.startsWith('agt_')
}

function installationCaller(proven: ProvenInstallation): Caller {
  const { installation, agent } = proven
  return {
    organization: installation.organization,
    actor: { kind: 'installation', id: installation.id },
    scopes: scopesOf(agent.policy),
    owner: null,
    key: null,
    person: null,
    installation: proven,
  }
}

/** To see the connections that its policy selects, and to use them as it says. Never `admin`, whatever its owner is. */
function scopesOf({ access }: Pick<AgentPolicy, 'access'>): readonly ApiKeyScope[] {
  return ['connections:read', ...(access.includes('token') ? (['tokens:read'] as const) : []), ...(access.includes('proxy') ? (['proxy'] as const) : [])]
}

/** What keeps an agent from a route: that it is not about using connections, or what the policy gives. */
function outOfReach(caller: Caller, access: Access, forAgents: boolean): Fault | undefined {
  if (!forAgents || access === 'person')
    return new Fault('agent_policy_refused', {
      detail: 'Agents see and use connections, and nothing else. This needs an API key, or a person who is signed in.',
    })
  if (allows(caller, access)) return undefined
  return new Fault('agent_policy_refused', {
    detail: `This needs \`${access}\`, and the policy of the agent gives ${caller.scopes.map((scope) => `\`${scope}\``).join(', ')}.`,
  })
}
