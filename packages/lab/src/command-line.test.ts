import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

function command(name: string, args: readonly string[]) {
  const main = fileURLToPath(new URL(`./${name}/main.ts`, import.meta.url))
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8', timeout: 20_000 })
  return { status, stdout, stderr }
}

test.each(['chaos', 'soak', 'model', 'simulate'])('%s --help says what is possible and runs nothing', { timeout: 30_000 }, (name) => {
  const said = command(name, ['--help'])
  expect(said.status).toBe(0)
  expect(said.stdout).toContain(`npm run ${name} --`)
  expect(said.stdout).not.toContain('{"')
})

test.each([
  ['chaos', '--rounds', 'abc'],
  ['chaos', '--rounds', '0'],
  ['chaos', '--store', 'mysql'],
  ['chaos', '--profile', 'slow'],
  ['chaos', '--rolling', 'all'],
  ['chaos', '--seed', ''],
  ['soak', '--minutes', 'x'],
  ['soak', '--minutes', '0'],
  ['soak', '--store', 'mysql'],
  ['model', '--larg', ''],
  ['simulate', '--seeds', 'abc'],
])('%s %s %s runs nothing, names the option and ends with 2: nothing done is not green', { timeout: 30_000 }, (name, option, value) => {
  const said = command(name, value === '' ? [`${option}=`] : [option, value])
  expect(said, said.stderr).toMatchObject({ status: 2, stdout: '' })
  expect(said.stderr).toContain(option)
  expect(said.stderr).not.toContain('    at ')
})
