// A real nginx with the files of deploy/nginx in front of a real server below a path, and a real browser that goes through it.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { freePort } from '../../packages/lab/src/free-port.ts'
import { journeyBelow } from './nginx-journey.mjs'

const START_MS = 120_000

/** Not those of the system, which only root can make. */
export const temporary = (folder) => ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/temp;`).join(' ')

/** A shipped file with the folder and the port of this run: who checks need not be root, whose ports 80 and 443 are. */
export function ofThisRun(text, { folder, port }) {
  return text
    .replaceAll('/etc/nginx/', `${folder}/`)
    .replaceAll(/^( *listen )80;/gm, `$1unix:${folder}/plain.sock;`)
    .replaceAll(/^( *listen )\d+/gm, `$1${port}`)
}

/** The shipped files as they are, with the addresses of this run; at `/` another application, whose log shows what strayed there. */
function configuration(root, folder, { port, upstream }) {
  const shipped = (name) => ofThisRun(readFileSync(join(root, 'deploy/nginx', name), 'utf8'), { folder, port })
  writeFileSync(join(folder, 'evergrant-proxy.conf'), shipped('evergrant-proxy.conf'))
  writeFileSync(join(folder, 'below-path.conf'), shipped('below-path.conf'))
  writeFileSync(
    join(folder, 'nginx.conf'),
    `worker_processes 1; daemon off; pid ${folder}/pid; error_log ${folder}/error.log;
events {}
http {
  access_log off; ${temporary(folder)}
  upstream evergrant { server 127.0.0.1:${upstream}; keepalive 64; keepalive_timeout 60s; }
  server {
    listen 127.0.0.1:${port};
    include ${folder}/below-path.conf;
    location / { access_log ${folder}/strays.log; return 200 'another application'; }
  }
}
`,
  )
}

/** The whole files, read by nginx itself. */
function readsShipped(root, folder, port, say) {
  const shipped = join(folder, 'shipped')
  mkdirSync(join(shipped, 'tls'), { recursive: true })
  spawnSync('openssl', [
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-subj',
    '/CN=connect.example.com',
    '-days',
    '1',
    '-keyout',
    `${shipped}/tls/connect.example.com.key`,
    '-out',
    `${shipped}/tls/connect.example.com.pem`,
  ])
  for (const name of ['evergrant.conf', 'evergrant-proxy.conf', 'compose.conf'])
    writeFileSync(join(shipped, name), ofThisRun(readFileSync(join(root, 'deploy/nginx', name), 'utf8'), { folder: shipped, port }))
  for (const name of ['evergrant.conf', 'compose.conf']) {
    writeFileSync(
      join(shipped, 'nginx.conf'),
      `pid ${shipped}/pid; error_log ${shipped}/error.log;\nevents {}\nhttp { access_log off; ${temporary(shipped)} include ${shipped}/${name}; }\n`,
    )
    const read = spawnSync('nginx', ['-t', '-c', join(shipped, 'nginx.conf')], { encoding: 'utf8' })
    say(`nginx reads ${name}`, read.status === 0, read.stderr)
  }
}

/** Adapted and provisioned by Caddy itself, without fetching a certificate. */
function readsCaddyfile(root, say, leave) {
  if (spawnSync('caddy', ['version']).status !== 0) return leave('Caddy reads its file', 'caddy is not installed: apt-get install caddy')
  const read = spawnSync('caddy', ['validate', '--adapter', 'caddyfile', '--config', join(root, 'deploy/caddy/Caddyfile')], { encoding: 'utf8' })
  say('Caddy reads its file', read.status === 0, read.stderr.split('\n').slice(-3).join(' '))
}

async function startServer(root, env) {
  const child = spawn(
    join(root, 'node_modules/.bin/node'),
    ['--disable-warning=ExperimentalWarning', join(root, 'packages/evergrant/src/cli/main.ts'), 'serve', '--development'],
    {
      cwd: root,
      env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (piece) => (text += piece))
  const deadline = performance.now() + START_MS
  while (performance.now() < deadline && child.exitCode === null && !/\/auth\/setup#\S+/.test(text)) await pause(200)
  const setupUrl = /\S+\/auth\/setup#\S+/.exec(text)?.[0]
  if (setupUrl === undefined) throw new Error(`the server did not start: ${text}`)
  return { child, setupUrl }
}

/** What needs no browser: nginx lets large bodies and streams through, and keeps what is not for the world. */
async function throughNginx(url, say) {
  const metrics = await fetch(`${url}/metrics`)
  say('the metrics are not served to the world', metrics.status === 404 && !(await metrics.text()).includes('evergrant_'))
  const bare = await fetch(url, { redirect: 'manual' })
  say('the path without its slash is sent to the one with it', bare.status === 308)
  const large = await fetch(`${url}/api/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'a'.repeat(3_000_000) }),
  })
  const { code } = await large.json().catch(() => ({}))
  say('a body that is too large is refused by the server, in its own words', large.status === 413 && typeof code === 'string', `${large.status}`)
  const document = await (await fetch(`${url}/api/v1/openapi.json`)).json()
  say('the OpenAPI document names the address with the path', document.servers[0].url === url)
  const keys = await (await fetch(`${url}/.well-known/jwks.json`)).json()
  say('the public keys are below the issuer', keys.keys.length > 0)
}

/** @param {(title: string, ok: boolean, detail?: string) => void} say @param {(title: string, why: string) => void} leave */
export async function checkNginx(root, say, leave) {
  if (spawnSync('nginx', ['-v']).status !== 0) return leave('nginx in front of a server', 'nginx is not installed: apt-get install nginx-light')
  const folder = mkdtempSync(join(tmpdir(), 'evergrant-nginx-'))
  const [port, upstream] = [await freePort(), await freePort()]
  const url = `http://localhost:${port}/evergrant`
  readsShipped(root, folder, port, say)
  configuration(root, folder, { port, upstream })
  mkdirSync(join(folder, 'temp'))
  const nginx = spawn('nginx', ['-c', join(folder, 'nginx.conf')], { stdio: ['ignore', 'ignore', 'inherit'] })
  let server
  try {
    const env = {
      EVERGRANT_DATA_DIR: join(folder, 'data'),
      EVERGRANT_PORT: String(upstream),
      EVERGRANT_PUBLIC_URL: url,
      EVERGRANT_TRUSTED_PROXIES: '127.0.0.1',
    }
    server = await startServer(root, env)
    say('the link for the first owner is below the path', server.setupUrl.startsWith(`${url}/auth/setup#`), server.setupUrl)
    await throughNginx(url, say)
    await journeyBelow({ url, setupUrl: server.setupUrl }, say, leave)
    const strayed = readFileSync(join(folder, 'strays.log'), { encoding: 'utf8', flag: 'a+' })
      .split('\n')
      .filter((line) => line !== '' && !line.includes('/favicon.ico'))
    say('no request of a page left the path', strayed.length === 0, strayed.slice(0, 5).join(' | '))
  } finally {
    server?.child.kill('SIGTERM')
    nginx.kill('SIGTERM')
    if (server !== undefined && server.child.exitCode === null) await once(server.child, 'exit')
    rmSync(folder, { recursive: true, force: true })
  }
  readsCaddyfile(root, say, leave)
  leave('Traefik', 'it cannot be had from Debian; its file is YAML that tests/deploy-files.test.ts reads')
}
