// What people do at a server below a path: become the owner, connect, look, sign out and in again, and read tokens with the SDK.
import { chromiumPath, consentAtPractice, launchBrowser } from '../../packages/lab/src/browser.ts'
import { createClient } from '../../packages/sdk/src/index.ts'

const PERSON = { email: 'operator@example.com', password: 'a demo password of nobody', name: 'Operator' }
const STREAM_MS = 5_000

/** @param {{ readonly url: string, readonly setupUrl: string }} at */
export async function journeyBelow(at, say, leave) {
  if (chromiumPath() === null) return leave('a browser goes through nginx', 'Chromium is not installed')
  const browser = await launchBrowser()
  try {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 } })
    context.setDefaultTimeout(60_000)
    const page = await context.newPage()
    const refused = []
    page.on('console', (message) => message.text().includes('Content Security Policy') && refused.push(message.text()))
    page.on(
      'response',
      (response) => response.status() >= 404 && !response.url().endsWith('/favicon.ico') && refused.push(`${response.status()} ${response.url()}`),
    )
    await becomeOwner(page, at, say)
    await connectPractice(context, page, say)
    await lookAround(page, at, say)
    const token = await bearer(at.url)
    await stream(at.url, token, say)
    await readTokens(at.url, token, say)
    await signOutAndIn(page, at, say)
    say('nothing was missing, and no content policy was broken', refused.length === 0, refused.slice(0, 5).join(' | '))
  } finally {
    await browser.close()
  }
}

async function becomeOwner(page, { url, setupUrl }, say) {
  await page.goto(setupUrl)
  await page.fill('input[name=email]', PERSON.email)
  if ((await page.locator('input[name=name]').count()) > 0) await page.fill('input[name=name]', PERSON.name)
  for (const field of await page.locator('input[type=password]').all()) await field.fill(PERSON.password)
  await page.click('button[type=submit]')
  await page.waitForURL(`${url}/console/**`)
  await page.waitForSelector('h1:has-text("See it work")')
  say('the first owner is made, and lands in the console below the path', true)
}

async function connectPractice(context, page, say) {
  const [tab] = await Promise.all([context.waitForEvent('page'), page.click('button:has-text("Connect a practice account")')])
  await tab.waitForURL(/\/connect\//)
  await tab.locator('form button.primary, form button[type=submit]').first().click()
  await tab.waitForSelector('input[name=other_account]')
  await consentAtPractice(tab, 'ada-demo')
  await page.waitForSelector('li[aria-current=step] h2:has-text("Watch it being renewed")')
  say('an account is connected: the redirect URI is below the path, and the open page sees it come', true)
  await page.click('button:has-text("Refresh now")')
  await page.waitForSelector('li[aria-current=step] h2:has-text("Break it")')
  say('it is renewed from the console', true)
}

async function lookAround(page, { url }, say) {
  const seen = []
  for (const path of [
    '/console/connections',
    '/console/alerts',
    '/console/keys',
    '/me',
    '/me/programs',
    '/me/devices',
    '/me/security',
    '/me/data',
    '/docs/api',
    '/docs/errors',
    '/docs/runbooks',
    '/try',
  ]) {
    const answer = await page.goto(url + path, { waitUntil: 'load' })
    await page.waitForSelector('h1')
    const outside = await page.$$eval(
      '[href], [src], [action]',
      (nodes, base) =>
        nodes
          .map((node) => node.href?.baseVal ?? node.href ?? node.src ?? node.action)
          .filter((address) => typeof address === 'string' && address.startsWith(new URL(base).origin) && !address.startsWith(`${base}/`)),
      url,
    )
    if (answer.status() !== 200 || outside.length > 0 || (await page.title()) === '') seen.push(`${path}: ${answer.status()} ${outside.slice(0, 2).join(' ')}`)
  }
  say('the console, the pages of people and the documentation lead nowhere else', seen.length === 0, seen.join('; '))
}

async function bearer(url) {
  const answer = await fetch(`${url}/api/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: PERSON.email, password: PERSON.password, mode: 'bearer' }),
  })
  return (await answer.json()).access_token
}

const api = (url, token, path, body) =>
  fetch(`${url}/api/v1/${path}`, {
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
  })

/** An event has to arrive while the stream is open, not when it ends. */
async function stream(url, token, say) {
  const begun = await api(url, token, 'console/stream')
  const reader = begun.body.pipeThrough(new TextDecoderStream()).getReader()
  await api(url, token, 'api-keys', { name: 'seen in the stream', scopes: ['tokens:read'] })
  const deadline = performance.now() + STREAM_MS
  let text = ''
  while (!text.includes('api_key') && performance.now() < deadline) {
    const next = await Promise.race([reader.read(), new Promise((resolve) => setTimeout(resolve, deadline - performance.now(), null))])
    if (next === null || next.done) break
    text += next.value
  }
  await reader.cancel()
  say('an event comes through nginx while its stream is open', text.includes('api_key'), `${begun.status} ${text.slice(0, 200)}`)
}

async function readTokens(url, token, say) {
  const made = await (await api(url, token, 'api-keys', { name: 'sdk', scopes: ['tokens:read', 'connections:read'] })).json()
  if (made.key === undefined) return say('a key is made below the path', false, JSON.stringify(made))
  const { key } = made
  const client = createClient({ url: url, apiKey: key })
  const { items } = await client.connections.list()
  const { access_token: text } = await client.connections.token(items[0].id)
  say('the SDK reads a token with the address that has the path', typeof text === 'string' && text !== '')
}

async function signOutAndIn(page, { url }, say) {
  await page.goto(`${url}/me`)
  await page.click('button:has-text("Sign out")')
  await page.waitForURL(`${url}/auth/signed-out`)
  await page.goto(`${url}/console/connections`)
  await page.waitForURL((address) => address.pathname.endsWith('/auth/sign-in'))
  await page.fill('input[name=email]', PERSON.email)
  await page.fill('input[name=password]', PERSON.password)
  await page.click('form:has(input[name=password]) button[type=submit]')
  await page.waitForURL(`${url}/console/connections`)
  say('signing out and in again leads back to the page that was asked for', true)
}
