import type { ConnectService } from '../../core/connect/connect-service.ts'
import type { Connection } from '../../core/connection/connection.ts'
import type { Log } from '../../core/log.ts'
import type { Clock } from '../../core/time.ts'
import type { ConnectPeople } from './connect-people.ts'

export interface HostedOptions {
  readonly connect: ConnectService
  readonly publicUrl: string
  readonly log: Pick<Log, 'error'>
  readonly clock: Pick<Clock, 'wall'>
  /** Ends a broken connection whose owner does not want it back; `mended` when it was reconnected meanwhile. @throws Fault */
  readonly giveUp: (connection: Connection) => Promise<'given_up' | 'mended'>
  /** Who is signed in; without it nobody ever is. */
  readonly people?: ConnectPeople
}
