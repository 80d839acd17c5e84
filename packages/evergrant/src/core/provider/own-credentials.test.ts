import { expect, test } from 'vitest'
import { checkCredentials, hasOwnSecret, keptText, readKept, secretsOf, staticSecretOf } from './own-credentials.ts'

test('what is kept is read again, whatever it holds; a refresh token that was imported holds no credentials', () => {
  const credentials = { subject: 'Żółć', private_key: '-----BEGIN\n"quoted"\\n', key_id: '{k}' }
  expect(readKept(keptText(credentials))).toEqual(credentials)
  expect(readKept(keptText({}))).toEqual({})
  for (const text of ['rt-1', '', '[]', 'null', '"text"', '{"a":1}']) expect(readKept(text)).toEqual({})
})

test('the same credentials are the same text, so that they have the same fingerprint', () => {
  expect(keptText({ client_secret: 's', client_id: 'c' })).toBe(keptText({ client_id: 'c', client_secret: 's' }))
})

test('an empty value counts as none', () => {
  expect(checkCredentials('client_credentials', { client_id: '', client_secret: '' }, 'Acme')).toEqual({})
  expect(() => checkCredentials('api_key', { api_key: '' }, 'Acme')).toThrow('Acme needs `api_key`')
})

test.each(['__proto__', 'constructor', 'toString'])('%s is no credential', (name) => {
  expect(() => checkCredentials('api_key', JSON.parse(`{"api_key":"k","${name}":"x"}`), 'Acme')).toThrow(`knows no credential \`${name}\``)
})

test('a refusal never repeats the value', () => {
  expect(() => checkCredentials('api_key', { api_key: 'geheim\u0001' }, 'Acme')).toThrow(/^`api_key` \(the API key\) may hold printable ASCII only/)
})

test('RFC 7617 section 2: user and password are joined by a colon and encoded as UTF-8', () => {
  expect(staticSecretOf('basic', { username: 'Aladdin', password: 'open sesame' }).accessToken).toBe('QWxhZGRpbjpvcGVuIHNlc2FtZQ==')
  expect(staticSecretOf('basic', { username: 'test', password: '123£' }).accessToken).toBe('dGVzdDoxMjPCow==')
  expect(staticSecretOf('basic', { username: 'key-only' }).accessToken).toBe(Buffer.from('key-only:').toString('base64'))
})

test('a refusal concerns the connection alone where the secret is its own', () => {
  expect(hasOwnSecret('client_credentials', { client_id: 'c' })).toBe(true)
  expect(hasOwnSecret('client_credentials', {})).toBe(false)
  expect(hasOwnSecret('jwt_bearer', { subject: 'ada' })).toBe(false)
  expect(hasOwnSecret('jwt_bearer', { private_key: 'k' })).toBe(true)
  expect(hasOwnSecret('installation', {})).toBe(false)
})

test('every secret is hidden in what providers echo, and no name is', () => {
  expect(secretsOf({ client_id: 'c', client_secret: 's1', private_key: 's2', api_key: 's3', username: 'u', password: 's4', subject: 'ada' })).toEqual([
    's1',
    's2',
    's3',
    's4',
  ])
})
