// The programs of a person at /me/programs: without a script, and of nobody else.
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { UserId } from '../../core/ids.ts'
import { enrolMachine } from '../../testing/enrolled-machine.ts'
import { openPeoplePages, type PeoplePages } from '../../testing/people-place.ts'

let place: PeoplePages
beforeAll(async () => {
  place = await openPeoplePages()
}, 60_000)
afterAll(() => place.close())

let people = 0
async function somebody() {
  people += 1
  const email = `person${people}@example.com`
  const user = await place.person(email)
  return { user, program: `weather ${people}`, visitor: await place.signedIn(email) }
}
const enrol = (owner: UserId, name: string) => enrolMachine(place, { organization: place.organization, owner, name })
const statusOf = async (id: `ins_${string}`) => (await place.store.installations.get(id))?.installation.status
const headOf = async (id: `ins_${string}`) => (await place.store.installations.tokensOf(id, 1))[0]

test('of the person alone are listed; an empty page says what will be there', async () => {
  const [one, other] = [await somebody(), await somebody()]
  expect((await one.visitor.get('/me/programs')).body).toContain('No program of yours is enrolled')
  await enrol(one.user.id, one.program)
  await enrol(other.user.id, 'somebody else’s')
  const { body } = await one.visitor.get('/me/programs')
  expect(body).toContain(one.program)
  expect(body).toContain('Works')
  expect(body).not.toContain('somebody else')
  expect(body).not.toMatch(/<script|egs_1/)
})

test('are rotated with one press, and named for screen readers', async () => {
  const { user, program, visitor } = await somebody()
  const { id } = await enrol(user.id, program)
  expect((await visitor.get('/me/programs')).body).toContain(`Rotate<span class="unseen"> ${program} on web-2`)
  expect((await visitor.post(`/me/programs/${id}/rotate`)).location).toBe('/me/programs?done=program_rotated')
  expect(await headOf(id)).toMatchObject({ state: 'revoked', revokeClass: 'hygiene', ticket: true })
  const page = (await visitor.get('/me/programs?done=program_rotated')).body
  expect(page).toContain('fetches a new token by itself')
  expect(page).toContain('It fetches a new token when it runs next.')
})

test('are cut off after a question; looking at the question changes nothing', async () => {
  const { user, program, visitor } = await somebody()
  const { id } = await enrol(user.id, program)
  expect((await visitor.get(`/me/programs/${id}/cut-off`)).body).toContain(`Cut off ${program}?`)
  expect(await statusOf(id)).toBe('active')
  expect((await visitor.postFrom('https://evil.example', `/me/programs/${id}/cut-off`)).status).toBe(403)
  expect(await statusOf(id)).toBe('active')
  expect((await visitor.post(`/me/programs/${id}/cut-off`)).location).toBe('/me/programs?done=program_cut_off')
  expect([await statusOf(id), (await headOf(id))?.revokeClass]).toEqual(['retired', 'owner_request'])
  expect((await visitor.get('/me/programs')).body).toContain('Ended (1)')
})

test('are rotated and cut off all at once', async () => {
  const { user, visitor } = await somebody()
  const made = [await enrol(user.id, 'one'), await enrol(user.id, 'two')]
  await visitor.post('/me/programs/rotate')
  expect(await Promise.all(made.map(async ({ id }) => (await headOf(id))?.revokeClass))).toEqual(['hygiene', 'hygiene'])
  expect((await visitor.get('/me/programs/cut-off')).body).toContain('2 machines lose access')
  await visitor.post('/me/programs/cut-off')
  expect(await Promise.all(made.map(({ id }) => statusOf(id)))).toEqual(['retired', 'retired'])
})

test('of somebody else are as unknown as programs that never were', async () => {
  const [one, other] = [await somebody(), await somebody()]
  const { id } = await enrol(other.user.id, other.program)
  for (const wanted of [id, 'ins_01990f7e-0000-7000-8000-000000000000', 'nonsense', '..%2f..']) {
    expect((await one.visitor.get(`/me/programs/${wanted}/cut-off`)).status, wanted).toBe(404)
    for (const verb of ['rotate', 'cut-off']) expect((await one.visitor.post(`/me/programs/${wanted}/${verb}`)).status, `${wanted} ${verb}`).toBe(404)
  }
  expect(await statusOf(id)).toBe('active')
})

test('need somebody who is signed in, and lead to signing in and back', async () => {
  const { user, program } = await somebody()
  const { id } = await enrol(user.id, program)
  expect((await place.browser().post(`/me/programs/${id}/cut-off`)).location).toBe('/auth/sign-in?return_url=%2Fme%2Fprograms')
  expect(await statusOf(id)).toBe('active')
})
