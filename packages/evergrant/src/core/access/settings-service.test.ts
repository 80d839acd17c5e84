import { expect, test } from 'vitest'
import { createApiLab } from '../../testing/api-lab.ts'
import { accentColours, contrast, READABLE, readability, readableAccent } from './accent.ts'

const PIXEL = 'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
const NOTHING = {
  application_name: null,
  logo: null,
  accent: null,
  support_email: null,
  support_url: null,
  privacy_url: null,
  status_text: null,
  owner_mail: false,
  digest: false,
}

test('settings begin empty, keep what is not named, and null takes a value away', async () => {
  const lab = await createApiLab()
  const patch = (body: object) => lab.call('PATCH', '/api/v1/settings', { body })
  expect((await lab.call('GET', '/api/v1/settings')).json).toEqual(NOTHING)
  const branded = { application_name: 'Acme', logo: PIXEL, accent: '#0B5FBF', support_email: 'help@acme.example', privacy_url: 'https://acme.example/privacy' }
  expect((await patch(branded)).json).toEqual({ ...NOTHING, ...branded, accent: '#0b5fbf' })
  expect((await patch({ status_text: '  Notes is down.  ', owner_mail: true })).json).toMatchObject({
    application_name: 'Acme',
    status_text: 'Notes is down.',
    owner_mail: true,
  })
  expect((await patch({ status_text: ' ', logo: null })).json).toMatchObject({ accent: '#0b5fbf', status_text: null, logo: null })
  const events = (await lab.call('GET', '/api/v1/events?type=organization.updated')).json.items
  expect(events.map((event: { data: unknown }) => event.data)).toContainEqual({ settings: ['owner_mail', 'status_text'].map(camel).sort() })
})

const camel = (name: string): string => name.replace(/_(.)/g, (_found, letter: string) => letter.toUpperCase())

test('a name may have any sign that is shown, and half of one is none', async () => {
  const lab = await createApiLab()
  const patch = (text: string) => lab.call('PATCH', '/api/v1/settings', { body: { application_name: text } })
  expect(await patch('Acme 🚲 \u{20bb7}野家')).toMatchObject({ status: 200, json: { application_name: 'Acme 🚲 \u{20bb7}野家' } })
  expect(await patch('Acme \ud83d')).toMatchObject({ status: 400, json: { field: '/application_name' } })
})

test.each([
  ['accent', '#ffee00', 'too light'],
  ['accent', 'red', '#0b5fbf'],
  ['logo', 'data:image/svg+xml;base64,PHN2Zz4=', 'SVG'],
  ['logo', `data:image/png;base64,${'A'.repeat(100)}`, 'PNG, JPEG or WebP'],
  ['logo', `data:image/png;base64,iVBORw0KGgo${'A'.repeat(87_900)}`, '64 KiB'],
  ['support_email', 'nobody', 'help@example.com'],
  ['support_url', 'http://acme.example', 'https://'],
  ['support_url', 'javascript:alert(1)', 'https://'],
  ['privacy_url', 'https://acme.example/"><script>', 'https://'],
  ['application_name', 'Acme\u202e', 'not shown'],
  ['status_text', 'One\nTwo', 'line break'],
])('%s may not be %s, and the refusal says what to send', async (field, value, words) => {
  const lab = await createApiLab()
  const refused = await lab.call('PATCH', '/api/v1/settings', { body: { [field]: value } })
  expect(refused).toMatchObject({ status: 400, json: { code: 'invalid_request', field: `/${field}` } })
  expect(refused.json.detail).toContain(words)
  expect((await lab.call('GET', '/api/v1/settings')).json).toEqual(NOTHING)
})

test('any colour leads to one that can be read on our pages, in light and in dark', () => {
  for (let hue = 0; hue < 4_096; hue += 37) {
    const colour = `#${[(hue >> 8) & 15, (hue >> 4) & 15, hue & 15].map((part) => part.toString(16).repeat(2)).join('')}`
    const accent = readableAccent(colour)
    const { light, dark } = accentColours(accent)
    expect(readability(accent), colour).toBeGreaterThanOrEqual(READABLE)
    expect(contrast(light.accent, light.ink), colour).toBeGreaterThanOrEqual(READABLE)
    expect(contrast(dark.accent, dark.ink), colour).toBeGreaterThanOrEqual(READABLE)
    expect(contrast(dark.accent, '#1a1e24'), colour).toBeGreaterThanOrEqual(READABLE)
    expect(contrast(dark.down, dark.ink), colour).toBeGreaterThanOrEqual(READABLE)
  }
})

test('contrast is that of WCAG', () => {
  expect(contrast('#000000', '#ffffff')).toBeCloseTo(21)
  expect(contrast('#777777', '#ffffff')).toBeCloseTo(4.48, 2)
})
