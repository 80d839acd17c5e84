import type { NewEvent } from '../audit/event.ts'
import type { OrganizationId } from '../ids.ts'
import type { Instant } from '../time.ts'
import type { Membership, Role } from '../user/user.ts'
import type { OrganizationSettings, SettingsChange } from './organization-settings.ts'

/** Tenant; every row belongs to one; nothing crosses it. */
export interface Organization {
  readonly id: OrganizationId
  /** What the connect pages call the application. */
  readonly name: string
  /** Unique, for the command line: lower-case letters, digits, dashes. The first one is `default`. */
  readonly slug: string
  readonly createdAt: Instant
  /** Who of these roles did not prove a second factor may only add one (ASVS 6.3.3). In the order of `ROLES`; empty: nobody is asked. */
  readonly requireSecondFactor: readonly Role[]
}

/** A new one asks nobody for a second factor. */
export type NewOrganization = Omit<Organization, 'requireSecondFactor'>

export interface Founder {
  readonly membership: Membership
  readonly event: NewEvent
}

export interface Organizations {
  /** `founder` becomes a member in the same transaction: an organization that somebody makes is never without an owner. */
  insert(organization: NewOrganization, event: NewEvent, founder?: Founder): Promise<'inserted' | 'slug_taken'>
  get(id: OrganizationId): Promise<Organization | undefined>
  bySlug(slug: string): Promise<Organization | undefined>
  list(): Promise<readonly Organization[]>
  rename(id: OrganizationId, name: string): Promise<void>
  /** With defaults for what was never set; also for an organization that is gone. */
  settings(id: OrganizationId): Promise<OrganizationSettings>
  /** What is not named stays as it is stored by then. Returns all of them. */
  saveSettings(id: OrganizationId, change: SettingsChange, event: NewEvent): Promise<OrganizationSettings>
  /**
   * Counts at once in sessions that are open: announces `{ kind: 'organization' }`. `already`: nothing changed, and no event was written. `held`: what the
   * decision saw; `moved` when that is not so any more.
   */
  requireSecondFactor(id: OrganizationId, roles: readonly Role[], event: NewEvent, held?: readonly Role[]): Promise<'changed' | 'already' | 'gone' | 'moved'>
}
