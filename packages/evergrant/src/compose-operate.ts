import type { Log } from './core/log.ts'
import { DailyReports } from './core/operate/daily-report.ts'
import { KeyCensusTaker } from './core/operate/key-census.ts'
import type { KeyringWatch, NodeRing } from './core/operate/keyring-watch.ts'
import { type KeysPorts, KeysService } from './core/operate/keys-service.ts'
import { SweepService } from './core/operate/sweep-service.ts'
import type { RefreshEngine } from './core/refresh/refresh-engine.ts'
import type { Seal } from './core/seal/seal.ts'
import type { Clock, Entropy, Timers } from './core/time.ts'
import type { Services } from './http/services.ts'
import type { Store } from './store/index.ts'

/** What operators start and ask of the whole server. */
export interface OperateParts extends Pick<Services, 'keys'> {
  readonly keys: KeysService
  readonly sweeps: SweepService
  readonly reports: DailyReports
}

interface OperateComposition {
  readonly store: Pick<Store, 'operations' | 'reseals' | 'observed' | 'events' | 'organizations'>
  readonly engine: Pick<RefreshEngine, 'runDue'>
  readonly ring: NodeRing
  readonly keyringWatch: Pick<KeyringWatch, 'look' | 'lacking'>
  readonly keyFile: KeysPorts['file']
  readonly seal: Seal
  readonly node: { readonly id: string }
  readonly timers: Timers
  readonly log: Log
  readonly clock: Clock
  readonly entropy: Entropy
}

export function composeOperate(parts: OperateComposition): OperateParts {
  const { store, engine, clock, entropy, keyringWatch: watch, keyFile: file } = parts
  const { operations, observed, events, organizations } = store
  const census = new KeyCensusTaker({ operations, clock })
  return {
    sweeps: new SweepService({ operations, engine, clock, entropy }),
    reports: new DailyReports({ observed, events, organizations, clock, entropy }),
    keys: new KeysService({ ...parts, reseals: store.reseals, census, watch, file }),
  }
}
