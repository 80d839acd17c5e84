import type { NewEvent } from '../../core/audit/event.ts'
import type { ConnectSession, ConnectSessionState, ConnectSessions, SessionAnswer, StagedGrant } from '../../core/connect/connect-sessions.ts'
import type { StoredFault } from '../../core/connection/connection.ts'
import { type ConnectSessionId, type IntentId, idFrom } from '../../core/ids.ts'
import type { Instant } from '../../core/time.ts'
import type { Tables } from './tables.ts'

/** Compare-and-set on the state. Returns whether it was one of `from`. */
function move(tables: Tables, id: ConnectSessionId, from: readonly ConnectSessionState[], change: Partial<ConnectSession>): boolean {
  const session = tables.sessions.get(id)
  if (session === undefined || !from.includes(session.state)) return false
  tables.sessions.set(id, { ...session, ...change })
  return true
}

function told(tables: Tables, moved: boolean, event: NewEvent | null): boolean {
  if (moved && event !== null) tables.append(event)
  return moved
}

function find(tables: Tables, matches: (session: ConnectSession) => boolean): ConnectSession | undefined {
  for (const session of tables.sessions.values()) if (matches(session)) return session
  return undefined
}

function insert(tables: Tables, session: ConnectSession, event: NewEvent): void {
  if (!tables.integrations.has(session.integration)) throw new Error(`${session.integration} is not stored`)
  if (find(tables, (other) => other.tokenHash === session.tokenHash) !== undefined) throw new Error('this link token is stored already')
  tables.sessions.set(session.id, session)
  tables.append(event)
}

function beginExchange(tables: Tables, id: ConnectSessionId, stateHash: string, intent: IntentId): boolean {
  const flow = tables.sessions.get(id)?.flow
  if (flow === undefined || flow === null || flow.stateHash !== stateHash) return false
  return move(tables, id, ['started'], { state: 'exchanging', flow: { ...flow, intent } })
}

function stage(tables: Tables, id: ConnectSessionId, intent: IntentId, staged: StagedGrant, answer: SessionAnswer, event: NewEvent | null): boolean {
  const session = tables.sessions.get(id)
  if (session === undefined) return false
  const own = session.flow?.intent === intent
  const done = own && move(tables, id, ['exchanging'], { state: 'staged', staged })
  tables.answers.keep({ organization: session.organization, connection: null, generation: 0, answer, applied: done })
  told(tables, done, event)
  return own && (done || session.state === 'staged' || session.state === 'completed')
}

function reopenInterrupted(tables: Tables, before: Instant, fault: StoredFault): number {
  let reopened = 0
  const first = idFrom('itn', before)
  for (const session of tables.sessions.values()) {
    const { startedAt = before, intent = null } = session.flow ?? {}
    if (startedAt >= before || intent === null || intent >= first || (tables.keptExchanges.get(intent) ?? 0) >= before) continue
    if (move(tables, session.id, ['exchanging'], { state: 'open', fault })) reopened += 1
  }
  return reopened
}

function purge(tables: Tables, before: Instant, limit: number): number {
  const codes = [...tables.pushedCodes].filter(([, code]) => code.until < before).sort(([, left], [, right]) => left.until - right.until)
  for (const [name] of codes.slice(0, limit)) tables.pushedCodes.delete(name)
  const ended = [...tables.sessions.values()].filter((session) => session.expiresAt < before).sort((left, right) => left.expiresAt - right.expiresAt)
  for (const session of ended.slice(0, limit)) tables.sessions.delete(session.id)
  return Math.min(ended.length, limit)
}

export function connectSessionsPart(tables: Tables): ConnectSessions {
  return {
    insert: async (session, event) => insert(tables, session, event),
    get: async (organization, id) => {
      const session = tables.sessions.get(id)
      return session?.organization === organization ? session : undefined
    },
    load: async (id) => tables.sessions.get(id),
    byTokenHash: async (tokenHash) => find(tables, (session) => session.tokenHash === tokenHash),
    byStateHash: async (stateHash) => find(tables, (session) => session.flow?.stateHash === stateHash),
    start: async (id, flow, variables, event, chosen) => {
      const integration = chosen === undefined ? {} : { integration: chosen }
      return told(tables, move(tables, id, ['open', 'started'], { state: 'started', fault: null, variables, flow, ...integration }), event)
    },
    beginExchange: async (id, stateHash, intent) => beginExchange(tables, id, stateHash, intent),
    stage: async (id, intent, staged, answer, event) => stage(tables, id, intent, staged, answer, event),
    fail: async ({ id, flow }, fault, event) => {
      const current = tables.sessions.get(id)?.flow
      if (current?.stateHash !== flow?.stateHash || current?.intent !== flow?.intent) return
      told(tables, move(tables, id, ['exchanging', 'started', 'staged'], { state: 'open', fault, staged: null }), event)
    },
    complete: async (id, result, event) => told(tables, move(tables, id, ['staged'], { state: 'completed', result, fault: null, staged: null }), event),
    burn: async (id, fault, event) =>
      told(tables, move(tables, id, ['open', 'started', 'exchanging', 'staged'], { state: 'burned', fault, staged: null }), event),
    noteKept: async (intents, at) => {
      for (const { state, flow } of tables.sessions.values())
        if (state === 'exchanging' && flow !== null && flow.intent !== null && intents.includes(flow.intent)) tables.keptExchanges.set(flow.intent, at)
    },
    reopenInterrupted: async (before, fault) => reopenInterrupted(tables, before, fault),
    keepPushed: async (kept) => {
      for (const [name, other] of tables.pushedCodes)
        if (other.integration === kept.integration && other.until < kept.receivedAt) tables.pushedCodes.delete(name)
      tables.pushedCodes.set(`${kept.integration}#${kept.key}`, kept)
    },
    pushed: async (integration, key) => tables.pushedCodes.get(`${integration}#${key}`),
    purge: async (before, limit) => purge(tables, before, limit),
  }
}
