import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { memoryFinding, openDoors } from './memory-doors.ts'

test.each([
  ['--inspect'],
  ['--inspect=0.0.0.0:9229'],
  ['--inspect-brk'],
  ['--inspect-wait=9230'],
  ['--inspect_brk'],
  ['--heapsnapshot-signal=SIGUSR2'],
  ['--heapsnapshot-near-heap-limit=1'],
  ['--heap-prof'],
  ['--report-on-fatalerror'],
  ['--report-uncaught-exception'],
  ['--abort-on-uncaught-exception'],
])('%s opens the memory of the process, on the command line and in NODE_OPTIONS (S83)', (flag) => {
  const name = flag.split('=')[0]
  expect(openDoors([flag], '')).toEqual([name])
  expect(openDoors([], `--max-old-space-size=512 "${flag}"`)).toEqual([name])
})

test('other flags of Node open nothing', () => {
  expect(
    openDoors(['--max-semi-space-size=8', '--disable-sigusr1', '--import=/opt/inspect.mjs', '--inspect-port=0'], '--enable-source-maps --title=--inspected'),
  ).toEqual([])
})

const LIMITS = (core: string): string =>
  `Limit                     Soft Limit           Hard Limit           Units\nMax core file size        ${core}                    unlimited            bytes\n`
let proc: string
beforeEach(() => {
  proc = mkdtempSync(join(tmpdir(), 'evergrant-proc-'))
})
afterEach(() => rmSync(proc, { recursive: true, force: true }))

function processOf(core: string, ...command: readonly string[]): void {
  mkdirSync(join(proc, '7'))
  writeFileSync(join(proc, '7/limits'), LIMITS(core))
  writeFileSync(join(proc, '7/cmdline'), `${command.join('\0')}\0`)
}

test('the doctor says what shows the memory of the running server, with the remedy', () => {
  processOf('unlimited', 'node', '--inspect=9229', 'main.js', 'serve')
  const [found] = memoryFinding(7, true, proc)
  expect(found).toMatchObject({ name: 'memory', ok: false })
  expect(found?.detail).toBe(
    'a crash may write its memory to a core file (limit unlimited); SIGUSR1 opens its inspector on this machine; it was started with --inspect',
  )
  expect(found?.remedy).toContain('LimitCORE=0')
  expect(memoryFinding(7, false, proc)).toMatchObject([{ ok: true, detail: expect.stringContaining('rehearsal') }])
})

test('a server that closed both doors is fine, and where there is no such kernel nothing is said', () => {
  processOf('0', 'node', '--disable-sigusr1', 'main.js', 'serve')
  expect(memoryFinding(7, true, proc)).toMatchObject([{ ok: true, detail: 'no core file, no inspector' }])
  expect(memoryFinding(8, true, proc)).toEqual([])
})
