import type { EnginePorts, ReuseClass, Store, StoreOptions, TokenAnswer, TokenRequest } from '../../../evergrant/src/engine.ts'

/** What a simulated node runs. The real engine satisfies it; so does a plain lock to compare with. */
export interface NodeEngine {
  peek(request: TokenRequest): TokenAnswer | undefined
  token(request: TokenRequest): Promise<TokenAnswer>
  refresh(organization: TokenRequest['organization'], connection: TokenRequest['connection']): Promise<unknown>
  /** Once after every start, before anything else. */
  recover(): Promise<unknown>
  /** Returns how many were started. */
  runDue(): Promise<number>
  flushInterest(): Promise<void>
  forget(connection: TokenRequest['connection'] | 'all'): void
  /** An integration changed elsewhere. */
  forgetIntegration(integration: string): void
  /** Frees what lost nodes left, as far as that is safe. */
  takeOverLost(): Promise<number>
  /** Frees what stands in this node's own name and nothing of it knows. */
  freeForgotten(): Promise<number>
  drain(): Promise<{ readonly onlyInJournal: number }>
}

export type EngineFactory = (ports: EnginePorts) => NodeEngine

export type EngineKind = 'protocol' | 'plain_lock' | 'short_lock'

export type ProfileName = 'brutal' | 'realistic' | 'unbounded'

export interface SeedOptions {
  readonly seed: number
  /** Which faults are on, one letter each (see `faults.ts`); without it the seed draws each with probability 1/2. */
  readonly mask?: string
  /** `brutal` by default. */
  readonly profile?: ProfileName
  /** `protocol` by default. */
  readonly engine?: EngineKind
  /** Overrides what `engine` names: for mutants. */
  readonly build?: EngineFactory
  /** The faults stop after about this many events; the calm hours come on top. 10,000 by default. */
  readonly events?: number
  readonly trace?: (line: string) => void
  /** How microtasks are drained between two events. `fast` by default; both give the same hash. */
  readonly drain?: 'portable' | 'fast'
  readonly store?: (options: StoreOptions) => Promise<Store>
}

export interface Violation {
  /** `I1` to `I20`, or the name of a check of the world itself. */
  readonly invariant: string
  /** Simulated milliseconds since the start of the seed. */
  readonly at: number
  readonly event: number
  readonly text: string
}

/** Grants of one reuse class: consents, reconnects included. `selfInflicted`: lost without any destroyed answer. */
export interface ClassLosses {
  readonly grants: number
  readonly lost: number
  /** Of the lost: those whose row names `refresh_outcome_lost` and the presentation whose answer was destroyed. */
  readonly explained: number
  readonly selfInflicted: number
  /** Ended although the provider would still honour them, because it called them dead by mistake. */
  readonly falselyDead: number
  /** Ended after an unknown outcome at a provider that is never asked twice, and it had not acted on the request. */
  readonly unasked: number
}

export interface SeedReport {
  readonly seed: number
  readonly mask: string
  readonly profile: ProfileName
  readonly engine: EngineKind
  readonly nodes: number
  readonly connections: number
  readonly events: number
  readonly simulatedMs: number
  /** Sum over all grants of the time they were held. */
  readonly grantMs: number
  /** New generations stored by a refresh. */
  readonly refreshes: number
  /** Refresh tokens sent to a provider. */
  readonly presentations: number
  readonly violations: readonly Violation[]
  readonly losses: Readonly<Record<ReuseClass, ClassLosses>>
  /** Token reads answered with a token, and all token reads that ended. */
  readonly served: number
  readonly asked: number
  /** How often each counted thing happened: crashes, pauses, faults by name. Says whether a seed tests anything. */
  readonly counts: Readonly<Record<string, number>>
  /** Of the whole trace: equal seeds give equal hashes. */
  readonly hash: string
}
