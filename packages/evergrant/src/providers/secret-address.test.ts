// Where the client secret of an integration goes is the record's and its operator's to say: never an end user's, nor a callback's.
import { expect, test } from 'vitest'
import { completeVariables } from '../core/provider/choices.ts'
import type { ProviderRecord } from '../core/provider/record.ts'
import { fillTemplate, placeholdersOf } from '../core/provider/template.ts'
import { catalogue } from './index.ts'

const HOSTILE = [
  'evil.example',
  'https://evil.example',
  'https://evil.example/x',
  'a.evil.example:443',
  'evil.example/',
  'evil.example#',
  'evil.example?',
  'me@evil.example',
  'https://accounts.zoho.com.evil.example',
]

/** Addresses that the secret is sent to, or that say where it is sent. */
function addressesOf({ discovery, token, revoke, chain }: ProviderRecord): readonly string[] {
  const all = [discovery?.issuer, token.url, token.refreshUrl, revoke?.url, revoke?.fallback?.url]
  return [...all, ...chain.map(({ request }) => request.url)].filter((address) => typeof address === 'string')
}

function hostOf(address: string, values: Readonly<Record<string, string>>, record: ProviderRecord): string | null {
  try {
    return new URL(fillTemplate(address, values, { definitions: record.variables, later: ['account'], leave: ['client_id'] })).hostname
  } catch {
    return null
  }
}

const told = (record: ProviderRecord, address: string) =>
  [...new Set(placeholdersOf(address))].filter((name) => Object.hasOwn(record.variables, name) && record.variables[name]?.askedOf !== 'integration')

const cases = catalogue.flatMap((record) =>
  addressesOf(record).flatMap((address) => told(record, address).map((name) => [record.id, name, address, record] as const)),
)

test.each(cases)('%s: whatever is told as %s, %s stays at the provider', (_id, name, address, record) => {
  const examples = Object.fromEntries(
    Object.entries(record.variables).map(([one, { example, choices }]) => [one, choices === null ? example : (Object.keys(choices)[0] ?? example)]),
  )
  const values = completeVariables(record, examples)
  const home = hostOf(address, values, record)?.split('.').slice(-2).join('.')
  expect(home).toBeDefined()
  const elsewhere = HOSTILE.map((hostile) => hostOf(address, { ...values, [name]: hostile }, record)).filter(
    (host) => host !== null && !host.endsWith(`.${home}`),
  )
  expect(elsewhere).toEqual([])
})
