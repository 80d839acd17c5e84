// What ASVS asks of the places where a password is typed: every form of ours that has one, as it is served.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openPeoplePages, type PeoplePages } from '../../testing/people-place.ts'
import { PAGE_SCRIPT } from './page-script.ts'

let place: PeoplePages
beforeAll(async () => {
  place = await openPeoplePages()
}, 60_000)
afterAll(() => place.close())

/** As long as a password may be (R61). */
const PASSWORD_MAX = 128
const PASSWORDS = /\b(?:name|autocomplete)="(?:password|current|current-password|new-password)"/

/** The inputs of a page that take a password, and what is wrong with them. */
function passwordFields(body: string): { readonly count: number; readonly wrong: readonly string[] } {
  const inputs = [...body.matchAll(/<input\b[^>]*>/g)].map(([text]) => text).filter((text) => PASSWORDS.test(text))
  const wrong = inputs.flatMap((text) => [
    ...(text.includes('type="password"') ? [] : [`shows what is typed: ${text}`]),
    ...(/autocomplete="(?:current|new)-password"/.test(text) ? [] : [`tells password managers nothing: ${text}`]),
    ...(Number(/maxlength="(\d+)"/.exec(text)?.[1] ?? Infinity) > PASSWORD_MAX ? [] : [`cuts what is pasted: ${text}`]),
    ...(/\b(?:readonly|onpaste|onbeforeinput|value="[^"]+")/.test(text) ? [`keeps something from being put in, or has something in it: ${text}`] : []),
  ])
  return { count: inputs.length, wrong }
}

/** The page behind a mailed link, as its own script opens it. */
async function opened(path: string, link: string | null): Promise<string> {
  const visitor = place.browser()
  await visitor.post(path, { token: link?.slice(link.indexOf('#') + 1) ?? '' })
  return (await visitor.get(path)).body
}

test('every field for a password hides it, takes a pasted one whole, and tells password managers what it is for (ASVS 6.2.6, 6.2.7)', async () => {
  const { identity } = place.services
  const setup = await identity.joining.setupToken()
  const setUp = setup === null ? '' : await opened('/auth/setup', `#${setup}`)
  const user = await place.person('ana@example.com')
  const visitor = await place.signedIn('ana@example.com')
  const actor = { kind: 'cli', id: null } as const
  const { link } = await identity.joining.invite(
    { organization: place.organization, email: 'ben@example.com', role: 'member', name: null, actor, inviter: null },
    false,
  )
  const pages = {
    'sign-in': [(await place.browser().get('/auth/sign-in')).body, 1],
    'sign-in, refused': [(await place.browser().post('/auth/sign-in', { email: 'ana@example.com', password: 'not it at all' })).body, 1],
    confirm: [(await visitor.get('/auth/confirm')).body, 1],
    security: [(await visitor.get('/me/security')).body, 2],
    setup: [setUp, 1],
    invitation: [await opened('/auth/invitation', link), 1],
    reset: [await opened('/auth/reset', await identity.accounts.resetFor(user.id, 'link')), 1],
  } as const
  for (const [name, [body, count]] of Object.entries(pages)) expect([name, passwordFields(body)]).toEqual([name, { count, wrong: [] }])
})

test('no page, no script and no view of the console stands between a paste or a password manager and a field (ASVS 6.2.7)', () => {
  const hinders = /onpaste|onPaste|['"]paste['"]|onbeforeinput|onBeforeInput|user-select:\s*none[^}]*input/
  const root = join(import.meta.dirname, '../../../../..')
  const sources = globSync('packages/{evergrant/src/http,console/src,sdk/src}/**/*.{ts,tsx,css}', { cwd: root }).filter((path) => !path.includes('.test.'))
  expect(sources.length).toBeGreaterThan(300)
  expect(sources.filter((path) => hinders.test(readFileSync(join(root, path), 'utf8')))).toEqual([])
  expect(PAGE_SCRIPT).not.toMatch(hinders)
  expect(hinders.test('<input onPaste={stop}>')).toBe(true)
})

test('a field that shows the password, cuts it, or refuses a paste would be found', () => {
  const sound = '<input type="password" name="password" autocomplete="current-password" maxlength="1024" value="">'
  expect(passwordFields(sound)).toEqual({ count: 1, wrong: [] })
  const broken = [
    sound.replace('type="password"', 'type="text"'),
    sound.replace('current-password', 'off'),
    sound.replace('1024', '64'),
    sound.replace('value=""', 'onpaste="return false"'),
    sound.replace('value=""', 'value="secret"'),
  ]
  for (const text of broken) expect([text, passwordFields(text).wrong.length]).toEqual([text, 1])
})
