import { readFileSync } from 'node:fs'
import type { AgentParts } from './compose-agents.ts'
import type { Config } from './config.ts'
import { AgentSettingsService } from './core/agent/agent-settings-service.ts'
import { InstallationService } from './core/agent/installation-service.ts'
import { ProjectDownloads } from './core/agent/project-download.ts'
import type { Clock, Entropy } from './core/time.ts'
import type { Services } from './http/services.ts'
import { packProject } from './outbound/starter-project.ts'
import type { Store } from './store/index.ts'

/** What operators and owners see of programs, and what they do to them. */
export type OperatorParts = Pick<Services, 'installations' | 'agentSettings' | 'downloads'>

interface OperatorComposition extends Pick<AgentParts, 'agents' | 'enrolment'> {
  readonly config: Pick<Config, 'publicUrl' | 'recovery'>
  readonly store: Pick<Store, 'agents' | 'installations' | 'events'>
  readonly clock: Clock
  readonly entropy: Entropy
}

export function composeOperators({ config, store, agents, enrolment, clock, entropy }: OperatorComposition): OperatorParts {
  const ports = { clock, entropy, recoveryEnabled: config.recovery }
  return {
    installations: new InstallationService({ ...ports, ...store }),
    agentSettings: new AgentSettingsService({ ...ports, agents: store.agents }),
    downloads: new ProjectDownloads({ agents, enrolment, pack: packProject(ownVersion()), clock, publicUrl: config.publicUrl }),
  }
}

/** All packages have one version number. */
function ownVersion(): string {
  const manifest: { readonly version?: unknown } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  return typeof manifest.version === 'string' ? manifest.version : '0.0.0'
}
