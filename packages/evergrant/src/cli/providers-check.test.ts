import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runCommandLine } from './program.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evergrant-providers-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function file(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

async function check(...args: readonly string[]) {
  const said = { out: '', err: '' }
  const streams = { out: (text: string) => (said.out += text), err: (text: string) => (said.err += text), interactive: false }
  return { code: await runCommandLine(['providers', 'check', ...args], streams), ...said }
}

const GOOD = 'id: acme\nname: Acme\nauthorize: { url: https://acme.example/authorize }\ntoken: { url: https://acme.example/token }\n'
const BAD = 'id: acme\nname: Acme\nauthorize: { url: "https://{shop}.example/authorize" }\ntoken: { url: https://acme.example/token }\n'

test('a well-formed file is ok, with advice, and ends with 0', async () => {
  const path = file('acme.yaml', GOOD)
  const { code, out } = await check(path)
  expect(code).toBe(0)
  expect(out).toContain(`ok       ${path}: acme (Acme)\n`)
  expect(out).toContain(`advice   ${path}: check is missing: a connection cannot be tested without a cheap call\n`)
})

test('advice counts where --strict asks for it', async () => {
  expect((await check('--strict', file('acme.yaml', GOOD))).code).toBe(1)
})

test('what a server would refuse ends with 1 and names the field', async () => {
  const path = file('acme.yaml', BAD)
  const { code, out } = await check(path)
  expect(code).toBe(1)
  expect(out).toContain(`problem  ${path}: a server would refuse it\n`)
  expect(out).toContain('authorize.url uses {shop}, which is no variable of this record')
})

test('a file that extends a shipped record is checked as a whole', async () => {
  const { code, out } = await check(file('google-ads.yaml', 'extends: google\nid: google-ads\nname: Google Ads\n'))
  expect([code, out.includes('google-ads (Google Ads)')]).toEqual([0, true])
})

test('with --json every file has its problems and its advice', async () => {
  const { code, out } = await check('--json', file('good.yaml', GOOD), file('bad.yaml', BAD), join(folder, 'none.yaml'), file('broken.json', '{'))
  const { files, problems } = JSON.parse(out)
  expect(code).toBe(1)
  expect(problems).toBe(3)
  expect(files.map((one: { id: string | null; valid: boolean }) => [one.id, one.valid])).toEqual([
    ['acme', true],
    [null, false],
    [null, false],
    [null, false],
  ])
  expect(files[2].problems).toEqual([{ path: '', text: 'cannot be read (ENOENT)' }])
  expect(files[3].problems[0].text).toContain('is not JSON')
  expect(files[0].advice[0].path).toBe('reuse.class')
})

test('without a file the command line is wrong', async () => {
  expect((await check()).code).toBe(2)
})
