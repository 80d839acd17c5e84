import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createMachineLab, type MachineLab } from '../node/agent/testing/machine-lab.ts'
import { run } from './run.ts'

let lab: MachineLab
let printed: string[]
beforeEach(() => {
  lab = createMachineLab()
  printed = []
})
afterEach(() => lab.remove())

const call = (...args: string[]): Promise<number> => {
  printed = []
  const print = (text: string): number => printed.push(text)
  return run(args, { out: print, err: print, colours: false, platform: lab.platform })
}
const answered = () => JSON.parse(printed.at(-1) ?? 'null')

test('a machine is enrolled, looked at, rotated and signed out', async () => {
  expect(await call('enroll', lab.server.code({ withServer: true }), '--name', 'web-2')).toBe(0)
  expect(printed.at(-1)).toContain('Enrolled as web-2 of the agent weather (verified) at https://evergrant.test.')
  expect(await call('whoami')).toBe(0)
  expect(printed.join()).toMatch(/agent +weather \(agt_.*\), verified/)
  expect(await call('whoami', '--json')).toBe(0)
  const before = answered()
  expect(before).toMatchObject({ server: lab.server.url, installation: { name: 'web-2' }, custody: 'file', generation: 1 })
  expect(await call('rotate', '--json')).toBe(0)
  expect(answered()).toMatchObject({ generation: 2 })
  expect(answered().key_thumbprint).not.toBe(before.key_thumbprint)
  expect(await call('logout')).toBe(0)
  expect(lab.server.installations[0]?.status).toBe('retired')
  expect(await call('whoami')).toBe(3)
  expect(printed.join()).toContain('npx @evergrant/sdk enroll')
})

test('whoami asks the server, so that a machine that was cut off, or a server that is away, is told; --offline asks nobody', async () => {
  await call('enroll', lab.server.code({ withServer: true }))
  lab.server.cutOff()
  expect(await call('whoami', '--offline')).toBe(0)
  expect(await call('whoami')).toBe(3)
  expect(printed.join()).toContain('npx @evergrant/sdk enroll')
})

test('with --device a page and a code are shown, and the machine waits', async () => {
  lab.server.once('device', async (commit) => {
    const answer = await commit()
    lab.server.decideDevice((await answer.clone().json()).user_code, 'approved')
    return answer
  })
  expect(await call('enroll', '--device', '--server', lab.server.url, '--json')).toBe(0)
  expect(JSON.parse(printed[0] ?? '')).toMatchObject({ user_code: expect.any(String), verification_uri: `${lab.server.url}/device` })
  expect(answered()).toMatchObject({ server: lab.server.url })
})

test('what cannot be understood shows how to call it', async () => {
  for (const args of [['enroll'], ['fly'], ['whoami', 'x'], ['enroll', 'a', 'b'], ['enroll', 'egc_a', '--device'], ['--wrong'], [], ['constructor']]) {
    expect(await call(...args)).toBe(2)
    expect(printed.join()).toContain('enroll <code>')
  }
  expect(await call('--help')).toBe(0)
})

test('what is wrong with a call stands before how to call it, without a word of what may be a code', async () => {
  const said = async (...args: string[]) => {
    expect(await call(...args)).toBe(2)
    return printed.join().split('\n')[0]
  }
  expect(await said('enrol', 'egc_planted')).toBe('There is no such command. There are: enroll, whoami, doctor, rotate, logout.')
  expect(await said('enroll')).toBe('`enroll` needs a one-time code, or --device. Codes come from: evergrant agents code <agent>')
  expect(await said('enroll', 'egc_planted', 'egc_planted')).toBe('`enroll` takes one code.')
  expect(await said('enroll', 'egc_planted', '--device')).toBe('`enroll` takes a code or --device, not both.')
  expect(await said('whoami', 'egc_planted')).toBe('`whoami` takes no argument.')
})

test('a code that is spent, and a server that is away, are told apart by the exit code', async () => {
  const code = lab.server.code({ withServer: true })
  lab.server.once('enroll', () => Promise.reject(new TypeError('no route')))
  for (let time = 0; time < 3; time += 1) lab.server.once('enroll', () => Promise.reject(new TypeError('no route')))
  expect(await call('enroll', code, '--json')).toBe(4)
  expect(answered().error.code).toBe('connection_failed')
  expect(await call('enroll', `egc_${'x'.repeat(20)}`, '--server', lab.server.url, '--json')).toBe(1)
  expect(answered().error.code).toBe('enrolment_code_invalid')
})

test('the doctor finds nothing wrong with a machine that works', async () => {
  await call('enroll', lab.server.code({ withServer: true }))
  expect(await call('doctor', '--json')).toBe(0)
  expect(answered()).toMatchObject({ healthy: true })
  const checks = answered().findings.map(({ check }: { check: string }) => check.replace('weather: ', ''))
  expect(checks).toEqual(['permissions', 'store', 'key', 'machine', 'lock', 'credential', 'server', 'clock'])
  // It shows nothing to the server, which may have cut this machine off meanwhile.
  expect(JSON.stringify(answered().findings)).toContain('as far as this machine knows good until')
})

test('the doctor says what is wrong and how it is mended, and changes nothing', async () => {
  expect(await call('doctor')).toBe(1)
  expect(printed.join()).toContain('not enrolled')
  await call('enroll', lab.server.code({ withServer: true }))
  const path = join(lab.home, 'credentials.json')
  const text = readFileSync(path, 'utf8')
  lab.env['EVERGRANT_MACHINE_ID'] = 'two'
  expect(await call('doctor')).toBe(1)
  expect(printed.join()).toContain('bad  weather: machine')
  lab.env['EVERGRANT_MACHINE_ID'] = 'one'
  chmodSync(path, 0o644)
  expect(await call('doctor')).toBe(1)
  expect(printed.join()).toContain(`chmod 600 ${path}`)
  expect(readFileSync(path, 'utf8')).toBe(text)
  chmodSync(path, 0o600)
  lab.server.cutOff()
  await lab
    .program()
    .renew()
    .catch(() => {})
  expect(await call('doctor')).toBe(1)
  expect(printed.join()).toContain('recovery_forbidden')
})

test('a file that cannot be read is told as that, and not as a machine that has to be enrolled again', async () => {
  await call('enroll', lab.server.code({ withServer: true }))
  chmodSync(join(lab.home, 'credentials.json'), 0o644)
  printed.length = 0
  expect(await call('doctor', '--json')).toBe(1)
  expect(answered().findings.map(({ check }: { check: string }) => check)).toEqual(['permissions'])
})

test('a folder in which nothing could be kept is told before anybody enrols', async () => {
  const open = mkdtempSync(join(tmpdir(), 'evergrant-open-'))
  chmodSync(open, 0o777)
  const print = (text: string): number => printed.push(text)
  expect(await run(['doctor'], { out: print, err: print, colours: false, platform: { ...lab.platform, home: join(open, 'home') } })).toBe(1)
  expect(printed.join()).toContain(`chmod o-w ${open}`)
  expect(existsSync(join(open, 'home'))).toBe(false)
  rmSync(open, { recursive: true })
})

test('a profile that is not there is told with those that are', async () => {
  await call('enroll', lab.server.code({ withServer: true }))
  expect(await call('doctor', '--json', '--profile', 'weathr')).toBe(1)
  expect(answered().findings.at(-1).detail).toContain(`There are: weather at ${lab.server.url}`)
})

test('the doctor looks at the profile that programs would use, however its address is written', async () => {
  await call('enroll', lab.server.code({ withServer: true }))
  await call('enroll', lab.server.code({ withServer: true }), '--profile', 'night')
  expect(await call('doctor', '--json', '--server', `${lab.server.url}/`)).toBe(0)
  lab.env['EVERGRANT_PROFILE'] = 'night'
  expect(await call('doctor', '--json')).toBe(0)
  expect(answered().findings.filter(({ check }: { check: string }) => check.startsWith('weather:'))).toEqual([])
  lab.env['EVERGRANT_PROFILE'] = 'nobody'
  expect(await call('doctor', '--json')).toBe(1)
})

test('the doctor tells of a key file that is damaged, and shows nothing of it', async () => {
  await call('enroll', lab.server.code({ withServer: true }))
  const folder = join(lab.home, 'keys')
  const path = join(folder, readdirSync(folder)[0] ?? '')
  const { d } = JSON.parse(readFileSync(path, 'utf8'))
  writeFileSync(path, `${d}"`)
  expect(await call('doctor')).toBe(1)
  expect(printed.join()).toMatch(/bad +weather: key .* is damaged/)
  expect(printed.join()).not.toContain(d.slice(0, 8))
})

test('nothing that is printed holds a secret, and there are no colours off a terminal', async () => {
  await call('enroll', lab.server.code({ withServer: true }))
  const all: string[] = [...printed]
  for (const args of [['whoami'], ['whoami', '--json'], ['doctor'], ['rotate']]) {
    await call(...args)
    all.push(...printed)
  }
  const { refresh_token: refresh, access_token: access } = JSON.parse(readFileSync(join(lab.home, 'credentials.json'), 'utf8')).profiles[0]
  for (const secret of [refresh, access, '\u001b']) expect(all.join()).not.toContain(secret)
})
