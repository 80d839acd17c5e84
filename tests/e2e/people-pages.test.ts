// The pages for people, in a real browser, against a real server, npm `oidc-provider` and the practice provider: each in a process of its own.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { TOTP } from 'otpauth'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { tooWide, violationsOf, wear } from '../../packages/console/dev/judge.ts'
import { chromiumPath, consentAtPractice, launchBrowser, signInAndAllow } from '../../packages/lab/src/browser.ts'
import { freePort } from '../../packages/lab/src/free-port.ts'
import { at, type JsonClient, textAt } from '../../packages/lab/src/http.ts'
import { OIDC_CLIENT, type OidcProcess, startOidcProcess } from '../../packages/lab/src/oidc-process.ts'
import { type PracticeProcess, startPracticeProcess } from '../../packages/lab/src/practice-process.ts'
import { ServerProcess } from '../../packages/lab/src/server-process.ts'

const PASSWORD = 'correct kettle battery orbit'
/** A folder: every page that is judged is also kept as a picture. */
const PICTURES = process.env['EVERGRANT_PICTURES']

let browser: Browser
let server: ServerProcess
let issuer: OidcProcess
let practice: PracticeProcess
let api: JsonClient
let url = ''

beforeAll(async () => {
  if (chromiumPath() === null) return
  // By name: passkeys belong to a domain, and an address is none.
  const port = await freePort()
  url = `http://localhost:${port}`
  server = await ServerProcess.start({ port, env: { EVERGRANT_PUBLIC_URL: url, EVERGRANT_ORGANIZATION_NAME: 'Acme Reports' } })
  const redirectUris = [`${url}/connect/callback/company`]
  ;[issuer, practice, browser, api] = await Promise.all([startOidcProcess({ redirectUris }), startPracticeProcess(), launchBrowser(), server.client()])
  const oidc = { provider: 'oidc', settings: { sign_in: { create_users: true } } }
  const company = { ...oidc, slug: 'company', name: 'Company login', client_id: OIDC_CLIENT.clientId, client_secret: OIDC_CLIENT.clientSecret }
  await made(api.post('/integrations', { ...company, scopes: ['openid', 'email'], variables: { issuer: issuer.issuer } }))
  const notes = { ...oidc, slug: 'notes', name: 'Practice Notes', client_id: 'practice', client_secret: 'practice-secret' }
  await made(api.post('/integrations', { ...notes, scopes: ['openid', 'email', 'offline_access', 'notes:read'], variables: { issuer: `${practice.url}/p4` } }))
}, 120_000)
afterAll(async () => {
  await browser?.close()
  await Promise.all([issuer?.stop(), practice?.stop(), server?.dispose()])
})

async function made(reply: ReturnType<JsonClient['post']>): Promise<Awaited<ReturnType<JsonClient['post']>>> {
  const { status, text } = await reply
  expect(status, text).toBeLessThan(300)
  return reply
}

async function connectionsOf(owner: string): Promise<readonly { readonly id: string; readonly integration: string; readonly status: string }[]> {
  const { body } = await api.get(`/connections?owner=${encodeURIComponent(owner)}`)
  return at(body, 'items') as never
}

async function signIn(page: Page, email: string, password = PASSWORD): Promise<void> {
  await page.goto(`${url}/auth/sign-in`)
  await page.fill('input[name=email]', email)
  await page.fill('input[name=password]', password)
  await page.click('button:has-text("Sign in") >> nth=0')
}

/** The consent page of the practice provider, decided by hand: where the browser would be sent. */
async function decided(authorizeUrl: string, account: string): Promise<string> {
  const { searchParams } = new URL(authorizeUrl)
  const form = new URLSearchParams({ decision: 'allow', other_account: account })
  for (const [name, value] of searchParams) form.append(`request.${name}`, value)
  for (const scope of (searchParams.get('scope') ?? '').split(' ')) form.append('scope', scope)
  const answer = await fetch(new URL('decision', authorizeUrl), { method: 'POST', body: form, redirect: 'manual' })
  return answer.headers.get('location') ?? ''
}

/** As an operator on the machine hands it over. */
async function invitationFor(email: string): Promise<string> {
  const { code, output } = await server.cli(['users', 'create', '--email', email, '--role', 'member', '--json'])
  const link = /"(http[^"]+\/auth\/invitation#[^"]+)"/.exec(output)?.[1]
  if (code !== 0 || link === undefined) throw new Error(`no invitation was made (exit ${code}):\n${output}`)
  return link
}

/** The person whose page this is, as the server says. */
async function ownerOn(context: BrowserContext): Promise<string> {
  const page = await context.newPage()
  await page.goto(`${url}/me/data`)
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('button:has-text("Export my data")')])
  const exported = JSON.parse(await streamText(await download.createReadStream())) as { readonly owner: string }
  await page.close()
  return exported.owner
}

async function streamText(stream: NodeJS.ReadableStream): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of stream) parts.push(Buffer.from(part as Buffer))
  return Buffer.concat(parts).toString('utf8')
}

describe.skipIf(chromiumPath() === null)('signing in through a provider', () => {
  test.each([
    ['npm oidc-provider', 'Company login', 'company', signInAndAllow],
    ['the practice provider', 'Practice Notes', 'notes', consentAtPractice],
  ] as const)('%s: a person and a connection the first time, the same ones ever after', { timeout: 60_000 }, async (_what, name, slug, consent) => {
    const context = await browser.newContext({ javaScriptEnabled: false })
    const page = await context.newPage()
    const through = async () => {
      await page.goto(`${url}/auth/sign-in`)
      await page.click(`a:has-text("Continue with ${name}")`)
      expect(await page.textContent('main')).toContain('Acme Reports')
      await page.click(`button:has-text("Continue to ${name}")`)
      await consent(page, 'nora')
      await page.waitForURL(`${url}/me`)
    }
    await through()
    expect(await page.textContent('h1')).toBe('Your connections')
    const owner = await ownerOn(context)
    const [first, ...more] = await connectionsOf(owner)
    expect(more).toEqual([])
    expect(first).toMatchObject({ integration: slug, status: 'active' })

    await page.click('button:has-text("Sign out")')
    expect(await page.textContent('h1')).toBe('You are signed out')
    await page.goto(`${url}/me`)
    expect(page.url()).toContain('/auth/sign-in')

    await through()
    expect(await ownerOn(context)).toBe(owner)
    expect((await connectionsOf(owner)).map(({ id }) => id)).toEqual([first?.id])
    await context.close()
  })

  test('another browser cannot finish the first one’s flow', { timeout: 60_000 }, async () => {
    const [first, second] = [await browser.newContext(), await browser.newContext()]
    const page = await first.newPage()
    await page.goto(`${url}/auth/sign-in/notes`)
    await page.click('button:has-text("Continue to")')
    const callback = await decided(page.url(), 'mallory')
    const other = await second.newPage()
    await other.goto(callback)
    expect(await other.textContent('h1')).toBe('This was started in another browser')
    await other.goto(`${url}/me`)
    expect(other.url()).toContain('/auth/sign-in')
    await page.goto(callback)
    expect(page.url()).toBe(`${url}/me`)
    await Promise.all([first.close(), second.close()])
  })
})

describe.skipIf(chromiumPath() === null)('somebody who was invited', () => {
  test('follows the link, adds a passkey and signs in with it alone', { timeout: 60_000 }, async () => {
    const context = await browser.newContext()
    const page = await context.newPage()
    const devtools = await context.newCDPSession(page)
    await devtools.send('WebAuthn.enable')
    const options = {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    }
    await devtools.send('WebAuthn.addVirtualAuthenticator', { options: options as never })
    await page.goto(await invitationFor('pia@example.com'))
    await page.getByText('pia@example.com').waitFor()
    expect(page.url()).toBe(`${url}/auth/invitation`)
    await page.fill('input[name=password]', PASSWORD)
    await page.click('button:has-text("Accept and sign in")')
    await page.waitForURL(`${url}/me?done=welcome`)
    await page.goto(`${url}/me/security`)
    await page.click('button:has-text("Add a passkey")')
    await page.getByText('Your recovery codes').waitFor()
    await page.goto(`${url}/me`)
    await page.click('button:has-text("Sign out")')
    await page.goto(`${url}/auth/sign-in`)
    await page.click('button:has-text("Sign in with a passkey")')
    await page.waitForURL(`${url}/me`)
    expect(await page.textContent('h1')).toBe('Your connections')
    await context.close()
  })
})

/** The page as it stands is accessible and fits its window; kept as a picture where one is wanted. */
async function judge(page: Page, name: string): Promise<void> {
  expect(await violationsOf(page, 'everything'), name).toEqual([])
  expect(await tooWide(page), name).toEqual([])
  if (PICTURES === undefined) return await judgeElsewhere(page, name)
  mkdirSync(PICTURES, { recursive: true })
  await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true })
}

/** The other theme changes colours and the other width the layout: neither needs the page anew. */
async function judgeElsewhere(page: Page, name: string): Promise<void> {
  await page.setViewportSize({ width: 1_280, height: 900 })
  expect(await tooWide(page), `${name} at 1280`).toEqual([])
  await wear(page, 'dark')
  expect(await violationsOf(page, 'colours'), `${name} in the dark`).toEqual([])
  await wear(page, 'light')
  await page.setViewportSize({ width: 390, height: 900 })
}

const WIDEST = (process.env['EVERGRANT_PICTURE_WIDTHS'] ?? '').includes('1920') ? [1920] : []
/** Pictures are of every look for itself. */
const looks =
  PICTURES === undefined
    ? ([{ width: 390, colorScheme: 'light' }] as const)
    : [1280, 390, ...WIDEST].flatMap((width) => (['light', 'dark'] as const).map((colorScheme) => ({ width, colorScheme })))

describe.skipIf(chromiumPath() === null)('every page', () => {
  test.each(looks)('is accessible at $width px, $colorScheme, before anybody is signed in', { timeout: 120_000 }, async ({ width, colorScheme }) => {
    const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme })
    const page = await context.newPage()
    const see = async (path: string, name: string) => {
      await page.goto(path.startsWith('http') ? path : url + path)
      await judge(page, `${name}-${width}-${colorScheme}`)
    }
    await see('/auth/sign-in', 'sign-in')
    await page.fill('input[name=email]', 'nobody@example.com')
    await page.fill('input[name=password]', 'not it at all')
    await page.click('form >> button >> nth=0')
    await judge(page, `sign-in-refused-${width}-${colorScheme}`)
    await see('/auth/sign-in/company', 'provider')
    await see('/auth/forgot', 'forgot')
    await see('/auth/forgot?done=sent', 'forgot-sent')
    await see('/auth/invitation', 'link-unread')
    await page.goto(await invitationFor(`invited-${width}-${colorScheme}@example.com`))
    await page.getByText('You were invited').waitFor()
    await judge(page, `invitation-${width}-${colorScheme}`)
    await page.fill('input[name=password]', 'short')
    await page.click('button:has-text("Accept")')
    await judge(page, `invitation-refused-${width}-${colorScheme}`)
    await see(`/auth/reset#${'A'.repeat(43)}`, 'link-spent')
    await see('/auth/signed-out', 'signed-out')
    await see('/auth/sign-in/nowhere', 'not-found')
    const link = textAt(await made(api.post('/owners/customer-7/page', {})), 'url')
    await see(link, 'visit-link')
    await page.click('button:has-text("Open my connections")')
    await judge(page, `visit-${width}-${colorScheme}`)
    await context.close()
  })

  test.each(looks)('is accessible at $width px, $colorScheme, to who is signed in', { timeout: 120_000 }, async ({ width, colorScheme }) => {
    const email = `ana-${width}-${colorScheme}@example.com`
    const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme })
    const page = await context.newPage()
    await page.goto(await invitationFor(email))
    await page.fill('input[name=password]', PASSWORD)
    await page.fill('input[name=name]', 'Ana Beispiel')
    await page.click('button:has-text("Accept")')
    await judge(page, `me-empty-${width}-${colorScheme}`)
    const owner = await ownerOn(context)
    const connection = await connectAll(owner, `${width}-${colorScheme}`)
    const see = async (path: string, name: string) => {
      await page.goto(url + path)
      await judge(page, `${name}-${width}-${colorScheme}`)
    }
    await see('/me', 'me')
    await page.click('summary:has-text("What the application may do") >> nth=0')
    await judge(page, `me-permissions-${width}-${colorScheme}`)
    await see(`/me/connections/${connection}/disconnect`, 'disconnect')
    await signIn(await (await browser.newContext()).newPage(), email)
    await see('/me/programs', 'programs')
    await see('/me/devices', 'devices')
    await see('/me/security', 'security')
    await see('/auth/sign-in/notes', 'provider-add')
    await see('/auth/confirm?return_url=%2Fme%2Fdata', 'confirm')
    await see('/me/data', 'data')
    await see('/me/data/erase', 'erase')
    await page.click('button:has-text("Erase me now")').catch(() => {})
    await page.fill('input[name=word]', 'no')
    await page.click('button:has-text("Erase me now")')
    await judge(page, `erase-refused-${width}-${colorScheme}`)
    await page.goto(`${url}/me/security`)
    await page.click('button:has-text("Add an authenticator app")')
    await judge(page, `totp-${width}-${colorScheme}`)
    const secret = ((await page.textContent('.key code')) ?? '').replaceAll(' ', '')
    await page.fill('input[name=code]', new TOTP({ secret }).generate())
    await page.click('button:has-text("Turn it on")')
    await judge(page, `codes-${width}-${colorScheme}`)
    await see('/me/security?done=factor_added', 'security-factor')
    await page.click('a:has-text("Remove")')
    await judge(page, `remove-factor-${width}-${colorScheme}`)
    await see('/auth/confirm', 'confirm-factor')
    await page.goto(`${url}/me`)
    await page.click('button:has-text("Sign out")')
    await signIn(page, email)
    await judge(page, `second-step-${width}-${colorScheme}`)
    await context.close()
  })

  test('is judged by something that sees a text too pale', async () => {
    const page = await browser.newPage()
    await page.goto(`${url}/auth/sign-in`)
    await page.evaluate(() => document.documentElement.style.setProperty('--soft', '#d0d0d0'))
    expect((await violationsOf(page, 'everything')).map((text) => text.split(':')[0])).toContain('color-contrast')
    await page.close()
  })

  test('works by keyboard, and its focus is seen', async () => {
    const page = await browser.newPage()
    await page.goto(`${url}/auth/forgot`)
    await page.waitForFunction(() => document.activeElement?.tagName === 'INPUT')
    await page.keyboard.press('Tab')
    const focused = await page.evaluate(() => {
      const { outlineStyle } = getComputedStyle(document.activeElement ?? document.body)
      return { tag: document.activeElement?.tagName, outlineStyle }
    })
    expect(focused).toEqual({ tag: 'BUTTON', outlineStyle: 'solid' })
    await page.close()
  })
})

/** Connections of every state that a person may meet. Returns one that works. */
async function connectAll(owner: string, tag: string): Promise<string> {
  const ids: Record<string, string> = {}
  for (const state of ['works', 'ended', 'paused', 'over']) {
    const account = `${state}-${tag}`
    const issued = await made(practice.control.post('/grants', { profile: 'p4', account, access_seconds: 3_600 }))
    const grant = { integration: 'notes', owner, account, account_label: `${state}@example.com`, scopes: ['openid', 'email', 'notes:read'] }
    const expires_at = new Date(Date.now() + 3_600_000).toISOString()
    const tokens = { access_token: textAt(issued, 'access_token'), refresh_token: textAt(issued, 'refresh_token'), expires_at }
    ids[state] = textAt(await made(api.post('/connections', { ...grant, ...tokens })), 'id')
    if (state === 'ended') {
      await made(practice.control.post('/revoke', { grant: textAt(issued, 'grant') }))
      await api.post(`/connections/${ids[state]}/refresh`)
    }
  }
  await made(api.post(`/connections/${ids['paused']}/pause`))
  await made(api.post(`/connections/${ids['over']}/disconnect`))
  return ids['works'] ?? ''
}
