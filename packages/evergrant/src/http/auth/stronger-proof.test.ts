import { TOTP } from 'otpauth'
import { expect, test } from 'vitest'
import { MINUTE } from '../../core/time.ts'
import { PASSWORD, sharedIdentityLab } from '../../testing/identity-lab.ts'

const visit = sharedIdentityLab()
const OTHER = 'seven lanterns by the harbour'

test('an access token from before a proof of identity gains nothing by it: only the one that came with the proof does (RFC 9470)', async () => {
  const { lab, ANA } = await visit()
  await lab.addPerson(ANA)
  const first = (await lab.login(ANA)).json
  await lab.time.advance(11 * MINUTE)
  const stolen = (await lab.post('auth/refresh', { refresh_token: first.refresh_token })).json.access_token
  const proven = (await lab.post('auth/reauthenticate', { password: PASSWORD }, { token: stolen })).json.access_token
  const refused = await lab.post('auth/password', { password: OTHER }, { token: stolen })
  expect([refused.status, refused.json.code]).toEqual([403, 'reauthentication_required'])
  expect((await lab.post('auth/password', { password: OTHER }, { token: proven })).status).toBe(200)
})

test('who has a second factor proves it with one: a password and an open session are not enough to take the factor away', async () => {
  const { lab, ANA } = await visit()
  await lab.addPerson(ANA)
  const first = (await lab.login(ANA)).json
  const { id, secret } = (await lab.post('users/me/factors/totp', {}, { token: first.access_token })).json
  const code = () => new TOTP({ secret }).generate({ timestamp: lab.time.clock.wall() })
  expect((await lab.post(`users/me/factors/${id}/confirm`, { code: code() }, { token: first.access_token })).status).toBe(200)
  await lab.time.advance(11 * MINUTE)
  const stolen = (await lab.post('auth/refresh', { refresh_token: first.refresh_token })).json.access_token
  const byPassword = await lab.post('auth/reauthenticate', { password: PASSWORD }, { token: stolen })
  expect([byPassword.status, byPassword.json.code]).toEqual([401, 'sign_in_refused'])
  expect(byPassword.json.detail).toContain('second step')
  const changed = await lab.post('auth/password', { password: OTHER, current_password: PASSWORD }, { token: stolen })
  expect(changed.status, changed.text).toBe(200)
  const remove = (key: string) => lab.call('DELETE', `/api/v1/users/me/factors/${id}`, { key })
  expect((await remove(changed.json.access_token)).json.code, 'a new password is no proof of the factor').toBe('reauthentication_required')
  const byCode = await lab.post('auth/reauthenticate', { code: code() }, { token: changed.json.access_token })
  expect(byCode.status, byCode.text).toBe(200)
  expect((await remove(byCode.json.access_token)).status).toBe(204)
})
