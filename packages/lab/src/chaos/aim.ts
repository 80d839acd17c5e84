import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Arena } from './arena.ts'
import { PROFILE_NAMES } from './classes.ts'
import type { Dice } from './dice.ts'
import type { ChaosNode } from './node.ts'

/** Which providers a strike is about: one to three of them. */
export function aimAt(dice: Dice): readonly string[] {
  return dice.shuffled(PROFILE_NAMES).slice(0, dice.between(1, 3))
}

/** Somebody wants each of these connections renewed now, at this node. Nobody waits for the answers. */
export function force(arena: Arena, node: ChaosNode, profiles: readonly string[]): Promise<readonly number[]> {
  const asked = profiles.flatMap((profile) => arena.of(profile)).map((subject) => node.api.post(`/connections/${subject.connection}/refresh`))
  return Promise.all(asked.map((reply) => reply.then(({ status }) => status).catch(() => 0)))
}

/** The provider holds requests of these profiles from now on, before or after its own commit. */
export async function holdAnswers(arena: Arena, profiles: readonly string[], when: 'before' | 'after'): Promise<void> {
  await Promise.all(profiles.map((profile) => arena.fault(profile, { kind: 'hang', when, times: null })))
}

/** The embedded database takes no write while this is held: another process has its write lock. */
export function lockDatabase(node: ChaosNode): () => void {
  const file = new DatabaseSync(join(node.server.dataDir, 'evergrant.db'), { timeout: 2_000 })
  file.exec('begin immediate')
  return () => {
    file.exec('rollback')
    file.close()
  }
}

/** When the node's journal was last written. */
export function journalTouched(node: ChaosNode): number {
  const folder = join(node.journalDir, node.name)
  return Math.max(0, ...readdirSync(folder).map((name) => statSync(join(folder, name)).mtimeMs))
}
