import { DailyReports } from './core/operate/daily-report.ts'
import { KeyCensusTaker } from './core/operate/key-census.ts'
import { SweepService } from './core/operate/sweep-service.ts'
import type { RefreshEngine } from './core/refresh/refresh-engine.ts'
import type { Clock, Entropy } from './core/time.ts'
import type { Services } from './http/services.ts'
import type { Store } from './store/index.ts'

/** What operators start and ask of the whole server. */
export interface OperateParts extends Pick<Services, 'encryption'> {
  readonly sweeps: SweepService
  readonly reports: DailyReports
}

export interface OperateComposition {
  readonly store: Pick<Store, 'operations' | 'observed' | 'events' | 'organizations'>
  readonly engine: Pick<RefreshEngine, 'runDue'>
  /** Ids of the master keys; the first seals. */
  readonly keyring: readonly string[]
  readonly clock: Clock
  readonly entropy: Entropy
}

export function composeOperate({ store, engine, keyring, clock, entropy }: OperateComposition): OperateParts {
  const { operations, observed, events, organizations } = store
  const census = new KeyCensusTaker({ operations, clock })
  return {
    sweeps: new SweepService({ operations, engine, clock, entropy }),
    reports: new DailyReports({ observed, events, organizations, clock, entropy }),
    encryption: { keyring, take: (patience) => census.take(patience) },
  }
}
