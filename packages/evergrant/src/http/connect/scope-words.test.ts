import { expect, test } from 'vitest'
import { scopeWords } from './scope-words.ts'
import { de } from './words/de.ts'

test('a permission is told in words addressed to whoever gives it, else in those of the record, else as it is', () => {
  const meanings = { api: 'Call the APIs of Salesforce', refresh_token: 'Stay connected while the user is away' }
  expect(scopeWords('salesforce', 'refresh_token', meanings).words).toBe('Stay connected while you are away')
  expect(scopeWords('salesforce', 'api', meanings)).toEqual({ words: 'Call the APIs of Salesforce', scope: 'api', lang: 'en' })
  expect(scopeWords('salesforce', 'refresh_token', meanings, de)).toEqual({
    words: 'Verbunden bleiben, während Sie nicht da sind',
    scope: 'refresh_token',
    lang: 'de',
  })
  expect(scopeWords('salesforce', 'constructor', meanings)).toEqual({ words: 'constructor', scope: null, lang: 'en' })
})
