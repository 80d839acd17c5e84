import type { Command } from 'commander'
import { agentCommands } from './commands/agents.ts'
import { apiKeyCommands } from './commands/api-keys.ts'
import { backupCommands } from './commands/backup.ts'
import { connectionCommands } from './commands/connections.ts'
import { doctorCommand } from './commands/doctor.ts'
import { healthCommand } from './commands/health.ts'
import { importCommand } from './commands/import.ts'
import { integrationCommands } from './commands/integrations.ts'
import { keyCommands } from './commands/keys.ts'
import { migrateCommands } from './commands/migrate.ts'
import { providerCommands } from './commands/providers.ts'
import { refreshCommand } from './commands/refresh.ts'
import { restoreCommands } from './commands/restore.ts'
import { userCommands } from './commands/users.ts'
import type { Shell } from './shell.ts'

/** Every command but `serve`, in the order in which help shows them. */
export function otherCommands(program: Command, shell: Shell): void {
  migrateCommands(program, shell)
  doctorCommand(program, shell)
  healthCommand(program, shell)
  integrationCommands(program, shell)
  connectionCommands(program, shell)
  importCommand(program, shell)
  providerCommands(program, shell)
  refreshCommand(program, shell)
  apiKeyCommands(program, shell)
  userCommands(program, shell)
  agentCommands(program, shell)
  backupCommands(program, shell)
  restoreCommands(program, shell)
  keyCommands(program, shell)
}
