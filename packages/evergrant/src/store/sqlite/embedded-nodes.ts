import { Fault } from '../../core/fault/fault.ts'
import type { NodeIdentity } from '../../core/refresh/credentials.ts'
import type { Nodes } from '../../core/refresh/nodes.ts'
import { beat, enter, forget, leasesOf, leave, list, takeOver, tell } from '../sql/nodes.ts'
import type { Database, Program } from '../sql/program.ts'

/** The data lock lets one process in: that one lives, and every other node that ever wrote here is gone. */
export function embeddedNodes(database: Database): Nodes {
  const { dialect } = database
  let self: NodeIdentity | null = null
  const gone = (holder: string) =>
    // biome-ignore lint/correctness/useYield: a program that has nothing to ask the database
    function* (): Program<boolean> {
      return holder !== self?.id
    }
  const reports = async () => (await database.read(() => list('0'))).map((report) => ({ ...report, alive: report.id === self?.id }))
  return {
    list: reports,
    join: async (node) => {
      if (self !== null) throw new Fault('internal', { detail: `the node ${self.id} has joined already` })
      self = node
      await database.write(() => enter(node))
      return {
        held: () => self === node,
        losses: () => 0,
        beat: (draining) => database.write(() => beat(node, draining)),
        leave: async () => {
          if (self !== node) return
          await database.write(() => leave(node))
          self = null
        },
      }
    },
    tell: (node, keyring, about) => database.write(() => tell(node, keyring, about)),
    leasesOf: (node, after, limit) => database.read(() => leasesOf(node, after, limit)),
    takeOver: (connection, holder, epoch) => database.write(() => takeOver(dialect, gone(holder), connection, holder, epoch), { connection }),
    forgetLost: async (olderThan) => {
      const lost = (await reports()).filter((report) => !report.alive)
      return database.write(() => forget(dialect, lost, olderThan))
    },
  }
}
