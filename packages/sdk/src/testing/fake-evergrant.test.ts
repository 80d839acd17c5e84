import { beforeEach, describe, expect, test } from 'vitest'
import { type AgentLab, createAgentLab } from '../../../evergrant/src/testing/agent-lab.ts'
import { AgentMachine, type AgentServer, type MachineAnswer } from '../../../evergrant/src/testing/agent-machine.ts'
import { FakeEvergrant } from './fake-evergrant.ts'
import { createTestClock } from './test-clock.ts'

/** One server, driven by hand: every script runs on both, and both must say the same. */
interface Side {
  readonly server: AgentServer
  code(): Promise<string>
  pass(ms: number): Promise<void>
  rotate(): Promise<unknown>
  cutOff(): Promise<unknown>
  lock(): Promise<unknown>
  unlock(): Promise<unknown>
}

type Script = (side: Side) => Promise<readonly string[]>

const SECOND = 1_000
const MINUTE = 60 * SECOND
const REFRESH = '/api/v1/auth/sdk/refresh'
const RECOVER = '/api/v1/auth/sdk/recover'

let lab: AgentLab
beforeEach(async () => {
  lab = await createAgentLab()
})

async function real(): Promise<Side> {
  const agent = await lab.agent({ access: ['token'], connections: [{}] })
  const only = async () => (await lab.call('GET', `/api/v1/installations?agent=${agent}`)).json.items[0].id
  const act = async (verb: string) => lab.call('POST', `/api/v1/installations/${await only()}/${verb}`, { body: {} })
  const server: AgentServer = {
    publicUrl: 'https://evergrant.example',
    now: () => lab.time.clock.wall(),
    send: (method, path, { headers, body }) => lab.call(method, path, { key: null, headers, ...(body === undefined ? {} : { body }) }),
  }
  return {
    server,
    code: async () => (await lab.code(agent)).split('.')[0] ?? '',
    pass: (ms) => lab.time.advance(ms),
    rotate: () => act('rotate'),
    cutOff: () => act('cut-off'),
    lock: () => act('lock'),
    unlock: () => act('unlock'),
  }
}

function fake(): Side {
  let now = Date.UTC(2026, 10, 21)
  const one = new FakeEvergrant({ url: 'https://evergrant.example', now: () => now })
  const send: AgentServer['send'] = async (method, path, { headers, body }): Promise<MachineAnswer> => {
    const init = { method, headers: { ...headers, 'content-type': 'application/json' }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }
    const answer = await one.fetch(`${one.url}${path}`, init)
    const text = await answer.text()
    return { status: answer.status, headers: Object.fromEntries(answer.headers), text, json: JSON.parse(text) }
  }
  const status = (is: 'locked') => {
    for (const installation of one.installations) installation.status = is
  }
  return {
    server: { publicUrl: one.url, now: () => now, send },
    code: () => Promise.resolve(one.code()),
    pass: async (ms) => {
      now += ms
    },
    rotate: async () => one.rotate(),
    cutOff: async () => one.cutOff(),
    lock: async () => status('locked'),
    unlock: async () => one.unlock(),
  }
}

const said = ({ status, json }: MachineAnswer): string => `${status} ${json.code ?? json.metadata?.source ?? ''} ${json.generation ?? ''}`.trim()

async function enrolled(side: Side): Promise<AgentMachine> {
  const machine = await AgentMachine.make(side.server)
  await machine.enrol({ code: await side.code() })
  return machine
}

/** One presentation that keeps nothing: what a copy would send. */
const show = (machine: AgentMachine, token: string, { path = REFRESH, attempt = AgentMachine.attempt() } = {}): Promise<MachineAnswer> =>
  machine.post(path, token, { [path === REFRESH ? 'refresh_token' : 'old_refresh_token']: token, attempt_id: attempt })

const scripts: readonly [string, Script][] = [
  [
    'an enrolment, its repetition, and a code that is spent',
    async (side) => {
      const [one, other] = [await AgentMachine.make(side.server), await AgentMachine.make(side.server)]
      const code = await side.code()
      const attempt_id = AgentMachine.attempt()
      return [await one.enrol({ code }, { attempt_id }), await one.enrol({ code }, { attempt_id }), await other.enrol({ code }), await one.enrol({ code })].map(
        said,
      )
    },
  ],
  [
    'the same attempt before and after its answer was used',
    async (side) => {
      const machine = await enrolled(side)
      const token = machine.refreshToken ?? ''
      const attempt = AgentMachine.attempt()
      const [first, again] = [await show(machine, token, { attempt }), await show(machine, token, { attempt })]
      const used = await show(machine, first.json.refresh_token)
      return [...[first, again, used].map(said), String(first.json.refresh_token === again.json.refresh_token), said(await show(machine, token, { attempt }))]
    },
  ],
  [
    'a new attempt after a lost answer, and the token that was taken back',
    async (side) => {
      const machine = await enrolled(side)
      const token = machine.refreshToken ?? ''
      const lost = await show(machine, token)
      const soon = await show(machine, token)
      // Until the nonce is certainly newer than the answer.
      await side.pass(3 * MINUTE)
      await show(machine, 'egs_1.x')
      const second = await show(machine, token)
      await side.pass(3 * MINUTE)
      await show(machine, 'egs_1.x')
      return [lost, soon, second, await show(machine, lost.json.refresh_token), await show(machine, second.json.refresh_token)].map(said)
    },
  ],
  [
    'a token that crosses with its successor, and the same one later',
    async (side) => {
      const machine = await enrolled(side)
      const token = machine.refreshToken ?? ''
      await machine.refresh()
      await machine.refresh()
      await side.pass(10 * SECOND)
      const before = machine.refreshToken ?? ''
      await machine.refresh()
      const next = machine.refreshToken ?? ''
      await show(machine, next)
      const crossing = await show(machine, next)
      await side.pass(5 * MINUTE)
      await show(machine, 'egs_1.x')
      return [crossing, await show(machine, before), await show(machine, token)].map(said)
    },
  ],
  [
    'Rotate',
    async (side) => {
      const machine = await enrolled(side)
      const token = machine.refreshToken ?? ''
      await side.rotate()
      return [await show(machine, token), await show(machine, token, { path: RECOVER }), await show(machine, token, { path: RECOVER })].map(said)
    },
  ],
  [
    'Cut off',
    async (side) => {
      const machine = await enrolled(side)
      await side.cutOff()
      const answers = [await show(machine, machine.refreshToken ?? ''), await show(machine, machine.refreshToken ?? '', { path: RECOVER })]
      return answers.map(({ status }) => String(status))
    },
  ],
  [
    'recovery of a token that is good',
    async (side) => {
      const machine = await enrolled(side)
      return [said(await show(machine, machine.refreshToken ?? '', { path: RECOVER }))]
    },
  ],
  [
    'another key, a forged token, and a text that is none',
    async (side) => {
      const [machine, thief] = [await enrolled(side), await AgentMachine.make(side.server)]
      const token = machine.refreshToken ?? ''
      const forged = `${token.slice(0, -4)}AAAA`
      return [await show(thief, token), await show(machine, forged), await show(machine, 'egs_1.x'), await show(machine, token)].map(said)
    },
  ],
  [
    'a lock, and Unlock and re-key without a new key',
    async (side) => {
      const machine = await enrolled(side)
      await side.lock()
      const locked = await show(machine, machine.refreshToken ?? '')
      await side.unlock()
      return [locked, await show(machine, machine.refreshToken ?? '')].map(said)
    },
  ],
  [
    'a proof that was used before, in an enrolment, a refresh, a recovery and a sign-out',
    async (side) => {
      const sent: Parameters<AgentServer['send']>[] = []
      const send: AgentServer['send'] = (...request) => {
        sent.push(request)
        return side.server.send(...request)
      }
      const machine = await AgentMachine.make({ ...side.server, send })
      await machine.enrol({ code: await side.code() })
      await machine.refresh()
      const token = machine.refreshToken ?? ''
      await show(machine, token, { path: RECOVER })
      await machine.post('/api/v1/auth/sdk/revoke', token, { refresh_token: token })
      const answers: string[] = []
      for (const request of [...sent]) answers.push(`${request[1]} ${said(await side.server.send(...request))}`)
      return answers
    },
  ],
  [
    'a proof for another credential',
    async (side) => {
      const machine = await enrolled(side)
      const token = machine.refreshToken ?? ''
      return [said(await machine.post(REFRESH, 'another', { refresh_token: token, attempt_id: AgentMachine.attempt() }))]
    },
  ],
]

describe('the fake server says what the real one says', () => {
  test.each(scripts)('%s', async (_title, script) => {
    const [ours, theirs] = [await script(fake()), await script(await real())]
    expect(ours).toEqual(theirs)
    expect(ours.length).toBeGreaterThan(0)
  })
})

test('a clock that a test holds runs what is due in its order, and can be taken back', async () => {
  const clock = createTestClock(0)
  const ran: string[] = []
  clock.after(20, () => ran.push('second'))
  clock.after(10, () => ran.push('first'))
  clock.after(15, () => ran.push('never'))()
  const waited = clock.wait(30).then(() => ran.push('waited'))
  await clock.advance(25)
  expect([ran, clock.now()]).toEqual([['first', 'second'], 25])
  await clock.advance(5)
  await waited
  expect(ran).toEqual(['first', 'second', 'waited'])
  const stop = new AbortController()
  const stopped = clock.wait(10, stop.signal)
  stop.abort(new Error('enough'))
  await expect(stopped).rejects.toThrow('enough')
  expect(clock.waiting()).toBe(0)
})
