/** Where one node is in the life of a presentation. */
type Step = 'idle' | 'planned' | 'claimed' | 'sent' | 'silent' | 'answered' | 'unsure' | 'down' | 'booting'

export interface NodeState {
  readonly step: Step
  /** The refresh token it planned with or presented; 0 when there is none. */
  readonly token: number
  /** `planned`: somebody claimed since. `sent`: its plan was a probe of a suspect token. */
  readonly flag: boolean
  /** `answered`: the successor in the answer, 0 for a refusal. */
  readonly grant: number
  /** On its disk, and not yet known to be in the database: presented token and successor. */
  readonly journal: { readonly token: number; readonly grant: number } | null
}

/** A request that the provider has not decided. `by` is null when nobody waits for its answer any more. */
export interface Request {
  readonly by: number | null
  readonly token: number
}

export interface Answer {
  readonly to: number
  readonly token: number
  readonly grant: number
}

/** One connection at a provider that revokes the family when a spent refresh token comes again. */
export interface State {
  /** The stored refresh token. Family 1 counts from 1, the family of a reconnect from {@link SECOND_FAMILY}. */
  readonly stored: number
  readonly dead: boolean
  readonly holder: number | null
  readonly expired: boolean
  readonly intentBy: number | null
  readonly suspect: boolean
  /** What the provider would accept, by family; 0 when the family is revoked. */
  readonly accepts: readonly [number, number]
  readonly requests: readonly Request[]
  readonly answers: readonly Answer[]
  readonly nodes: readonly NodeState[]
  /** Bit t: the answer with the successor of token t was destroyed by the world, not by us. */
  readonly destroyed: number
  /** A family was revoked because we presented a spent token whose successor was not destroyed. */
  readonly killedByUs: boolean
  /** A live process read a successor and let it go. */
  readonly dropped: boolean
  readonly losses: number
  readonly crashes: number
  readonly reconnects: number
}

export const SECOND_FAMILY = 8

export const IDLE: NodeState = { step: 'idle', token: 0, flag: false, grant: 0, journal: null }

export interface Budgets {
  readonly nodes: number
  readonly rotations: number
  /** Requests, answers or acknowledgements that the world may destroy or delay beyond the drain. */
  readonly losses: number
  readonly crashes: number
  readonly reconnects: number
}

export function initialState(budgets: Budgets): State {
  return {
    stored: 1,
    dead: false,
    holder: null,
    expired: false,
    intentBy: null,
    suspect: false,
    accepts: [1, 0],
    requests: [],
    answers: [],
    nodes: Array.from({ length: budgets.nodes }, () => IDLE),
    destroyed: 0,
    killedByUs: false,
    dropped: false,
    losses: budgets.losses,
    crashes: budgets.crashes,
    reconnects: budgets.reconnects,
  }
}

export const familyOf = (token: number): 0 | 1 => (token >= SECOND_FAMILY ? 1 : 0)

export function lastToken(token: number, budgets: Budgets): number {
  return (familyOf(token) === 1 ? SECOND_FAMILY : 1) + budgets.rotations
}

export const refused = (state: State, token: number): boolean => state.accepts[familyOf(token)] !== token

export const isDestroyed = (state: State, token: number): boolean => (state.destroyed & (1 << token)) !== 0

/** The successor of the stored token is still on its way to the database. */
export function successorPending(state: State): boolean {
  const carries = (held: { readonly token: number; readonly grant: number } | null) => held !== null && held.token === state.stored && held.grant > 0
  return state.answers.some(carries) || state.nodes.some((node) => carries(node.journal) || (node.step === 'answered' && carries(node)))
}

export function keyOf(state: State): string {
  const nodes = state.nodes.map((node) =>
    [STEPS.indexOf(node.step), node.token, +node.flag, node.grant, node.journal?.token ?? 0, node.journal?.grant ?? 0].join(),
  )
  const requests = state.requests.map((request) => `${request.by ?? '-'}${request.token}`).sort()
  const answers = state.answers.map((answer) => `${answer.to}${answer.token}${answer.grant}`).sort()
  const facts = [state.stored, +state.dead, state.holder ?? '-', +state.expired, state.intentBy ?? '-', +state.suspect, state.accepts.join(), state.destroyed]
  const rest = [+state.killedByUs, +state.dropped, state.losses, state.crashes, state.reconnects]
  return [...facts, ...rest, ...nodes, requests.join('.'), answers.join('.')].join(';')
}

const STEPS: readonly Step[] = ['idle', 'planned', 'claimed', 'sent', 'silent', 'answered', 'unsure', 'down', 'booting']
