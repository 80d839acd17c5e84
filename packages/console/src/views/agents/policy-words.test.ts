import { expect, test } from 'vitest'
import { policyWords } from './policy-words.tsx'

const nameOf = (id: string): string | undefined => (id === 'int_1' ? 'Field Notes' : undefined)
const words = (access: readonly ('token' | 'proxy')[], connections: readonly object[], methods: readonly string[] | null = null): string =>
  policyWords({ access: [...access], connections: [...connections], methods: methods === null ? null : [...methods] } as never, nameOf)

test('what an agent may do is a whole sentence that names the connections, and integrations as people call them', () => {
  expect(words(['token', 'proxy'], [{ tag: 'gold' }, { integration: 'int_1' }])).toBe(
    'It may read the tokens of and send requests through every connection with the tag gold, and every connection of Field Notes.',
  )
  expect(words(['token'], [{}])).toBe('It may read the tokens of every connection.')
  expect(words(['proxy'], [{ connection: 'con_1' }], ['GET', 'HEAD'])).toBe('It may send requests (GET, HEAD) through the connection con_1.')
})

test('an integration whose name is not known is named by its id, and a policy without connections allows none', () => {
  expect(words(['token'], [{ integration: 'int_9', owner: 'ada' }])).toBe(
    'It may read the tokens of every connection of the integration int_9 of the owner ada.',
  )
  expect(words(['token'], [])).toBe('It may use no connection.')
})
