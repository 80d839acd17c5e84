import type { PackedProject, ProjectPlan } from '../core/agent/project-download.ts'
import { type ArchivedFile, packZip } from './zip-archive.ts'

/** Packs a program of a few lines that runs as it is. `sdkVersion`: of `@evergrant/sdk`. */
export function packProject(sdkVersion: string): (plan: ProjectPlan) => PackedProject {
  return ({ name, server, code, expiresAt, installation, madeAt }) => {
    const folder = folderName(name)
    const until = new Date(expiresAt).toISOString()
    const enrol = { server, code, expires_at: until, ...(installation === null ? {} : { name: installation }) }
    const files: readonly ArchivedFile[] = [
      { path: 'package.json', text: json(manifest(folder, sdkVersion)) },
      { path: '.evergrant/enroll.json', text: json(enrol) },
      { path: '.gitignore', text: 'node_modules/\n.evergrant/\n' },
      { path: 'agent.mjs', text: PROGRAM },
      { path: 'README.md', text: readme(name, server, until) },
    ]
    return { fileName: `${folder}.zip`, archive: packZip(folder, files, madeAt) }
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

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
