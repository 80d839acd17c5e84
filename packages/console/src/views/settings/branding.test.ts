import { expect, test } from 'vitest'
import { changesOf } from './branding.tsx'

const SETTINGS = {
  application_name: 'Acme',
  logo: null,
  accent: null,
  support_email: null,
  support_url: null,
  privacy_url: null,
  status_text: null,
  owner_mail: false,
  digest: false,
}

test('only what was changed is sent, and a text that was emptied is taken away', () => {
  expect(changesOf(SETTINGS, SETTINGS)).toEqual({})
  expect(changesOf(SETTINGS, { ...SETTINGS, application_name: ' ', owner_mail: true })).toEqual({ application_name: null, owner_mail: true })
})

test('a field that was opened and left empty is no change', () => {
  expect(changesOf(SETTINGS, { ...SETTINGS, status_text: '' })).toEqual({})
})
