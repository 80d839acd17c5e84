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
import { serveCommand } from './commands/serve.ts'
import { userCommands } from './commands/users.ts'
import type { Shell } from './shell.ts'

/** In the order in which help shows them. */
export function allCommands(program: Command, shell: Shell): void {
  serveCommand(program, shell)
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
