import type { Log } from '../log.ts'
import type { NodeIdentity } from '../refresh/credentials.ts'
import type { NodeAbout, NodeReport } from '../refresh/nodes.ts'

interface AddressWatchPorts {
  readonly node: Pick<NodeIdentity, 'id'>
  readonly about: NodeAbout
  readonly log: Pick<Log, 'info' | 'warn'>
}

/**
 * Tells an operator that a live node has another public URL: callbacks and issuers then depend on which of them answers. Nothing is refused, because an
 * address is changed by restarting the nodes one after the other.
 */
export class AddressWatch {
  readonly #ports: AddressWatchPorts
  #told = ''

  constructor(ports: AddressWatchPorts) {
    this.#ports = ports
  }

  /** Once for each change of what the others say. */
  look(reports: readonly NodeReport[]): void {
    const { node, about, log } = this.#ports
    if (about.kind === 'command') return
    const others = reports.flatMap(({ id, alive, about: said }) =>
      alive && id !== node.id && saysOther(said, about) ? [{ id, publicUrl: said.publicUrl }] : [],
    )
    const now = JSON.stringify(others)
    if (now === this.#told || (this.#told === '' && others.length === 0)) return
    this.#told = now
    const own = about.publicUrl
    if (others.length === 0) log.info({ public_url: own }, 'every live node has this public URL again')
    for (const { id, publicUrl } of others)
      log.warn(
        { public_url: own, other_node: id, other_public_url: publicUrl },
        `this node has the public URL ${own}, and node ${id} has ${publicUrl}: links, callbacks and issuers depend on which of them answers. Set the same EVERGRANT_PUBLIC_URL on every node and restart them one after the other; while you do, this line is expected`,
      )
  }
}

/** A command serves nobody: what its environment says of the address is its own. */
function saysOther(said: NodeAbout | null, own: NodeAbout): said is NodeAbout {
  return said?.kind === 'server' && said.publicUrl !== own.publicUrl
}
