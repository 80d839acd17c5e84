import { expect, test } from 'vitest'
import { PASSWORD, sharedIdentityLab } from '../../testing/identity-lab.ts'

const visit = sharedIdentityLab()
const OTHER = 'seven lanterns by the harbour'
const HERE = { address: '198.51.100.9' }

test('a person whose account is under attack from everywhere gets in from a browser that was never here, by a reset', async () => {
  const { lab, ANA } = await visit()
  await lab.addPerson(ANA)
  let address = 0
  const attack = async (tries: number) => {
    let guessed = 0
    for (let attempt = 0; attempt < tries; attempt++, address++) {
      const { status } = await lab.login(ANA, `guess number ${address}`, { address: `10.1.${address >> 8}.${address & 255}` })
      if (status === 401) guessed += 1
    }
    return guessed
  }
  expect(await attack(300)).toBe(20)
  expect((await lab.login(ANA, PASSWORD, HERE)).status).toBe(429)
  expect((await lab.post('auth/password/forgot', { email: ANA }, HERE)).status).toBe(202)
  await attack(50)
  const reset = await lab.post('auth/password/reset', { token: await lab.tokenTo(ANA), password: OTHER, mode: 'bearer' }, HERE)
  expect(reset.status, reset.text).toBe(200)
  await attack(50)
  const known = { ...HERE, headers: { 'evergrant-device': String(reset.headers['evergrant-device']) } }
  expect((await lab.login(ANA, OTHER, known)).status).toBe(200)
  expect((await lab.login(ANA, OTHER, HERE)).status, 'without the word of this browser').toBe(429)
})

test('many passwords at one account from many addresses get two tries a minute, however long it goes on (S64)', async () => {
  const { lab, ANA } = await visit()
  await lab.addPerson(ANA)
  let guessed = 0
  for (let attempt = 0; attempt < 600; attempt++) {
    await lab.time.advance(1_000)
    const { status } = await lab.login(ANA, `guess number ${attempt}`, { address: `10.2.${attempt >> 8}.${attempt & 255}` })
    if (status === 401) guessed += 1
  }
  expect(guessed).toBeLessThanOrEqual(20 + 20)
  expect(guessed).toBeGreaterThan(20)
})
