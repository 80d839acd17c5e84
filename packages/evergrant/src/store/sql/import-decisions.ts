import type { ImportIdentity, ImportOutcome } from '../../core/connection/connections.ts'
import type { ConnectionId } from '../../core/ids.ts'

interface Mark {
  readonly owner: string
  /** Null: a line of this batch that is only foreseen. */
  readonly connection: ConnectionId | null
  /** Its connection is not disconnected. */
  readonly live: boolean
}

interface Holder {
  readonly connection: ConnectionId | null
  readonly fingerprint: string | null
}

type Grant = Pick<ImportIdentity, 'integration' | 'fingerprint'>
type Account = Pick<ImportIdentity, 'integration' | 'owner'> & { readonly account: string }

const grantKey = ({ integration, fingerprint }: Grant): string => `${integration} ${fingerprint}`
/** The owner comes last of what may hold a space: its length says where it ends. */
const accountKey = ({ integration, owner, account }: Account): string => `${integration} ${owner.length} ${owner} ${account}`

/** What is known of the grants of one batch: imports of before, and the live connections that have their accounts. */
export class KnownGrants {
  readonly #marks = new Map<string, Mark[]>()
  readonly #holders = new Map<string, Holder>()

  mark(grant: Grant, mark: Mark): void {
    const key = grantKey(grant)
    const marks = this.#marks.get(key)
    if (marks === undefined) this.#marks.set(key, [mark])
    else marks.push(mark)
  }

  hold(account: Account, holder: Holder): void {
    this.#holders.set(accountKey(account), holder)
  }

  /**
   * One line of a batch; those that are inserted are known to the lines after it. `connection` is the id that the line would
   * get: finding it marked means that this very batch was committed before, and nobody heard of it.
   */
  decide(identity: ImportIdentity, connection: ConnectionId | null): ImportOutcome | 'committed' {
    const marks = this.#marks.get(grantKey(identity)) ?? []
    const own = marks.find((mark) => mark.owner === identity.owner)
    if (own !== undefined) return connection !== null && own.connection === connection ? 'committed' : { kind: 'already', connection: own.connection }
    const other = identity.exclusive ? marks.find((mark) => mark.live) : undefined
    if (other !== undefined) return { kind: 'shared', connection: other.connection }
    const { integration, owner, account, fingerprint } = identity
    const holder = account === null ? undefined : this.#holders.get(accountKey({ integration, owner, account }))
    if (holder !== undefined) return { kind: holder.fingerprint === fingerprint ? 'already' : 'exists', connection: holder.connection }
    this.mark(identity, { owner, connection, live: true })
    if (account !== null) this.hold({ integration, owner, account }, { connection, fingerprint })
    return { kind: 'inserted' }
  }
}
