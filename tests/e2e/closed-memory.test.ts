// A server that may hold real grants shows its memory to nobody (S83): neither to a signal, nor by a flag, nor in a core file.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ServerProcess } from '../../packages/lab/src/server-process.ts'

const REAL = { NODE_ENV: 'production' }
const linux = process.platform === 'linux'

test.runIf(linux)(
  'a server opens no inspector on a signal and writes no core file, whatever the limits were that it was started with (S83)',
  { timeout: 60_000 },
  async () => {
    const server = await ServerProcess.start({ env: REAL })
    try {
      process.kill(server.pid, 'SIGUSR1')
      expect((await fetch(`${server.url}/health/live`)).status).toBe(200)
      expect(server.output()).not.toContain('Debugger listening')
      expect(readFileSync(`/proc/${server.pid}/limits`, 'utf8')).toMatch(/^Max core file size\s+0\s+0\s/m)
      expect(readFileSync(`/proc/${server.pid}/cmdline`, 'utf8').split('\0')).toContain('--disable-sigusr1')
    } finally {
      await server.dispose()
    }
  },
)

test.runIf(linux)('a rehearsal may be looked into: the same signal opens its inspector', { timeout: 60_000 }, async () => {
  const server = await ServerProcess.start({ env: { NODE_OPTIONS: '--inspect-port=127.0.0.1:0' } })
  try {
    process.kill(server.pid, 'SIGUSR1')
    await expect.poll(() => server.output()).toContain('Debugger listening')
  } finally {
    await server.dispose()
  }
})

test.each(['--inspect=127.0.0.1:0', '--heapsnapshot-signal=SIGUSR2', '--report-on-fatalerror'])(
  'a server that is started with %s says why it does not start (S83)',
  { timeout: 60_000 },
  async (flag) => {
    const refused = await ServerProcess.start({ env: { ...REAL, NODE_OPTIONS: flag } }).then(
      async (server) => {
        await server.dispose()
        return 'it started'
      },
      (error: unknown) => String(error),
    )
    expect(refused).toContain(`Node was started with ${flag.split('=')[0]}`)
    expect(refused).toContain('take it out of the command line and of NODE_OPTIONS')
  },
)

test('diagnostic reports that somebody asks for leave the environment out (S83)', () => {
  const place = new URL('../../packages/evergrant/src/cli/memory-doors.ts', import.meta.url).href
  const script = `import(${JSON.stringify(place)}).then(({ closeDoors }) => { closeDoors(); console.log(JSON.stringify(process.report.getReport())) })`
  const env = { ...process.env, NODE_ENV: 'production', NODE_OPTIONS: '', PLANTED_VARIABLE: 'planted-secret' }
  const report = execFileSync(process.execPath, ['--disable-warning=ExperimentalWarning', '-e', script], { env, encoding: 'utf8', maxBuffer: 1 << 26 })
  expect(JSON.parse(report)).toHaveProperty('header')
  expect(report).not.toContain('planted-secret')
})
