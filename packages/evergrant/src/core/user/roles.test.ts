import { expect, test } from 'vitest'
import { mayAssign } from './roles.ts'
import { ROLES } from './user.ts'

test('owners give every role, administrators every one but that of an owner, and nobody else gives any', () => {
  const given = (role: (typeof ROLES)[number]) => ROLES.filter((other) => mayAssign(role, other))
  expect(given('owner')).toEqual(ROLES)
  expect(given('admin')).toEqual(ROLES.filter((other) => other !== 'owner'))
  for (const role of ROLES.filter((one) => one !== 'owner' && one !== 'admin')) expect(given(role)).toEqual([])
})
