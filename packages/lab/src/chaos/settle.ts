import { comesTrue } from '../until.ts'
import type { Arena, Subject } from './arena.ts'
import { endedByUs, shown, standings, truthOf, unexplainedEnd } from './truth.ts'

/** What became of the grants. `unexplained` must stay empty and `revokedByUs` 0. */
export interface Findings {
  lost: number
  explained: number
  revokedByUs: number
  readonly unexplained: string[]
}

export function newFindings(): Findings {
  return { lost: 0, explained: 0, revokedByUs: 0, unexplained: [] }
}

interface Hearing {
  /** `true`: at the true values of table 2.8 the last probe of a suspect may be an hour away. */
  readonly profile: 'scaled' | 'true'
  readonly say: (line: string) => void
}

/** Waits until each connection is kept or over, then judges those that are over and lets their owners grant again. */
export async function settle(arena: Arena, findings: Findings, hearing: Hearing): Promise<string> {
  const patience = hearing.profile === 'true' ? { timeoutMs: 4_500_000, pollMs: 1_000 } : { timeoutMs: 90_000, pollMs: 80 }
  let open: readonly Subject[] = arena.subjects
  const over: Subject[] = []
  await comesTrue(async () => {
    const ends = await standings(arena, open)
    over.push(...open.filter((_, index) => ends[index] === 'over'))
    open = open.filter((_, index) => ends[index] === 'open')
    return open.length === 0
  }, patience)
  for (const subject of open) {
    findings.unexplained.push(`${subject.connection} (${subject.profile}) does not come to rest: ${JSON.stringify(await shown(arena, subject))}`)
  }
  for (const subject of over) await judgeEnd(arena, subject, findings, hearing)
  return `${arena.subjects.length - over.length - open.length} kept, ${over.length} lost`
}

async function judgeEnd(arena: Arena, subject: Subject, findings: Findings, hearing: Hearing): Promise<void> {
  const grant = subject.grants.at(-1) ?? ''
  const truth = await truthOf(arena, grant)
  const quarantineMs = 60_000 / arena.setting.timeScale
  findings.lost += 1
  if (endedByUs(truth, 0.9 * quarantineMs)) {
    findings.revokedByUs += 1
    hearing.say(`REVOKED BY US ${subject.connection} (${subject.profile}): ${JSON.stringify(truth.presentations.slice(-4))}`)
  }
  const why = await unexplainedEnd(arena, subject)
  if (why === null) findings.explained += 1
  else
    findings.unexplained.push(
      `${subject.connection} (${subject.profile}) is over: ${why}; ${JSON.stringify(await shown(arena, subject))}; ${JSON.stringify(truth)}`,
    )
  await arena.regrant(subject)
}
