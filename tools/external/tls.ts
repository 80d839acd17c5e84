import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { ofThisRun, temporary } from '../../scripts/deploy/nginx.mjs'
import type { Stage } from './stage.ts'
import { type Check, failed, isThere, notRun, run, type Verdict, verdictOf } from './verdict.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const NAME = 'connect.example.com'
const START_MS = 10_000
const SOURCES = ['--', 'packages/evergrant/src/*.ts', ':!*.test.ts', ':!*/testing/*']

/** What testssl.sh finds and does not hold here, each with its reason. */
const REASONS: Readonly<Record<string, string>> = {
  cipher_order: 'every cipher of the list is a good one: which of them, a client knows best from what its processor does in hardware',
  cert_revocation: 'the certificate is of an authority of this check alone',
  DNS_CAArecord: 'the name is an example',
  engine_problem: 'of the OpenSSL that asks',
}

interface Finding {
  readonly id: string
  readonly severity: string
  readonly finding: string
}

export const tls: Check = {
  name: 'tls',
  what: 'testssl.sh finds nothing in the TLS of the nginx file that is shipped, with the server behind it',
  run: async (stage) => {
    const careless = await run('git', ['grep', '-nE', 'createSecureServer|https\\.createServer|rejectUnauthorized: false', ...SOURCES], { cwd: ROOT })
    if (careless.out !== '') return verdictOf(careless.out.trim().split('\n'), 'TLS is not ours, and certificates are always checked')
    for (const [program, debian] of [
      ['nginx', 'nginx'],
      ['testssl', 'testssl.sh'],
    ] as const)
      if (!(await isThere(program))) return notRun(`${program} is not installed: apt-get install ${debian}`)
    return graded(await stage())
  },
}

async function graded({ url, frontPort }: Stage): Promise<Verdict> {
  const folder = mkdtempSync(join(tmpdir(), 'evergrant-tls-'))
  try {
    const authority = await certify(folder)
    configure(folder, new URL(url).host, frontPort)
    const nginx = spawn('nginx', ['-c', join(folder, 'nginx.conf')], { stdio: ['ignore', 'ignore', 'inherit'] })
    try {
      await untilOpen(frontPort)
      return await asked(folder, authority, frontPort)
    } finally {
      nginx.kill('SIGTERM')
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function asked(folder: string, authority: string, port: number): Promise<Verdict> {
  const out = join(folder, 'findings.json')
  const parts = ['-p', '-s', '-f', '-P', '-S', '-U', '-h']
  const quiet = ['--quiet', '--color', '0', '--warnings', 'off', '--add-ca', authority, '--jsonfile', out]
  const { status, err } = await run('testssl', [...quiet, '--ip', '127.0.0.1', ...parts, `https://${NAME}:${port}`], { seconds: 600 })
  const findings = findingsIn(out)
  if (findings.length < 50) return failed(`testssl.sh ended with ${status} after ${findings.length} findings: ${err.slice(-400)}`)
  const bad = findings.filter(({ severity, id }) => !['OK', 'INFO', 'DEBUG'].includes(severity) && !(id in REASONS))
  const known = findings.filter(({ severity, id }) => !['OK', 'INFO', 'DEBUG'].includes(severity) && id in REASONS).map(({ id }) => id)
  const found = `${findings.length} findings; not for us: ${known.map((id) => `${id} (${REASONS[id]})`).join(', ') || 'none'}`
  return verdictOf(
    bad.map(({ severity, id, finding }) => `${severity} ${id}: ${finding}`),
    found,
  )
}

function findingsIn(path: string): readonly Finding[] {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as readonly Finding[]
  } catch {
    return []
  }
}

/** A certificate for the name of the shipped file, where that file looks for it. Returns the authority that signed it. */
async function certify(folder: string): Promise<string> {
  mkdirSync(join(folder, 'tls'))
  const at = (name: string): string => join(folder, 'tls', name)
  const [key, authority, asking] = [at(`${NAME}.key`), at('authority.pem'), at('request.pem')]
  const newKey = ['-newkey', 'rsa:2048', '-nodes']
  const steps = [
    ['req', '-x509', ...newKey, '-days', '90', '-subj', '/CN=An authority of one check', '-keyout', at('authority.key'), '-out', authority],
    ['req', ...newKey, '-subj', `/CN=${NAME}`, '-addext', `subjectAltName=DNS:${NAME}`, '-keyout', key, '-out', asking],
    ['x509', '-req', '-in', asking, '-CA', authority, '-CAkey', at('authority.key'), '-copy_extensions', 'copy', '-days', '90', '-out', at(`${NAME}.pem`)],
  ]
  for (const step of steps) {
    const { status, err } = await run('openssl', step)
    if (status !== 0) throw new Error(`no certificate could be made: ${err}`)
  }
  return authority
}

/** The shipped files as they are, with the folder, the port and the server of this run. */
function configure(folder: string, upstream: string, port: number): void {
  for (const name of ['evergrant.conf', 'evergrant-proxy.conf']) {
    const shipped = ofThisRun(readFileSync(join(ROOT, 'deploy/nginx', name), 'utf8'), { folder, port })
    writeFileSync(join(folder, name), shipped.replace('server 127.0.0.1:4400 ', `server ${upstream} `))
  }
  const own = `daemon off; pid ${folder}/pid; error_log ${folder}/error.log;\nevents {}\n`
  writeFileSync(join(folder, 'nginx.conf'), `${own}http { access_log off; ${temporary(folder)} include ${folder}/evergrant.conf; }\n`)
}

async function untilOpen(port: number): Promise<void> {
  const until = Date.now() + START_MS
  while (!(await isOpen(port))) {
    if (Date.now() > until) throw new Error('nginx does not listen; see what it said above')
    await pause(50)
  }
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true))
    socket.on('error', () => resolve(false)).on('connect', () => socket.destroy())
  })
}
