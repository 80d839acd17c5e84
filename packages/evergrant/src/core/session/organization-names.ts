import type { Organization } from '../access/organization.ts'
import type { OrganizationId } from '../ids.ts'
import { type Clock, MINUTE } from '../time.ts'

/** A new name is seen after this at the latest. */
const TRUST_MS = MINUTE
const REMEMBERED = 1_000

type Named = Pick<Organization, 'id' | 'name'>

/** Names of organizations for session answers, which come too often to ask the store each time. A name that is a minute old is no harm. */
export class OrganizationNames {
  readonly #get: (id: OrganizationId) => Promise<Organization | undefined>
  readonly #clock: Pick<Clock, 'mono'>
  readonly #known = new Map<OrganizationId, { readonly named: Named; readonly at: number }>()

  constructor(store: { get(id: OrganizationId): Promise<Organization | undefined> }, clock: Pick<Clock, 'mono'>) {
    this.#get = (id) => store.get(id)
    this.#clock = clock
  }

  /** What memory has. Synchronous: the hot path. */
  peek(id: OrganizationId): Named | undefined {
    const known = this.#known.get(id)
    return known !== undefined && this.#clock.mono() - known.at < TRUST_MS ? known.named : undefined
  }

  async get(id: OrganizationId): Promise<Named | undefined> {
    const now = this.#clock.mono()
    const fresh = this.peek(id)
    if (fresh !== undefined) return fresh
    const known = this.#known.get(id)
    try {
      const found = await this.#get(id)
      if (found !== undefined) this.#remember({ id, name: found.name }, now)
      return found
    } catch (error) {
      if (known === undefined) throw error
      return known.named
    }
  }

  #remember(named: Named, at: number): void {
    if (this.#known.size >= REMEMBERED) this.#known.clear()
    this.#known.set(named.id, { named, at })
  }
}
