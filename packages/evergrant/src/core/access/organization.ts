import type { NewEvent } from '../audit/event.ts'
import type { OrganizationId } from '../ids.ts'
import type { Instant } from '../time.ts'
import type { Membership } from '../user/user.ts'

/** Tenant; every row belongs to one; nothing crosses it. */
export interface Organization {
  readonly id: OrganizationId
  /** What the connect pages call the application. */
  readonly name: string
  /** Unique, for the command line: lower-case letters, digits, dashes. The first one is `default`. */
  readonly slug: string
  readonly createdAt: Instant
}

export interface Founder {
  readonly membership: Membership
  readonly event: NewEvent
}

export interface Organizations {
  /** `founder` becomes a member in the same transaction: an organization that somebody makes is never without an owner. */
  insert(organization: Organization, event: NewEvent, founder?: Founder): Promise<'inserted' | 'slug_taken'>
  get(id: OrganizationId): Promise<Organization | undefined>
  bySlug(slug: string): Promise<Organization | undefined>
  list(): Promise<readonly Organization[]>
  rename(id: OrganizationId, name: string): Promise<void>
}
