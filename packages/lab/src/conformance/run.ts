import type { TabSettings } from './asked.ts'
import { type Cell, Play } from './play.ts'
import type { Scenario } from './scenario.ts'
import type { Stage } from './stage.ts'

export type Verdict = { readonly kind: 'pass' } | { readonly kind: 'fail'; readonly why: string } | { readonly kind: 'does not apply'; readonly why: string }

/** Longer than any scenario needs: a client that hangs is a client that fails. */
const LIMIT_MS = 60_000

/** Plays one scenario in one cell. Never rejects. */
export async function judge(stage: Stage, cell: Cell, scenario: Scenario, subject: TabSettings['subject'] = 'evergrant'): Promise<Verdict> {
  const reason = scenario.leavesOut?.(cell) ?? null
  if (reason !== null) return { kind: 'does not apply', why: reason }
  const play = new Play(stage, cell, subject)
  let impatience: NodeJS.Timeout | undefined
  try {
    const tooLong = new Promise<never>((_, reject) => {
      impatience = setTimeout(() => reject(new Error(`it did not end within ${LIMIT_MS / 1_000} s`)), LIMIT_MS)
    })
    await Promise.race([scenario.run(play), tooLong])
    return { kind: 'pass' }
  } catch (error) {
    return { kind: 'fail', why: error instanceof Error ? error.message : String(error) }
  } finally {
    clearTimeout(impatience)
    await play.end()
  }
}
