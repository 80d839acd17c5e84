import { expect, test } from 'vitest'
import { found } from './catalogue.tsx'
import { callbackUrlOf, freeSlug, reuseWords, scopesIn } from './provider-words.ts'
import { matches } from './set-up.tsx'

test('the redirect address is the one that the server uses for others, whatever address the console was opened at', () => {
  expect(callbackUrlOf('github', 'http://10.0.0.1:4300', 'https://auth.example.com/below/connect/callback/slack')).toBe(
    'https://auth.example.com/below/connect/callback/github',
  )
  expect(callbackUrlOf('github', 'https://auth.example.com', undefined)).toBe('https://auth.example.com/connect/callback/github')
})

test('a name in addresses is one that is free and allowed', () => {
  expect(freeSlug('github', [])).toBe('github')
  expect(freeSlug('github', ['github', 'github-2'])).toBe('github-3')
  expect(freeSlug('Amazon_Ads!', [])).toBe('amazon-ads')
})

test('scopes may be typed with blanks, commas and lines between them', () => {
  expect(scopesIn(' a, b\nc  a ')).toEqual(['a', 'b', 'c'])
})

test('every class of reuse is said in words, a window too', () => {
  expect(reuseWords('P1')).toContain('short while')
  expect(reuseWords('PU')).toContain('strictest')
})

test('names that begin with what is typed come first', () => {
  const record = (id: string, name: string) => ({ id, name, docs: null, grant: 'authorization_code', reuse: 'P0', has_api: false, sunsets: [] })
  expect(found([record('amazon-git', 'Amazon Git'), record('github', 'GitHub')], 'git').map(({ id }) => id)).toEqual(['github', 'amazon-git'])
})

test('a pattern that this browser cannot read refuses nothing', () => {
  expect(matches('[a-z]+', 'shop')).toBe(true)
  expect(matches('[a-z]+', 'shop.example')).toBe(false)
  expect(matches('(', 'anything')).toBe(true)
})
