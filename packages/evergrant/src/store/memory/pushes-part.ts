import type { NewPushNotice, Pushes } from '../../core/push/pushes.ts'
import type { KeptNotice } from './kept-rows.ts'
import type { Tables } from './tables.ts'

function accept(tables: Tables, notices: readonly NewPushNotice[]): number {
  let fresh = 0
  for (const notice of notices) {
    const known = [...tables.notices.values()].find(({ notice: old }) => old.integration === notice.integration && old.digest === notice.digest)
    if (known === undefined) {
      tables.notices.set(notice.id, { notice: { ...notice, attempts: 0 }, dueAt: tables.now(), doneAt: null })
      fresh += 1
    } else if (known.doneAt !== null && known.notice.means === 'revoked') {
      tables.notices.set(known.notice.id, { notice: { ...known.notice, proven: false, attempts: 0 }, dueAt: tables.now(), doneAt: null })
    }
  }
  return fresh
}

const byDueTime = (left: KeptNotice, right: KeptNotice) => (left.dueAt ?? 0) - (right.dueAt ?? 0)

export function pushesPart(tables: Tables): Pushes {
  return {
    secrets: async (integration) => tables.pushSecrets.get(integration),
    setSecret: async (secrets, event) => {
      tables.pushSecrets.set(secrets.integration, secrets)
      tables.append(event)
    },
    accept: async (notices) => accept(tables, notices),
    take: async (limit, visibilityMs) => {
      const now = tables.now()
      const due = [...tables.notices.values()].filter(({ dueAt }) => dueAt !== null && dueAt <= now).sort(byDueTime)
      return due.slice(0, limit).map(({ notice, doneAt }) => {
        const taken = { ...notice, attempts: notice.attempts + 1 }
        tables.notices.set(notice.id, { notice: taken, dueAt: now + visibilityMs, doneAt })
        return taken
      })
    },
    finish: async (id, events) => {
      const kept = tables.notices.get(id)
      if (kept === undefined || kept.doneAt !== null) return
      tables.notices.set(id, { notice: { ...kept.notice, code: null }, dueAt: null, doneAt: tables.now() })
      for (const event of events) tables.append(event)
    },
    retry: async (id, dueAt) => {
      const kept = tables.notices.get(id)
      if (kept !== undefined && kept.doneAt === null) tables.notices.set(id, { ...kept, dueAt })
    },
    forget: async (before, limit) => {
      const old = [...tables.notices.values()].filter(({ doneAt }) => doneAt !== null && doneAt < before).slice(0, limit)
      for (const { notice } of old) tables.notices.delete(notice.id)
      return old.length
    },
  }
}
