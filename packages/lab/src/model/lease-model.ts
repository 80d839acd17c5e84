import type { Model, Move } from './explorer.ts'
import {
  type Answer,
  type Budgets,
  familyOf,
  IDLE,
  initialState,
  isDestroyed,
  keyOf,
  lastToken,
  type NodeState,
  type Request,
  refused,
  SECOND_FAMILY,
  type State,
} from './lease-state.ts'

/** The rules of the protocol that a variant may break, and the assumption about the world. */
export interface Rules {
  /** Assumed: nobody pauses between claim and answer for longer than a lease. */
  readonly boundedPauses: boolean
  /** Assumed: whoever holds an answer, in memory or in a journal, reaches the database before its lease is over. */
  readonly holdersReturn: boolean
  /** Leases are taken over from the dead alone: the database knows who lives, and a process that pauses still lives. */
  readonly deathIsKnown: boolean
  /** The intent is durable before the request, and an intent without an outcome makes the token suspect. */
  readonly intents: boolean
  /** Nobody presents the token again while a dead holder's request may be on its way. */
  readonly takeoverOutlivesRequest: boolean
  /** A claim names the epoch that was planned with. */
  readonly claimNamesEpoch: boolean
  /** An answer applies only while its presenter holds the lease. */
  readonly answersFenced: boolean
  /** An answer applies only to the token that was presented. */
  readonly commitCompares: boolean
  /** A refusal counts only for the token that was presented. */
  readonly deathCompares: boolean
  /** A probe that meets silence ends the grant. */
  readonly deathFromSilence: boolean
}

export const PROTOCOL: Rules = {
  boundedPauses: true,
  holdersReturn: true,
  deathIsKnown: false,
  intents: true,
  takeoverOutlivesRequest: true,
  claimNamesEpoch: true,
  answersFenced: false,
  commitCompares: true,
  deathCompares: true,
  deathFromSilence: false,
}

export function leaseModel(rules: Rules, budgets: Budgets): Model<State> {
  return {
    initial: initialState(budgets),
    key: keyOf,
    moves: (state) => [
      ...state.nodes.flatMap((_, index) => nodeMoves(state, index, rules, budgets)),
      ...wireMoves(state, budgets),
      ...leaseMoves(state, rules),
      ...ownerMoves(state),
    ],
  }
}

function nodeMoves(state: State, index: number, rules: Rules, budgets: Budgets): Move<State>[] {
  const node = at(state, index)
  const moves = lifeMoves(state, index)
  switch (node.step) {
    case 'idle':
      if (mayPlan(state, rules, budgets))
        moves.push(move(`node ${index} plans`, withNode(state, index, { ...node, step: 'planned', token: state.stored, flag: false })))
      break
    case 'planned':
      moves.push(...claim(state, index, rules))
      break
    case 'unsure':
      moves.push(move(`node ${index} takes its claim back`, withNode(takeBack(state, index), index, settled(node))))
      break
    case 'claimed':
      moves.push(move(`node ${index} sends`, send(state, index)))
      break
    case 'sent':
      moves.push(...waiting(state, index))
      break
    case 'silent':
      moves.push(move(`node ${index} records silence`, recordSilence(state, index, rules)))
      break
    case 'answered':
      moves.push(...settle(state, index, rules))
      break
    case 'down':
      moves.push(move(`node ${index} starts again`, withNode(state, index, { ...IDLE, step: 'booting', journal: node.journal })))
      break
    case 'booting':
      moves.push(boot(state, index))
  }
  return moves
}

/** Lease free or over, and a suspect token only when no request with it can still arrive. */
function mayPlan(state: State, rules: Rules, budgets: Budgets): boolean {
  if (state.dead || state.stored >= lastToken(state.stored, budgets)) return false
  if (state.holder !== null && !state.expired) return false
  const orphan = rules.intents && (state.suspect || state.intentBy !== null)
  return !orphan || !rules.takeoverOutlivesRequest || !onTheWire(state, state.stored)
}

function claim(state: State, index: number, rules: Rules): Move<State>[] {
  const node = at(state, index)
  const free = state.holder === null || state.expired
  const current = node.token === state.stored && !(rules.claimNamesEpoch && node.flag)
  if (!free || !current || state.dead) return [move(`node ${index} is refused the lease`, withNode(state, index, settled(node)))]
  const suspect = rules.intents && (state.suspect || state.intentBy !== null)
  const taken: State = {
    ...state,
    holder: index,
    expired: false,
    suspect,
    intentBy: rules.intents ? index : null,
    nodes: state.nodes.map((other, number) => (number !== index && other.step === 'planned' ? { ...other, flag: true } : other)),
  }
  const moves = [move(`node ${index} claims`, withNode(taken, index, { ...node, step: 'claimed', flag: suspect }))]
  if (rules.intents && state.losses > 0)
    moves.push(move(`node ${index} claims and is not told`, withNode({ ...taken, losses: state.losses - 1 }, index, { ...node, step: 'unsure' })))
  return moves
}

function takeBack(state: State, index: number): State {
  return state.intentBy === index ? { ...state, holder: state.holder === index ? null : state.holder, intentBy: null } : state
}

function send(state: State, index: number): State {
  const node = at(state, index)
  return withNode({ ...state, requests: [...state.requests, { by: index, token: node.token }] }, index, { ...node, step: 'sent' })
}

function waiting(state: State, index: number): Move<State>[] {
  const node = at(state, index)
  const answer = state.answers.find(({ to }) => to === index)
  const request = state.requests.find(({ by }) => by === index)
  if (answer === undefined && request === undefined) return [move(`node ${index} waits in vain`, withNode(state, index, { ...node, step: 'silent' }))]
  const moves: Move<State>[] = []
  if (answer !== undefined) {
    const read = { ...state, answers: state.answers.filter((other) => other !== answer) }
    moves.push(move(`node ${index} reads the answer`, withNode(read, index, { ...node, step: 'answered', grant: answer.grant })))
  }
  if (request !== undefined && state.losses > 0) {
    const stray = { ...state, losses: state.losses - 1, requests: replaced(state.requests, request, { ...request, by: null }) }
    moves.push(move(`node ${index} stops waiting for a slow request`, withNode(stray, index, { ...node, step: 'silent' })))
  }
  return moves
}

function recordSilence(state: State, index: number, rules: Rules): State {
  const node = at(state, index)
  const about = state.stored === node.token && !state.dead
  const ended = about && rules.deathFromSilence && node.flag
  return withNode(
    {
      ...letGo(state, index, rules),
      suspect: rules.intents && about ? true : state.suspect,
      dead: state.dead || ended,
    },
    index,
    settled(node),
  )
}

function settle(state: State, index: number, rules: Rules): Move<State>[] {
  const node = at(state, index)
  if (node.grant === 0) return [move(`node ${index} records a refusal`, recordRefusal(state, index, rules))]
  const moves = [move(`node ${index} commits`, withNode(commit(state, index, rules), index, settled({ ...node, journal: null })))]
  if (rules.intents && node.journal === null)
    moves.push(move(`node ${index} journals`, withNode(state, index, { ...node, journal: { token: node.token, grant: node.grant } })))
  if (state.losses > 0 && !rules.answersFenced)
    moves.push(move(`node ${index} commits and is not told`, { ...commit(state, index, rules), losses: state.losses - 1 }))
  return moves
}

/** By the token that was presented, never by the lease. A success lifts the end that it disproves. */
function commit(state: State, index: number, rules: Rules): State {
  const node = at(state, index)
  if (rules.answersFenced && state.holder !== index) return { ...state, dropped: true }
  return apply(state, node.token, node.grant, rules.commitCompares)
}

function apply(state: State, presented: number, grant: number, compares: boolean): State {
  if (compares && state.stored !== presented) return state
  return { ...state, stored: grant, dead: false, holder: null, expired: false, intentBy: null, suspect: false }
}

function recordRefusal(state: State, index: number, rules: Rules): State {
  const node = at(state, index)
  const about = !rules.deathCompares || state.stored === node.token
  const gone = letGo(state, index, rules)
  return withNode(about ? { ...gone, dead: true } : gone, index, settled(node))
}

/** A lock that names nobody is freed by whoever thinks that it is his. */
function letGo(state: State, index: number, rules: Rules): State {
  if (!rules.intents) return { ...state, holder: null, expired: false }
  if (state.intentBy !== index) return state
  return { ...state, intentBy: null, holder: null, expired: false }
}

/** First what only the journal has, then our own older claim: its intent becomes the suspicion. */
function boot(state: State, index: number): Move<State> {
  const node = at(state, index)
  if (node.journal !== null) {
    const { token, grant } = node.journal
    return move(`node ${index} replays its journal`, withNode(apply(state, token, grant, true), index, { ...node, journal: null }))
  }
  const own = state.intentBy === index
  const reclaimed = own ? { ...state, suspect: true, intentBy: null, holder: null, expired: false } : state
  return move(`node ${index} reclaims`, withNode(reclaimed, index, IDLE))
}

function lifeMoves(state: State, index: number): Move<State>[] {
  const node = at(state, index)
  if (node.step === 'down' || state.crashes === 0) return []
  const inMemory = node.step === 'answered' && node.grant > 0 && node.journal === null && state.stored === node.token ? 1 << node.token : 0
  const unread = state.answers.find((answer) => answer.to === index && answer.grant > 0)
  const crashed: State = {
    ...state,
    crashes: state.crashes - 1,
    destroyed: state.destroyed | inMemory | (unread === undefined ? 0 : 1 << unread.token),
    requests: state.requests.map((request) => (request.by === index ? { ...request, by: null } : request)),
    answers: state.answers.filter(({ to }) => to !== index),
  }
  return [move(`node ${index} crashes`, withNode(crashed, index, { ...IDLE, step: 'down', journal: node.journal }))]
}

function wireMoves(state: State, budgets: Budgets): Move<State>[] {
  const moves: Move<State>[] = []
  for (const request of state.requests) {
    moves.push(move(`the provider decides on token ${request.token}`, decide(state, request, budgets)))
    if (state.losses > 0)
      moves.push(move('a request is lost', { ...state, losses: state.losses - 1, requests: state.requests.filter((other) => other !== request) }))
  }
  for (const answer of state.answers) {
    if (state.losses > 0) moves.push(move('an answer is lost', loseAnswer({ ...state, losses: state.losses - 1 }, answer)))
  }
  return moves
}

function decide(state: State, request: Request, budgets: Budgets): State {
  const requests = state.requests.filter((other) => other !== request)
  const family = familyOf(request.token)
  const answered = (next: State, grant: number): State => {
    if (request.by !== null) return { ...next, answers: [...next.answers, { to: request.by, token: request.token, grant }] }
    return grant > 0 ? { ...next, destroyed: next.destroyed | (1 << request.token) } : next
  }
  if (!refused(state, request.token)) {
    const successor = Math.min(request.token + 1, lastToken(request.token, budgets))
    return answered({ ...state, requests, accepts: accepting(state, family, successor) }, successor)
  }
  const spent = state.accepts[family] > request.token
  const ours = spent && !isDestroyed(state, request.token)
  return answered({ ...state, requests, accepts: accepting(state, family, 0), killedByUs: state.killedByUs || ours }, 0)
}

function loseAnswer(state: State, answer: Answer): State {
  const destroyed = answer.grant > 0 ? state.destroyed | (1 << answer.token) : state.destroyed
  return { ...state, destroyed, answers: state.answers.filter((other) => other !== answer) }
}

function leaseMoves(state: State, rules: Rules): Move<State>[] {
  if (state.holder === null || state.expired) return []
  return leaseLasts(state, at(state, state.holder), rules) ? [] : [move('the lease runs out', { ...state, expired: true })]
}

function leaseLasts(state: State, holder: NodeState, rules: Rules): boolean {
  const down = holder.step === 'down' || holder.step === 'booting'
  if (!down && rules.deathIsKnown) return true
  if (!down && rules.boundedPauses && (holder.step === 'claimed' || holder.step === 'sent' || holder.step === 'unsure')) return true
  if (rules.holdersReturn && (holder.step === 'answered' || holder.journal?.token === state.stored)) return true
  return down && rules.takeoverOutlivesRequest && onTheWire(state, state.stored)
}

/** The owner grants again: a new family, and the old one is nobody's any more. */
function ownerMoves(state: State): Move<State>[] {
  if (state.reconnects === 0) return []
  return [
    move('the owner reconnects', {
      ...apply(state, state.stored, SECOND_FAMILY, true),
      reconnects: state.reconnects - 1,
      accepts: [state.accepts[0], SECOND_FAMILY],
    }),
  ]
}

const accepting = (state: State, family: 0 | 1, token: number): readonly [number, number] =>
  family === 0 ? [token, state.accepts[1]] : [state.accepts[0], token]

const onTheWire = (state: State, token: number): boolean => state.requests.some((request) => request.token === token)

const settled = (node: NodeState): NodeState => ({ ...IDLE, journal: node.journal })

const move = (name: string, next: State): Move<State> => ({ name, next })

function at(state: State, index: number): NodeState {
  return state.nodes[index] ?? IDLE
}

function withNode(state: State, index: number, node: NodeState): State {
  return { ...state, nodes: state.nodes.map((other, number) => (number === index ? node : other)) }
}

function replaced<Item>(items: readonly Item[], old: Item, by: Item): Item[] {
  return items.map((item) => (item === old ? by : item))
}
