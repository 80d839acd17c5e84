import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { newPrivateJwk } from './key-provider.ts'
import { codeOf, createMachineLab, type MachineLab, MINUTE } from './testing/machine-lab.ts'
import { openDoor } from './testing/serve-fake.ts'
import { workloadSource } from './workload.ts'

let lab: MachineLab
beforeEach(() => {
  lab = createMachineLab()
})
afterEach(() => lab.remove())

const messageOf = (work: Promise<unknown>): Promise<string> => work.then(String, (error: Error) => error.message)
const long = (agent?: string): string => lab.server.code({ withServer: true, ...(agent === undefined ? {} : { agent }) })

test('where nothing is, the error says what to do', async () => {
  expect(await messageOf(lab.program().whoami())).toContain('npx @evergrant/sdk enroll')
})

test('a code in the environment enrols once: the next start takes the profile that it made', async () => {
  lab.env['EVERGRANT_ENROLMENT_CODE'] = long()
  expect(await lab.program().whoami()).toMatchObject({ source: 'environment', generation: 1, custody: 'file' })
  expect(await lab.program().whoami()).toMatchObject({ source: 'environment', generation: 1 })
  expect(lab.server.counts.enrolled).toBe(1)
})

test('an enrolment whose answer was lost is repeated with the same key and attempt, by the next process, too', async () => {
  lab.env['EVERGRANT_ENROLMENT_CODE'] = long()
  for (let time = 0; time < 4; time += 1)
    lab.server.once('enroll', async (commit) => {
      const answer = await commit()
      if (answer.status === 200) throw new TypeError('socket hang up')
      return answer
    })
  await codeOf(lab.program().whoami())
  expect((await lab.program().whoami()).generation).toBe(1)
  expect(lab.server.counts.enrolled).toBe(1)
  expect(lab.server.counts.repeated).toBeGreaterThan(0)
})

test('a code that is spent stops the search and names its place, although the home folder has another credential', async () => {
  await lab.program({ enrolmentCode: long() }).whoami()
  lab.env['EVERGRANT_ENROLMENT_CODE'] = `egc_${'x'.repeat(32)}`
  lab.env['EVERGRANT_URL'] = lab.server.url
  expect(await messageOf(lab.program().whoami())).toMatch(/EVERGRANT_ENROLMENT_CODE was spent already/)
})

test.each([
  ['a code that is none', { EVERGRANT_ENROLMENT_CODE: 'hello' }, 'EVERGRANT_ENROLMENT_CODE is no enrolment code'],
  ['a code whose end is missing', { EVERGRANT_ENROLMENT_CODE: `egc_abc.${Buffer.from('https://connect.example.co').toString('base64url')}` }, 'was cut off'],
  ['a code without a server', { EVERGRANT_ENROLMENT_CODE: 'egc_abc' }, 'EVERGRANT_URL'],
  ['a server behind plain http', { EVERGRANT_URL: 'http://connect.example.com' }, 'plain http'],
  ['a workload token without a server', { EVERGRANT_WORKLOAD_TOKEN_FILE: '/nowhere' }, 'EVERGRANT_URL'],
  ['a workload token that is not there', { EVERGRANT_WORKLOAD_TOKEN_FILE: '/nowhere', EVERGRANT_URL: 'https://evergrant.test' }, '/nowhere cannot be read'],
] as const)('%s stops the search with an error that names it', async (_title, env, words) => {
  await lab.program({ enrolmentCode: long() }).whoami()
  Object.assign(lab.env, env)
  expect(await messageOf(lab.program().whoami())).toContain(words)
})

test('a code for another server than the one that was named is refused before anything is sent', async () => {
  lab.env['EVERGRANT_ENROLMENT_CODE'] = long()
  lab.env['EVERGRANT_URL'] = 'https://other.example'
  expect(await messageOf(lab.program().whoami())).toContain('Make both the same')
})

test('a key in the environment signs, is stored nowhere, and is needed again', async () => {
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
  const pem = `-----BEGIN PRIVATE KEY-----\n${Buffer.from(await crypto.subtle.exportKey('pkcs8', pair.privateKey)).toString('base64')}\n-----END PRIVATE KEY-----`
  lab.env['EVERGRANT_PRIVATE_KEY'] = pem
  lab.env['EVERGRANT_ENROLMENT_CODE'] = long()
  const { custody, key_thumbprint: thumbprint } = await lab.program().whoami()
  expect(custody).toBe('environment')
  const { d } = await crypto.subtle.exportKey('jwk', pair.privateKey)
  expect(readFileSync(join(lab.home, 'credentials.json'), 'utf8')).not.toContain(d)
  lab.env['EVERGRANT_PRIVATE_KEY'] = JSON.stringify(await crypto.subtle.exportKey('jwk', pair.privateKey))
  expect(await lab.program().whoami()).toMatchObject({ key_thumbprint: thumbprint })
  expect(await messageOf(lab.program().rotateKey())).toContain('EVERGRANT_PRIVATE_KEY')
  lab.env['EVERGRANT_PRIVATE_KEY'] = ''
  expect(await messageOf(lab.program().whoami())).toContain('EVERGRANT_PRIVATE_KEY, which is not set now')
})

test('a workload keeps nothing on disk, and shows its identity again when its installation is over', async () => {
  mkdirSync(lab.home, { recursive: true, mode: 0o700 })
  const file = join(lab.home, 'projected')
  writeFileSync(file, 'identity\n')
  lab.server.trustWorkload('identity')
  Object.assign(lab.env, { EVERGRANT_WORKLOAD_TOKEN_FILE: file, EVERGRANT_URL: lab.server.url })
  const program = lab.program()
  expect(await program.whoami()).toMatchObject({ source: 'workload', custody: 'workload', file: null, generation: 1 })
  lab.pass(11 * MINUTE)
  expect((await program.whoami()).generation).toBe(2)
  const [first] = lab.server.installations
  const ended = { type: 'about:blank', title: 'Over', status: 403, code: 'installation_expired', action: 'contact_admin', request_id: 'one' }
  lab.server.once('refresh', () => Promise.resolve(Response.json(ended, { status: 403 })))
  lab.pass(11 * MINUTE)
  const again = await program.whoami()
  expect(again.generation).toBe(1)
  expect(again.installation.id).not.toBe(first?.id)
})

test('a workload shows its identity again before its installation ends, and goes on with what it has while the platform gives none', async () => {
  lab.server.trustWorkload('identity')
  let [ends, given] = [0, true]
  const hour = async (...[input, init]: Parameters<typeof fetch>): Promise<Response> => {
    const answer = await lab.server.fetch(input, init)
    const { pathname } = new URL(new Request(input, init).url)
    if (answer.status !== 200 || !/(enroll|refresh)$/.test(pathname)) return answer
    if (pathname.endsWith('enroll')) ends = lab.platform.now() + 60 * MINUTE
    const told = JSON.parse(await answer.text())
    return Response.json({ ...told, installation: { ...told.installation, expires_at: new Date(ends).toISOString() } }, { headers: answer.headers })
  }
  const workloadToken = (): Promise<string> => (given ? Promise.resolve('identity') : Promise.reject(new Error('the platform is away')))
  const program = lab.program({ server: lab.server.url, workloadToken, platform: { fetch: hour } })
  const { installation } = await program.whoami()
  lab.pass(54 * MINUTE)
  expect(await program.whoami()).toMatchObject({ generation: 2, installation: { id: installation.id } })
  given = false
  lab.pass(2 * MINUTE)
  expect(await program.renew()).toMatchObject({ generation: 3, installation: { id: installation.id } })
  given = true
  const next = await program.renew()
  expect([next.generation, next.installation.id === installation.id, lab.server.counts.enrolled]).toEqual([1, false, 2])
  expect((await program.connections.list()).items).toEqual([])
})

test('a workload that was cut off does not undo it by showing its identity again', async () => {
  mkdirSync(lab.home, { recursive: true, mode: 0o700 })
  const file = join(lab.home, 'projected')
  writeFileSync(file, 'identity\n')
  lab.server.trustWorkload('identity')
  Object.assign(lab.env, { EVERGRANT_WORKLOAD_TOKEN_FILE: file, EVERGRANT_URL: lab.server.url })
  const program = lab.program()
  await program.whoami()
  const [first] = lab.server.installations
  first!.status = 'retired'
  lab.pass(11 * MINUTE)
  expect(await codeOf(program.whoami())).toBe('installation_retired')
  expect(await codeOf(program.whoami())).toBe('installation_retired')
  expect(lab.server.counts.enrolled).toBe(1)
})

test('GitHub Actions is asked for an identity that is meant for this server', async () => {
  lab.server.trustWorkload('from github')
  const asked: string[] = []
  Object.assign(lab.env, { EVERGRANT_URL: lab.server.url, ACTIONS_ID_TOKEN_REQUEST_URL: 'https://gh.test/token?v=1', ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'runner' })
  const program = lab.program({
    platform: {
      fetch: (input, init) => {
        if (!String(input).startsWith('https://gh.test')) return lab.server.fetch(input, init)
        asked.push(`${String(input)} ${new Headers(init?.headers).get('authorization')}`)
        return Promise.resolve(Response.json({ value: 'from github' }))
      },
    },
  })
  expect(await program.whoami()).toMatchObject({ source: 'workload' })
  expect(asked).toEqual([`https://gh.test/token?v=1&audience=${encodeURIComponent(lab.server.url)} Bearer runner`])
  // A trust has an audience of its organization, unless somebody chose another one.
  lab.env['EVERGRANT_WORKLOAD_AUDIENCE'] = `${lab.server.url}/org_1`
  await program.close()
  const fetch: typeof globalThis.fetch = (input) => {
    asked.push(String(input))
    return Promise.resolve(Response.json({ value: 'from github' }))
  }
  await workloadSource(lab.server.url, { ...lab.platform, fetch })?.token()
  expect(asked.at(-1)).toBe(`https://gh.test/token?v=1&audience=${encodeURIComponent(`${lab.server.url}/org_1`)}`)
})

test('several profiles are told apart by name and server, and never guessed', async () => {
  await lab.program().agents.register({ code: long('weather') })
  await lab.program({ enrolmentCode: long('billing') }).whoami()
  const refused = await messageOf(lab.program().whoami())
  expect(refused).toContain('weather at https://evergrant.test, billing at https://evergrant.test')
  expect((await lab.program({ profile: 'billing' }).whoami()).agent.name).toBe('billing')
  lab.env['EVERGRANT_PROFILE'] = 'weather'
  expect((await lab.program().whoami()).agent.name).toBe('weather')
})

test('a profile or a server that does not fit is told with what is there, because another enrolment would be the wrong remedy', async () => {
  await lab.program().agents.register({ code: long('weather') })
  for (const asked of [{ profile: 'weathr' }, { server: 'https://moved.test' }]) {
    expect(await codeOf(lab.program(asked).whoami())).toBe('not_enrolled')
    expect(await messageOf(lab.program(asked).whoami())).toMatch(/credentials\.json has weather at https:\/\/evergrant\.test\. Correct .*EVERGRANT_URL/)
  }
})

test('a project file is read only where somebody says so, and its credential moves to the home folder', async () => {
  const project = join(lab.home, '..', 'project')
  mkdirSync(join(project, '.evergrant'), { recursive: true })
  const code = lab.server.code({ agent: 'planted' })
  writeFileSync(join(project, '.evergrant', 'enroll.json'), JSON.stringify({ server: lab.server.url, code, name: 'laptop' }))
  const inProject = { cwd: project }
  expect(await codeOf(lab.program({ platform: inProject }).whoami())).toBe('not_enrolled')
  await lab.program({ enrolmentCode: long('weather') }).whoami()
  expect((await lab.program({ platform: inProject }).whoami()).agent.name).toBe('weather')
  const first = await lab.program({ projectFile: true, platform: inProject }).whoami()
  expect(first).toMatchObject({ source: 'project', agent: { name: 'planted' }, installation: { name: 'laptop' }, file: join(lab.home, 'credentials.json') })
  lab.env['EVERGRANT_PROJECT_FILE'] = '1'
  expect(await lab.program({ platform: inProject }).whoami()).toMatchObject({ source: 'home', agent: { name: 'planted' } })
  expect(lab.server.counts.enrolled).toBe(2)
})

test('without a code a person approves the machine on a page', async () => {
  const program = lab.program({ server: lab.server.url })
  const prompts: string[] = []
  const registered = program.agents.register({
    name: 'web-2',
    onPrompt: ({ userCode, completeUrl }) => {
      prompts.push(completeUrl)
      lab.server.once('enroll', async (commit) => {
        const answer = await commit()
        lab.server.decideDevice(userCode, 'approved')
        return answer
      })
    },
  })
  expect(await registered).toMatchObject({ installation: { name: 'web-2' } })
  expect(prompts).toEqual([expect.stringContaining('/device?code=ABCD-')])
  expect((await lab.program().whoami()).installation.name).toBe('web-2')
  expect(await program.agents.register()).toMatchObject({ installation: { name: 'web-2' } })
})

test('a machine that a person refuses is told so, and keeps no key', async () => {
  const program = lab.program({ server: lab.server.url })
  const refused = codeOf(program.agents.register({ onPrompt: ({ userCode }) => lab.server.decideDevice(userCode, 'denied') }))
  expect(await refused).toBe('device_denied')
  expect((await import('node:fs')).readdirSync(join(lab.home, 'keys'))).toEqual([])
})

test("an agent of another organization with the same name gets a profile of its own, and takes nobody's place", async () => {
  const first = await lab.program().agents.register({ code: long('weather') })
  const elsewhere = async (commit: () => Promise<Response>): Promise<Response> => {
    const answer = await commit()
    if (answer.status !== 200) {
      lab.server.once('enroll', elsewhere)
      return answer
    }
    return Response.json({ ...JSON.parse(await answer.text()), organization: { id: 'org_other', name: 'Other' } }, { headers: answer.headers })
  }
  lab.server.once('enroll', elsewhere)
  const second = await lab.program().agents.register({ code: long('weather') })
  expect(second.organization.name).toBe('Other')
  expect((await lab.program({ profile: 'weather' }).whoami()).installation.id).toBe(first.installation.id)
  expect((await lab.program({ profile: 'weather (org_other)' }).describe()).installation.id).toBe(second.installation.id)
  expect(await messageOf(lab.program().whoami())).toContain('EVERGRANT_PROFILE')
})

test('EVERGRANT_PROFILE names what is enrolled, and what is found afterwards, by whatever call', async () => {
  lab.env['EVERGRANT_PROFILE'] = 'web'
  expect((await lab.program().agents.register({ code: long() })).profile).toBe('web')
  expect((await lab.program().whoami()).profile).toBe('web')
  lab.env['EVERGRANT_PROFILE'] = 'night'
  expect((await lab.program({ enrolmentCode: long() }).whoami()).profile).toBe('night')
  expect((await lab.program().whoami()).profile).toBe('night')
})

test('a code whose first try was made with a key that is not there any more is tried again with the one that is', async () => {
  lab.env['EVERGRANT_ENROLMENT_CODE'] = long()
  lab.env['EVERGRANT_PRIVATE_KEY'] = JSON.stringify(await newPrivateJwk())
  for (let time = 0; time < 4; time += 1) lab.server.once('enroll', () => Promise.reject(new TypeError('no route')))
  expect(await codeOf(lab.program().whoami())).toBe('connection_failed')
  lab.env['EVERGRANT_PRIVATE_KEY'] = JSON.stringify(await newPrivateJwk())
  expect(await lab.program().whoami()).toMatchObject({ generation: 1, custody: 'environment' })
  expect(lab.server.counts.enrolled).toBe(1)
})

test('a network that is away for a while does not end the wait for a person', async () => {
  const program = lab.program({ server: lab.server.url })
  const registered = program.agents.register({
    onPrompt: ({ userCode }) => {
      for (let time = 0; time < 8; time += 1) lab.server.once('enroll', () => Promise.reject(new TypeError('no route')))
      lab.server.decideDevice(userCode, 'approved')
    },
  })
  expect(await registered).toMatchObject({ generation: 1 })
})

test('a network that stays away ends it when the code is over', async () => {
  let away = false
  const program = lab.program({
    server: lab.server.url,
    platform: { fetch: (input, init) => (away ? Promise.reject(new TypeError('no route')) : lab.server.fetch(input, init)) },
  })
  const onPrompt = (): void => {
    away = true
  }
  expect(await codeOf(program.agents.register({ onPrompt }))).toBe('connection_failed')
})

test('a server that redirects is said to, with where it leads, and no credential goes there', async () => {
  const asked: string[] = []
  const door = await openDoor(
    (_request, commit) => commit(),
    (path) => {
      asked.push(path)
      return Promise.resolve(new Response('', { status: 308, headers: { location: 'https://www.evergrant.test/api/v1/agents/enroll' } }))
    },
  )
  const program = lab.program({ server: door.url, enrolmentCode: lab.server.code(), platform: { fetch: globalThis.fetch } })
  expect(await messageOf(program.whoami())).toContain(`${door.url} redirects to https://www.evergrant.test`)
  await door.close()
  expect(asked).toEqual(['/api/v1/agents/enroll'])
})
