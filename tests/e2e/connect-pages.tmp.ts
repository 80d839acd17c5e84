import { newId } from '../../packages/evergrant/src/core/ids.ts'
import { defineProvider } from '../../packages/evergrant/src/providers/define.ts'
import { systemEntropy } from '../../packages/evergrant/src/system.ts'
import { startConnectBench } from '../../packages/evergrant/src/testing/connect-bench.ts'
import { api } from '../../packages/evergrant/src/testing/connect-visitor.ts'
import { consentAtPractice, launchBrowser } from '../../packages/lab/src/browser.ts'
import { freePort } from '../../packages/lab/src/free-port.ts'

const port = await freePort()
const org = newId('org', systemEntropy)
const publicUrl = `http://localhost:${port}`
const bench = await startConnectBench({
  publicUrl,
  tryItAs: org,
  records: [
    defineProvider({
      id: 'withvars',
      name: 'Shopware',
      variables: { shop: { label: 'Your shop', pattern: '[a-z0-9-]+', example: 'blue-shoes', askedOf: 'connection' } },
      authorize: { url: 'https://{shop}.example.com/authorize', defaultScopes: ['openid'] },
      token: { url: 'https://{shop}.example.com/token' },
      sources: [],
    }),
  ],
})
const { key } = await bench.organization('Acme Reports', org)
const ret = `${publicUrl}/try/return`
await bench.integration(org, 'practice', {
  name: 'Practice Provider',
  settings: { returnUrls: [ret] },
  scopes: ['openid', 'email', 'offline_access', 'notes:read', 'notes:write'],
})
await bench.integration(org, 'xero', { provider: 'oidc' })
await bench.app.listen({ port, host: '127.0.0.1' })
const browser = await launchBrowser()
const context = await browser.newContext()
const page = await context.newPage()
page.on('console', (m) => console.log('console:', m.text()))
let n = 0
async function shoot(name: string) {
  n++
  for (const [width, height] of [
    [1280, 800],
    [390, 780],
  ] as const)
    for (const scheme of ['light', 'dark'] as const) {
      await page.setViewportSize({ width, height })
      await page.emulateMedia({ colorScheme: scheme })
      await page.screenshot({ path: `/tmp/shots/${String(n).padStart(2, '0')}-${name}-${width}-${scheme}.png`, fullPage: true })
      const over = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth)
      if (over) console.log('OVERFLOW', name, width)
    }
}
await page.goto(publicUrl)
await shoot('try-start')
await page.click('text=Connect practice account')
await shoot('landing')
await page.click('text=Continue to')
console.log(page.url())
await consentAtPractice(page, 'ada', 'allow')
console.log(page.url())
await shoot('try-connected')
await page.click('button:has-text("Refresh now")')
await shoot('try-refreshed')
await page.click('button:has-text("Expire it")')
await page.click('button:has-text("Ask again")')
await shoot('try-healed')
await page.click('button:has-text("Revoke at")')
await page.click('button:has-text("Refresh now")')
await shoot('try-broken')
await page.click('button:has-text("Reconnect")')
await shoot('landing-reconnect')
await page.click('text=Continue to')
await consentAtPractice(page, 'grace', 'allow')
await shoot('mismatch')
await page.click('button:has-text("Try again")')
await consentAtPractice(page, 'ada', 'deny')
await shoot('cancelled')
await page.click('button:has-text("Try again")')
await consentAtPractice(page, 'ada', 'allow')
console.log(page.url())
await shoot('try-reconnected')
// sibling
async function connectAs(account: string, owner: string) {
  const made = await api(bench, key, 'connect/sessions', { integration: 'practice', owner, return_url: ret })
  await page.goto(String(made.body['url']))
  await page.click('text=Continue to')
  await consentAtPractice(page, account, 'allow').catch(() => {})
}
await connectAs('grace', 'sib')
await page.waitForURL(/said/).catch(() => console.log('at', page.url()))
{
  // two connections of one owner, then a reconnect of one with the other's account
  const rows = async () =>
    (await bench.store.connections.byOwner(org, (await bench.store.integrations.bySlug(org, 'practice'))!.id, 'ada@example.com')).map((r) => r.connection)
  const ids: string[] = []
  for (const account of ['ada', 'grace']) {
    const made = await api(bench, key, 'connect/sessions', { integration: 'practice', owner: 'ada@example.com', return_url: ret })
    await page.goto(String(made.body['url']))
    await page.click('text=Continue to')
    await consentAtPractice(page, account, 'allow')
  }
  for (const c of await rows()) ids.push(c.id)
  console.log((await rows()).map((c) => c.account))
  const adaId = (await rows()).find((c) => c.account?.includes('ada') || c.accountLabel?.includes('ada'))!.id
  const made = await api(bench, key, `connections/${adaId}/reconnect`, { mode: 'link' })
  await page.goto(String(made.body['url']))
  await shoot('landing-link')
  await page.click('text=Continue to')
  await consentAtPractice(page, 'grace', 'allow')
  await shoot('sibling')
  await page.click('button:has-text("Try again")')
  await consentAtPractice(page, 'ada', 'allow')
  await shoot('link-done')
  const made2 = await api(bench, key, `connections/${adaId}/reconnect`, { mode: 'link' })
  await page.goto(String(made2.body['url']))
  await page.click('text=Continue to')
  await consentAtPractice(page, 'grace', 'allow')
  await page.click('button:has-text("Renew")')
  await shoot('sibling-done')
  await bench.integration(org, 'shop', { provider: 'withvars', variables: {}, settings: { returnUrls: [ret] } })
  const s1 = await api(bench, key, 'connect/sessions', {
    integration: 'shop',
    owner: 'A very long owner name <b>with markup</b> and-a-long-unbroken-identifier-0123456789-0123456789-0123456789',
    return_url: ret,
  })
  await page.goto(String(s1.body['url']))
  await shoot('landing-variables')
  await page.fill('input[type=text]', 'Not valid!')
  await page.click('text=Continue to')
  await shoot('landing-variable-wrong')
  bench.practice.control.registerClient({ clientId: 'practice', clientSecret: 'changed-secret', redirectUris: 'loopback' })
  await connectAs('ada', 'x')
  await shoot('client-rejected')
}
for (const code of [
  'connect_browser_mismatch',
  'connect_state_mismatch',
  'connect_session_expired',
  'connect_session_used',
  'not_found',
  'internal',
  'store_unavailable',
]) {
  await page.goto(`${publicUrl}/connect/problem/${code}`)
  await shoot(`problem-${code}`)
}
await browser.close()
await bench.close()
