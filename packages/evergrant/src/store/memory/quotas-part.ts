import { isFromAhead, type Quotas } from '../../core/pacing/quotas.ts'
import { DAY } from '../../core/time.ts'
import type { Tables } from './tables.ts'

export function quotasPart(tables: Tables): Quotas {
  return {
    put: async (states) => {
      for (const state of states) {
        const key = `${state.integration} ${state.connection ?? ''} ${state.name}`
        const known = tables.quotas.get(key)?.observedAt ?? state.observedAt
        if (known > state.observedAt && !isFromAhead(known, tables.now())) continue
        tables.quotas.set(key, state)
        tables.changed({ kind: 'quota', state })
      }
      for (const [key, { connection, resetsAt }] of tables.quotas) if (connection !== null && resetsAt < tables.now() - DAY) tables.quotas.delete(key)
    },
    of: async (integration) => {
      const all = [...tables.quotas.values()].filter((state) => state.integration === integration)
      return [...all.filter(({ connection }) => connection === null), ...all.filter((state) => state.connection !== null && state.resetsAt > tables.now())]
    },
  }
}
