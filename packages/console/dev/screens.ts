import type { Page } from 'playwright-core'
import type { DemoWorld } from './demo-world.ts'

/** A page of the console in one state. */
export interface Screen {
  readonly name: string
  /** Below the console's address. */
  readonly path: string
  /** What is pressed there: a dialog, a menu. */
  readonly press?: (page: Page) => Promise<void>
}

/** Every route, and every tab of it, that needs no id. */
export const ROUTES: readonly Screen[] = [
  { name: 'overview', path: '' },
  { name: 'connections', path: 'connections' },
  { name: 'welcome', path: 'welcome' },
  { name: 'not-found', path: 'nowhere' },
  { name: 'expiry', path: 'expiry?range=quarter' },
  { name: 'expiry-automatic', path: 'expiry?range=week&kind=automatic' },
  { name: 'events', path: 'events' },
  { name: 'providers', path: 'providers' },
  { name: 'catalogue', path: 'providers/new' },
  { name: 'set-up', path: 'providers/new?provider=github' },
  { name: 'agents', path: 'agents' },
  { name: 'installations', path: 'agents?tab=installations' },
  { name: 'approvals', path: 'agents?tab=approvals' },
  { name: 'healing', path: 'agents?tab=healing' },
  { name: 'keys', path: 'keys' },
  { name: 'signing-keys', path: 'keys?tab=signing' },
  { name: 'encryption-keys', path: 'keys?tab=encryption' },
  { name: 'metrics', path: 'metrics?range=week' },
  { name: 'alerts', path: 'alerts' },
  { name: 'rules', path: 'alerts?tab=rules' },
  { name: 'channels', path: 'alerts?tab=channels' },
  { name: 'webhooks', path: 'alerts?tab=webhooks' },
  { name: 'team', path: 'settings' },
  { name: 'branding', path: 'settings?tab=branding' },
  { name: 'organization', path: 'settings?tab=organization' },
  { name: 'audit', path: 'settings?tab=audit' },
  { name: 'retention', path: 'settings?tab=retention' },
  { name: 'own', path: 'settings?tab=own' },
]

/** Details of what the demo world holds. */
export function details(world: DemoWorld): readonly Screen[] {
  const tabs = (name: string, path: string, values: readonly string[]): readonly Screen[] =>
    values.map((tab) => ({ name: `${name}-${tab}`, path: `${path}?tab=${tab}` }))
  return [
    { name: 'connection', path: `connections/${world.connection}` },
    { name: 'connection-broken', path: `connections/${world.broken}` },
    { name: 'connection-paused', path: `connections/${world.paused}` },
    { name: 'connections-none', path: 'connections?q=nobody-is-called-that' },
    { name: 'events-none', path: 'events?q=type%3Anobody.called_that' },
    ...tabs('connection', `connections/${world.connection}`, ['uses', 'raw', 'danger']),
    { name: 'integration', path: `providers/${world.integration}` },
    { name: 'integration-blocked', path: `providers/${world.blocked}` },
    { name: 'agent', path: `agents/${world.agent}` },
    ...tabs('agent', `agents/${world.agent}`, ['installations', 'policy', 'enrol', 'uses', 'danger']),
    { name: 'installation', path: `agents/installations/${world.installation}` },
    { name: 'webhook', path: `alerts/webhooks/${world.webhook}` },
  ]
}

const first =
  (selector: string) =>
  async (page: Page): Promise<void> => {
    await page.locator(selector).first().click()
    await page.waitForSelector('dialog[open]')
  }
const keys =
  (...pressed: readonly string[]) =>
  async (page: Page): Promise<void> => {
    await page.locator('main').focus()
    for (const key of pressed) await page.keyboard.press(key)
    await page.waitForSelector('dialog[open]')
  }
const menu =
  (selector: string) =>
  async (page: Page): Promise<void> => {
    await page.locator(selector).first().click()
    await page.waitForSelector('[role=menu]')
  }

/** What opens over a page. */
export function dialogs(world: DemoWorld): readonly Screen[] {
  const { connection, broken, agent, installation, webhook, integration } = world
  return [
    { name: 'palette', path: '', press: keys('Control+k') },
    {
      name: 'palette-found',
      path: '',
      press: async (page) => {
        await keys('Control+k')(page)
        await page.fill('dialog input', 'demo-ada')
        await page.waitForSelector('[cmdk-item]:has-text("(demo)")')
      },
    },
    { name: 'keyboard', path: '', press: keys('Shift+?') },
    {
      name: 'drawer',
      path: 'connections',
      press: async (page) =>
        void (await page
          .locator('button[aria-controls=navigation]')
          .click({ timeout: 1_000 })
          .catch(() => {})),
    },
    { name: 'columns', path: 'connections', press: menu('button:has-text("Columns")') },
    { name: 'theme-menu', path: '', press: menu('header button[aria-haspopup=menu] >> nth=-2') },
    {
      name: 'bulk',
      path: 'connections',
      press: async (page) => {
        for (const at of [1, 2, 3]) await page.locator('input[type=checkbox][aria-label^=Select]').nth(at).check()
        await page.waitForSelector('text=3 selected')
      },
    },
    {
      name: 'bulk-disconnect',
      path: 'connections',
      press: async (page) => {
        for (const at of [1, 2, 3]) await page.locator('input[type=checkbox][aria-label^=Select]').nth(at).check()
        await first('section button:has-text("Disconnect")')(page)
        await page.waitForSelector('dialog :text("are meant")')
      },
    },
    { name: 'reconnect-link', path: `connections/${broken}`, press: first('button:has-text("Reconnect link")') },
    {
      name: 'disconnect',
      path: `connections/${connection}?tab=danger`,
      press: first('main button:has-text("Disconnect")'),
    },
    { name: 'event', path: 'events', press: first('main button:has-text("connection.")') },
    { name: 'delivery', path: `alerts/webhooks/${webhook}`, press: first('button[aria-label^="Look at the delivery"]') },
    { name: 'rule', path: 'alerts?tab=rules', press: first('button[aria-label^="Change the rule"]') },
    { name: 'new-channel', path: 'alerts?tab=channels', press: first('button:has-text("New channel")') },
    { name: 'delete-channel', path: 'alerts?tab=channels', press: first('button[aria-label^=Delete]') },
    { name: 'new-webhook', path: 'alerts?tab=webhooks', press: first('button:has-text("New webhook")') },
    { name: 'new-key', path: 'keys', press: first('button:has-text("New key")') },
    { name: 'rotate-key', path: 'keys', press: first('button[aria-label="Rotate Backend"]') },
    { name: 'revoke-key', path: 'keys', press: first('button[aria-label="Revoke Backend"]') },
    { name: 'new-agent', path: 'agents', press: first('button:has-text("New agent")') },
    { name: 'cut-off', path: `agents/installations/${installation}`, press: first('button:has-text("Cut off")') },
    { name: 'revoke-agent', path: `agents/${agent}?tab=danger`, press: first('main button:has-text("Revoke weather")') },
    { name: 'delete-integration', path: `providers/${integration}?tab=danger`, press: first('main button:has-text("Delete Field")') },
    { name: 'invite', path: 'settings', press: first('button:has-text("Invite")') },
  ]
}
