import type { Property } from './explorer.ts'
import { type Budgets, familyOf, isDestroyed, lastToken, refused, SECOND_FAMILY, type State, successorPending } from './lease-state.ts'

/** The invariants of the protocol that a model of one connection can express. */
export const PROPERTIES: readonly Property<State>[] = [
  {
    name: 'I1 one request at a time',
    holds: ({ requests }) => new Set(requests.map(({ token }) => token)).size === requests.length,
  },
  { name: 'I3 no false death', holds: (state) => !state.dead || refused(state, state.stored) },
  {
    name: 'I5 loss only in the window',
    holds: (state) => !refused(state, state.stored) || successorPending(state) || isDestroyed(state, state.stored),
  },
  { name: 'I5 no family revoked by us', holds: (state) => !state.killedByUs },
  { name: 'I7 no answer dropped', holds: (state) => !state.dropped },
  { name: 'a reconnect is not undone', holds: (state) => state.accepts[1] === 0 || familyOf(state.stored) === 1 },
]

/** What must be able to happen, or the model shows nothing. */
export const TARGETS: readonly Property<State>[] = [
  { name: 'every rotation done', holds: (state) => state.stored === 3 || state.stored === SECOND_FAMILY + 2 },
  {
    name: 'a lease is taken over while its first holder is down',
    holds: (state) => state.holder !== null && state.nodes.some((node, index) => node.step === 'down' && index !== state.holder),
  },
  {
    name: 'an answer arrives after the lease has moved on',
    holds: (state) => state.nodes.some((node, index) => node.step === 'answered' && node.grant > 0 && state.holder !== index && node.token === state.stored),
  },
  {
    name: 'a probe finds the grant alive',
    holds: (state) => state.nodes.some((node) => node.step === 'answered' && node.flag && node.grant > 0 && node.token === state.stored),
  },
  { name: 'a loss is found out and explained', holds: (state) => state.dead && isDestroyed(state, state.stored) },
  {
    name: 'only a journal has the successor',
    holds: (state) => state.nodes.some((node) => node.step === 'booting' && node.journal !== null && node.journal.token === state.stored),
  },
  {
    name: 'a refusal comes for a token that has moved on',
    holds: (state) => state.nodes.some((node) => node.step === 'answered' && node.grant === 0 && node.token < state.stored),
  },
]

/** Nothing under way, and the truth is known: the stored token works, or the end is recorded. The model's last token is never presented. */
export function atRest(budgets: Budgets): (state: State) => boolean {
  return (state) => {
    const quiet = state.holder === null && state.intentBy === null && state.requests.length === 0 && state.answers.length === 0
    const known = state.dead === refused(state, state.stored) || state.stored === lastToken(state.stored, budgets)
    return quiet && known && state.nodes.every((node) => node.step === 'idle')
  }
}
