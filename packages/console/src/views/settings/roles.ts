export type Role = 'owner' | 'admin' | 'operator' | 'member' | 'viewer'

export const ROLES: readonly { readonly value: Role; readonly text: string; readonly explained: string }[] = [
  { value: 'owner', text: 'Owner', explained: 'Everything, and other owners' },
  { value: 'admin', text: 'Admin', explained: 'Everything but owners' },
  { value: 'operator', text: 'Operator', explained: 'Connections, integrations, agents and alerts' },
  { value: 'member', text: 'Member', explained: 'Their own connections and agents' },
  { value: 'viewer', text: 'Viewer', explained: 'Looks, and changes nothing' },
]

/** A role as people read it. One that a newer server knows is shown as it is written. */
export const roleWords = (role: string): string => ROLES.find(({ value }) => value === role)?.text ?? role
