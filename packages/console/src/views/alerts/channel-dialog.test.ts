import { expect, test } from 'vitest'
import { inputOf } from './channel-dialog.tsx'

const DRAFT = {
  kind: 'slack',
  name: '',
  url: '',
  to: '',
  digest: null,
  whenWell: false,
  webhook: '',
  quiet: false,
  from: '22:00',
  until: '07:00',
  zone: 'Europe/Berlin',
}

test('an address that was not typed anew is not sent, so that the stored one stays', () => {
  expect(inputOf(DRAFT, false)).toEqual({ name: 'Slack', quiet_hours: null })
  expect(inputOf({ ...DRAFT, url: ' https://hooks.slack.com/services/x ' }, true)).toEqual({
    kind: 'slack',
    name: 'Slack',
    url: 'https://hooks.slack.com/services/x',
    quiet_hours: null,
  })
})

test('several addresses of a mail channel may have anything between them', () => {
  expect(inputOf({ ...DRAFT, kind: 'email', to: 'a@example.com; b@example.com,c@example.com' }, true).to).toEqual([
    'a@example.com',
    'b@example.com',
    'c@example.com',
  ])
})

test('quiet hours are sent with their zone, or taken away', () => {
  expect(inputOf({ ...DRAFT, quiet: true }, false).quiet_hours).toEqual({ from: '22:00', to: '07:00', time_zone: 'Europe/Berlin' })
})

test('whether a mail channel sends one letter a day is left to the settings until somebody chooses', () => {
  const mail = { ...DRAFT, kind: 'email', to: 'a@example.com' }
  expect(inputOf(mail, true)).not.toHaveProperty('digest')
  expect(inputOf({ ...mail, digest: false }, true).digest).toBe(false)
})
