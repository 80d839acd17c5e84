// Who may undo what: stops of the whole organization hold against the owner of a program, and a person is asked once.
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { DAY, HOUR, MINUTE } from '../core/time.ts'
import { type AgentLab, createAgentLab } from '../testing/agent-lab.ts'
import { installationDesk } from '../testing/installation-desk.ts'
import { signIn } from '../testing/people.ts'

let lab: AgentLab
let agent: string
beforeEach(async () => {
  lab = await createAgentLab()
  agent = await lab.agent({ access: ['proxy'] })
})

const { enrolled, post, read, recover } = installationDesk(() => ({ lab, agent }))

describe('what somebody of the whole organization stopped', () => {
  test('is not undone by the member who owns the program: a lock, also one that they had set before, and a blocked recovery', async () => {
    const member = (await signIn(lab, { role: 'member', organization: lab.organization })) as { id: string; token: string }
    const { id } = await enrolled(await lab.agent({}, { owner: member.id }))
    const at = `installations/${id}`
    const patch = (recovery: string, key?: string) => lab.call('PATCH', `/api/v1/${at}`, { body: { recovery }, ...(key === undefined ? {} : { key }) })
    await post(`${at}/lock`, {}, member.token)
    expect((await post(`${at}/unlock`, {}, member.token)).json.status).toBe('active')
    await post(`${at}/lock`, {}, member.token)
    expect((await post(`${at}/lock`)).json.status).toBe('locked')
    expect((await post(`${at}/unlock`, {}, member.token)).json).toMatchObject({ status: 403, code: 'role_missing' })
    expect((await post(`${at}/unlock`)).json.status).toBe('active')
    expect((await patch('blocked', member.token)).json.status).toBe('recovery_blocked')
    expect((await patch('allowed', member.token)).json.status).toBe('active')
    expect((await patch('blocked')).json.status).toBe('recovery_blocked')
    expect((await patch('blocked', member.token)).json.status).toBe('recovery_blocked')
    expect((await patch('allowed', member.token)).json.code).toBe('role_missing')
    await post(`${at}/lock`, {}, member.token)
    expect((await post(`${at}/unlock`, {}, member.token)).json.code).toBe('role_missing')
    expect((await patch('allowed')).json.code).toBe('conflict')
  })
})

describe('what somebody of the whole organization stops at the very moment', () => {
  const meanwhile = async (
    stop: (id: string) => Promise<unknown>,
    asked: (at: string, token: string) => Promise<{ json: { code?: string } }>,
    locked: boolean,
  ) => {
    const member = (await signIn(lab, { role: 'member', organization: lab.organization })) as { id: string; token: string }
    const { id } = await enrolled(await lab.agent({}, { owner: member.id }))
    if (locked) await post(`installations/${id}/lock`, {}, member.token)
    else await lab.call('PATCH', `/api/v1/installations/${id}`, { body: { recovery: 'blocked' }, key: member.token })
    const { get } = lab.store.installations
    let first = true
    vi.spyOn(lab.store.installations, 'get').mockImplementation(async (wanted) => {
      const found = await get(wanted)
      if (first && wanted === id) {
        first = false
        await stop(id)
      }
      return found
    })
    const answer = await asked(`installations/${id}`, member.token)
    vi.restoreAllMocks()
    return { code: answer.json.code, status: (await read(`installations/${id}`)).status }
  }

  test('is not undone by an unlock that was decided before', async () => {
    const unlock = (at: string, token: string) => post(`${at}/unlock`, {}, token)
    expect(await meanwhile((id) => post(`installations/${id}/lock`), unlock, true)).toEqual({ code: 'role_missing', status: 'locked' })
  })

  test.each(['allowed', 'blocked'])('is not undone by a recovery that is %s by somebody who decided before', async (recovery) => {
    const block = (id: string) => lab.call('PATCH', `/api/v1/installations/${id}`, { body: { recovery: 'blocked' } })
    const change = (at: string, token: string) => lab.call('PATCH', `/api/v1/${at}`, { body: { recovery }, key: token })
    const { code, status } = await meanwhile(block, change, false)
    expect([code, status]).toEqual([recovery === 'allowed' ? 'role_missing' : undefined, 'recovery_blocked'])
    const [{ id }] = (await read('installations')).items
    const [{ owner }] = (await read('agents')).items
    expect((await lab.store.installations.get(id))?.installation.stoppedBy?.whole, owner).toBe(true)
  })
})

describe('the recovery of an installation', () => {
  test('is blocked and allowed for it alone: it works as long as its token does', async () => {
    const { machine, id } = await enrolled()
    const patch = async (recovery: string) => (await lab.call('PATCH', `/api/v1/installations/${id}`, { body: { recovery } })).json.status
    expect(await patch('blocked')).toBe('recovery_blocked')
    expect((await machine.refresh()).status).toBe(200)
    await post(`installations/${id}/rotate`)
    expect((await recover(machine)).json.code).toBe('recovery_disabled')
    expect(await patch('allowed')).toBe('active')
    expect((await recover(machine)).status).toBe(200)
    await post(`installations/${id}/cut-off`)
    expect((await lab.call('PATCH', `/api/v1/installations/${id}`, { body: { recovery: 'allowed' } })).json.code).toBe('conflict')
  })

  test('that its agent or its organization switched off is not switched on by its own mode', async () => {
    const { machine, id } = await enrolled()
    await lab.call('PATCH', `/api/v1/installations/${id}`, { body: { recovery_mode: 'relaxed' } })
    await lab.call('PATCH', `/api/v1/agents/${agent}`, { body: { recovery: { mode: 'off' } } })
    await post(`installations/${id}/rotate`)
    expect((await recover(machine)).json.code).toBe('recovery_disabled')
    await lab.call('PATCH', `/api/v1/agents/${agent}`, { body: { recovery: {} } })
    expect((await recover(machine)).status).toBe(200)
  })

  test('is asked for once, however many attempts ask, and what was approved holds for the next one for an hour', async () => {
    await lab.call('PATCH', `/api/v1/agents/${agent}`, { body: { recovery: { mode: 'approve', max_offline_days: 365 } } })
    const { machine } = await enrolled()
    await lab.time.advance(91 * DAY)
    const first = await recover(machine)
    expect(first.status).toBe(202)
    for (let attempt = 0; attempt < 3; attempt++) expect((await recover(machine)).json.approval.id).toBe(first.json.approval.id)
    expect((await read('approvals?status=pending')).items).toHaveLength(1)
    expect((await read('events?type=recovery.requested')).items).toHaveLength(1)
    await post(`approvals/${first.json.approval.id}/approve`)
    await lab.time.advance(HOUR + MINUTE)
    const late = await recover(machine)
    expect([late.status, late.json.approval?.id === first.json.approval.id]).toEqual([202, false])
    await post(`approvals/${late.json.approval.id}/approve`)
    expect((await recover(machine)).status).toBe(200)
  })
})
