// Runs the demo and keeps what it printed as docs/guides/weather-agent-transcript.md. `node --import ../from-sources.mjs write-transcript.ts`
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const PAGE = here('../../../docs/guides/weather-agent-transcript.md')

const demo = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '--import', here('../from-sources.mjs'), here('demo.ts')], {
  stdio: ['ignore', 'pipe', 'inherit'],
})
let told = ''
demo.stdout.setEncoding('utf8').on('data', (text: string) => {
  told += text
  process.stdout.write(text)
})
const [code] = (await once(demo, 'close')) as [number | null]
if (code !== 0) throw new Error(`the demo ended with ${code}; the page stays as it was`)

writeFileSync(
  PAGE,
  `# The weather agent, as it ran

What \`npm run demo:agent\` printed: a real server, a provider that forgets on command, a weather service, and the agent as a process of its own.
\`agent |\` is the agent speaking; the rest tells what is done to it. How to play it yourself: [the tutorial](../../examples/weather-agent/README.md).
Kept by \`examples/weather-agent/stage/write-transcript.ts\`, word for word.

\`\`\`text
${told.trim()}
\`\`\`
`,
)
