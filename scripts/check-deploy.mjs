// Everything that is shipped for running Evergrant, checked with the real tools as far as they can be had. `npm run check:deploy -- [part ...]`; --help lists the parts.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { checkChart } from './deploy/chart.mjs'
import { checkCompose } from './deploy/compose.mjs'
import { faultsOfDockerfile } from './deploy/dockerfile.mjs'
import { checkImage } from './deploy/image.mjs'
import { checkNginx } from './deploy/nginx.mjs'
import { checkSystemd } from './deploy/systemd.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const tools = join(root, 'tools/deploy')
const count = { passed: 0, failed: 0, not_run: 0 }

function say(title, ok, detail = '') {
  count[ok ? 'passed' : 'failed'] += 1
  console.log(`${ok ? 'ok  ' : 'bad '} ${title}${ok || detail === '' ? '' : `: ${detail}`}`)
}

function leave(title, why) {
  count.not_run += 1
  console.log(`--   not run: ${title} (${why})`)
}

function installTools() {
  if (existsSync(join(tools, 'node_modules/kubernetes-models'))) return
  execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: tools, stdio: ['ignore', 2, 2] })
}

function checkDockerfile() {
  const text = readFileSync(join(root, 'Dockerfile'), 'utf8')
  const faults = faultsOfDockerfile(text)
  say('the Dockerfile keeps what is promised of it', faults.length === 0, faults.join('; '))
  installTools()
  const { validate } = createRequire(join(tools, 'package.json'))('dockerfile-utils')
  const complaints = (input) => validate(input, { ignoreMultilineInstructions: true }).map(({ message }) => message)
  say('dockerfile-utils has no complaint', complaints(text).length === 0, complaints(text).join('; '))
  say(
    'dockerfile-utils finds a misspelt instruction',
    complaints(text.replace(/^HEALTHCHECK/m, 'HEALTHCHEK')).some((message) => message.includes('HEALTHCHEK')),
  )
  leave('docker build', 'no container engine runs here; `image` does what its lines say instead')
}

/** In a mount namespace of its own, so that whatever it mounts ends with it. */
async function image() {
  if (process.platform !== 'linux' || process.getuid() !== 0) return leave('the steps of the Dockerfile are carried out', 'it needs Linux and root')
  if (process.env.EVERGRANT_IN_NAMESPACE === undefined) {
    const inner = spawnSync('unshare', ['--mount', process.execPath, fileURLToPath(import.meta.url), 'image'], {
      env: { ...process.env, EVERGRANT_IN_NAMESPACE: '1' },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    process.stdout.write(inner.stdout.replace(/^\{.*\}\n?$/m, ''))
    const inside = JSON.parse(inner.stdout.trim().split('\n').at(-1) ?? '{}')
    for (const name of Object.keys(count)) count[name] += inside[name] ?? 0
    if (inner.status !== 0 && !(inside.failed > 0)) say('the steps of the Dockerfile are carried out', false, `exit ${inner.status}`)
    return
  }
  await checkImage(root, say)
}

const PARTS = {
  dockerfile: checkDockerfile,
  compose: async () => {
    installTools()
    await checkCompose(root, tools, say)
    leave('docker compose up', 'no container engine runs here')
  },
  chart: async () => {
    installTools()
    await checkChart(root, tools, say, leave)
  },
  systemd: () => checkSystemd(root, say, leave),
  nginx: () => checkNginx(root, say, leave),
  image,
}

const asked = process.argv.slice(2)
if (asked.some((name) => !(name in PARTS))) {
  console.log(`npm run check:deploy -- [${Object.keys(PARTS).join('|')} ...]\nWithout a name all of them. The last line is JSON: passed, failed, not_run.`)
  process.exit(asked.includes('--help') ? 0 : 2)
}
for (const name of asked.length === 0 ? Object.keys(PARTS) : asked) {
  try {
    await PARTS[name]()
  } catch (error) {
    say(name, false, `${error.message} ${error.stderr ?? ''}`)
  }
}
console.log(JSON.stringify(count))
process.exitCode = count.failed === 0 ? 0 : 1
