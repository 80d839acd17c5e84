import { isRole, ROLES, type Role } from './access-token.ts'

/** What one route asks beyond a session. */
export interface Requirements {
  /** Instead of the authenticator's own. */
  readonly roles?: readonly Role[]
  /** Seconds since the person last proved who they are: for what must not be done by whoever found an open laptop. */
  readonly authenticatedWithin?: number
}

const REQUIREMENTS = ['roles', 'authenticatedWithin'] as const

/**
 * What a route asks, looked at before anybody comes: a misspelt name, or seconds that an environment variable did not hold, would ask for less than was meant.
 * @throws TypeError
 */
export function checkedRequirements(requirements: Requirements = {}): Requirements {
  refuseUnknown('requirement', requirements, REQUIREMENTS)
  const { roles, authenticatedWithin: within } = requirements
  if (roles !== undefined) refuseNoRoles(roles)
  if (within !== undefined && !(typeof within === 'number' && within >= 0))
    throw new TypeError('`authenticatedWithin` is a number of seconds, for example 600; leave it out to ask for none.')
  return requirements
}

export function refuseNoRoles(roles: unknown): void {
  if (!Array.isArray(roles) || roles.length === 0 || !roles.every(isRole)) throw new TypeError(`\`roles\` lists some of ${ROLES.join(', ')}.`)
}

export function refuseUnknown(what: string, given: object, known: readonly string[]): void {
  const stranger = Object.keys(given).find((name) => !known.includes(name))
  if (stranger !== undefined) throw new TypeError(`\`${stranger}\` is no ${what}. There are: ${known.join(', ')}.`)
}
