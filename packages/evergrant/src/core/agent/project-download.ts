import type { AgentId } from '../ids.ts'
import { basicDateTime } from '../provider/dates.ts'
import type { Clock, Instant } from '../time.ts'
import type { AgentCaller } from './agent-caller.ts'
import type { AgentService } from './agent-service.ts'
import { CODE_LIFE_MS, type EnrolmentService } from './enrolment-service.ts'

export interface ProjectFile {
  /** Inside the folder, with `/`. */
  readonly path: string
  readonly text: string
}

/** Packs files into one archive whose top is the folder `name`. */
export type PackProject = (name: string, files: readonly ProjectFile[], at: Instant) => Uint8Array

export interface ProjectDownloadPorts {
  readonly agents: Pick<AgentService, 'get'>
  readonly enrolment: Pick<EnrolmentService, 'createCode'>
  readonly pack: PackProject
  readonly clock: Pick<Clock, 'wall'>
  /** Where machines reach this server, without a trailing slash. */
  readonly publicUrl: string
  /** Of `@evergrant/sdk`: the same number as the server's. */
  readonly sdkVersion: string
}

export interface ProjectDownload {
  /** `weather-agent.zip`. */
  readonly fileName: string
  readonly archive: Uint8Array
  /** From then on its code enrols nobody. */
  readonly expiresAt: Instant
}

/**
 * A ready project: the address of this server and a code for one machine, in a file that says so. Nobody's credential is in it: whoever finds it after it ran
 * once, or after an hour, holds nothing.
 */
export class ProjectDownloads {
  readonly #ports: ProjectDownloadPorts

  constructor(ports: ProjectDownloadPorts) {
    this.#ports = ports
  }

  /** @throws Fault as `EnrolmentService.createCode` */
  async create(caller: AgentCaller, id: AgentId, name: string | null): Promise<ProjectDownload> {
    const { agents, enrolment: enrolments, pack, clock, publicUrl, sdkVersion } = this.#ports
    const { agent } = await agents.get(caller, id)
    const { enrolment, code } = await enrolments.createCode(caller, id, { name, lifeMs: CODE_LIFE_MS })
    const folder = folderName(agent.name)
    const expiresAt = dateTime(enrolment.expiresAt)
    const enrol = { server: publicUrl, code, expires_at: expiresAt, ...(name === null ? {} : { name }) }
    const files: readonly ProjectFile[] = [
      { path: 'package.json', text: json(manifest(folder, sdkVersion)) },
      { path: '.evergrant/enroll.json', text: json(enrol) },
      { path: '.gitignore', text: 'node_modules/\n.evergrant/\n' },
      { path: 'agent.mjs', text: PROGRAM },
      { path: 'README.md', text: readme(agent.name, publicUrl, expiresAt) },
    ]
    return { fileName: `${folder}.zip`, archive: pack(folder, files, clock.wall()), expiresAt: enrolment.expiresAt }
  }
}

/** Of letters, digits and dashes: also a name for npm. */
function folderName(name: string): string {
  const plain = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 60)
  return plain === '' ? 'agent' : plain
}

function manifest(name: string, sdkVersion: string) {
  return {
    name,
    version: '0.0.1',
    private: true,
    type: 'module',
    engines: { node: '>=20.19' },
    scripts: { start: 'node agent.mjs' },
    dependencies: { '@evergrant/sdk': `^${sdkVersion}` },
  }
}

const PROGRAM = `import { Evergrant } from '@evergrant/sdk/node'

const evergrant = await Evergrant.connect({ projectFile: true })
const { agent, installation } = await evergrant.whoami()
console.log(\`\${agent.name} runs here as \${installation.name} (\${installation.id}); it is \${agent.status}.\`)

const { items } = await evergrant.connections.list()
for (const { id, integration, owner } of items) console.log(\`It may use \${id}: \${integration} of \${owner}.\`)

// Use one: the token is fresh, and stays out of your code.
// const answer = await evergrant.connections.proxy(items[0].id, '/some/path')

await evergrant.close()
`

function readme(name: string, publicUrl: string, expiresAt: string): string {
  return `# ${titleOf(name)}

\`\`\`sh
npm install
npm start
\`\`\`

The first start enrols this machine at ${publicUrl}: it makes a key here, sends the one-time code in \`.evergrant/enroll.json\`, and keeps its credentials in
your home folder (\`~/.evergrant\`). From then on they renew themselves.

- The code works once, and until ${expiresAt}. Afterwards the file is worthless: delete it, or leave it.
- For another machine, download another project, or make a code: \`evergrant agents code <agent>\`.
- What this program may use is the policy of its agent. Whoever looks after it can rotate its tokens, which it survives, or cut it off, which it does not.
`
}

/** As Markdown takes it as plain text. */
function titleOf(name: string): string {
  return name
    .replace(/[^\p{L}\p{N} .,:()+-]/gu, ' ')
    .replace(/ +/g, ' ')
    .trim()
}

/** ISO 8601, UTC, to the second. */
function dateTime(at: Instant): string {
  return basicDateTime(at).replace(/^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/, '$1-$2-$3T$4:$5:$6Z')
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
