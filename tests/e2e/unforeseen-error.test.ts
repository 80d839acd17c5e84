// An error that nobody foresaw, in a real server (S96, CWE-755).
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { ServerProcess } from '../../packages/lab/src/server-process.ts'

/** Throws, or rejects, in the middle of the event loop when it is told to: nobody catches that. */
const MISTAKE = `
process.on('SIGUSR2', () => {
  const mistake = new TypeError('planted-secret-of-somebody')
  if (process.env.MISTAKE === 'rejected') Promise.reject(mistake)
  else setImmediate(() => { throw mistake })
})
`

test.each(['thrown', 'rejected'])(
  'an error that nobody foresaw ends the server, which says where and not what, after its answers are durable (S96)',
  { timeout: 60_000 },
  async (way) => {
    const folder = mkdtempSync(join(tmpdir(), 'evergrant-mistake-'))
    const file = join(folder, 'mistake.mjs')
    writeFileSync(file, MISTAKE)
    const server = await ServerProcess.start({ env: { NODE_OPTIONS: `--import=${pathToFileURL(file).href}`, MISTAKE: way } })
    try {
      process.kill(server.pid, 'SIGUSR2')
      expect((await server.ended(20_000)).code).toBe(1)
      expect(server.output()).toContain('An error that nobody foresaw: TypeError')
      expect(server.output()).toContain('mistake.mjs')
      expect(server.output()).toContain('answers in hand go to the journal')
      expect(server.output()).not.toContain('planted-secret')
      // What it left behind is whole: the next start is an ordinary one.
      await server.start()
    } finally {
      await server.dispose()
      rmSync(folder, { recursive: true, force: true })
    }
  },
)
