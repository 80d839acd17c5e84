import { join } from 'node:path'
import type { Config } from './config.ts'

/** Where the embedded database is. A file of its own: `serve` names it without loading what opens it. */
export function databaseFile(config: Pick<Config, 'dataDir'>): string {
  return join(config.dataDir, 'evergrant.db')
}
