import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { defineProvider } from './define.ts'
import { catalogue } from './index.ts'
import { providerPage, providersIndex } from './page.ts'

const folder = new URL('../../../../docs/providers/', import.meta.url)
const page = (name: string) => readFileSync(new URL(name, folder), 'utf8')

test('docs/providers is what the records say; `npm run generate:providers` writes it', () => {
  const stale = catalogue.filter((record) => page(`${record.id}.md`) !== providerPage(record)).map((record) => record.id)
  expect(stale).toEqual([])
  expect(page('README.md')).toBe(providersIndex(catalogue))
})

test('there is a page for every record and none for anything else', () => {
  const named = catalogue.map((record) => `${record.id}.md`)
  expect(readdirSync(folder).toSorted()).toEqual([...named, 'README.md'].toSorted())
})

test('every page says the redirect URI, unless no browser is in the flow', () => {
  const silent = catalogue.filter((record) => record.grant === 'authorization_code' && !providerPage(record).includes(`/connect/callback/${record.id}\``))
  expect(silent.map((record) => record.id)).toEqual([])
})

const acme = {
  id: 'acme',
  name: 'Acme',
  setup: ['Register {redirect_uri}.'],
  authorize: { url: 'https://acme.example/authorize', defaultScopes: ['read'], requiredScopes: ['offline'] },
  token: { url: 'https://acme.example/token' },
} as const

test('a field that nobody has verified is marked where it is used, and listed', () => {
  const text = providerPage(
    defineProvider({ ...acme, lifetimes: { accessSeconds: 5_400, refreshIdleSeconds: 5_184_000 }, unverified: ['lifetimes.refreshIdleSeconds'] }),
  )
  expect(text).toContain('| Access token | 90 minutes where the answer does not say otherwise |')
  expect(text).toContain('| Unused | ends 60 days after the last refresh; Evergrant refreshes unused grants in time *(unverified)* |')
  expect(text).toContain('## Not verified')
  expect(providerPage(defineProvider(acme))).not.toContain('unverified')
})

test('a rule becomes a row: what the provider says, what it means, what Evergrant does', () => {
  const verdicts = [
    { step: 'refresh', status: [400, 401], where: { code: '/^(gone|lost)$/' }, verdict: 'dead', meaning: 'The owner left.' },
    { where: { busy: '*' }, verdict: 'throttled', meaning: 'Too fast.' },
  ] as const
  const text = providerPage(defineProvider({ ...acme, verdicts }))
  expect(text).toContain(
    '| refresh: HTTP 400 or 401 with `code` matches `/^(gone\\|lost)$/` | The owner left. | Makes sure that no newer token was stored, then asks the owner to reconnect. |',
  )
  expect(text).toContain('| `busy` is there | Too fast. | Waits as long as the provider says, and tries again. |')
})

test('scopes say whether they are always asked for, and set-up shows where the browser comes back', () => {
  const text = providerPage(defineProvider(acme))
  expect(text).toContain('1. Register `https://<your Evergrant>/connect/callback/acme`.')
  expect(text).toContain('| `offline` |  | always |')
  expect(text).toContain('| `read` |  | unless the integration names others |')
})

test('an unknown reuse class is said to be unknown', () => {
  expect(providerPage(defineProvider(acme))).toContain('Nobody knows what a second use of a refresh token does')
})

test('where no browser is in the grant, nobody is told to reconnect: the page says how to give new credentials', () => {
  const pages = catalogue.filter((record) => record.grant !== 'authorization_code').map((record) => ({ id: record.id, text: providerPage(record) }))
  expect(pages.length).toBeGreaterThan(5)
  expect(pages.filter(({ text }) => text.includes('asks the owner to reconnect') || !text.includes('sks for new credentials')).map(({ id }) => id)).toEqual([])
  expect(pages.filter(({ id, text }) => !text.includes(`evergrant connections create --integration ${id}`)).map(({ id }) => id)).toEqual([])
})
