import type { Answer } from '../../api/operations.ts'
import { durationWords } from '../../time/words.ts'

export type Provider = Answer<'GET /api/v1/providers/{id}'>
export type ProviderSummary = Answer<'GET /api/v1/providers'>['items'][number]

const REUSE: Readonly<Record<string, string>> = {
  P0: 'A refresh token may be presented again and again. A lost answer costs nothing.',
  P1: 'The same refresh token gives the same answer for a short while. A lost answer is asked for again inside that window.',
  P2: 'The old refresh token works until its successor is used. A lost answer is asked for again.',
  P3: 'A refresh token works once. A lost answer may end this one grant; Evergrant writes down what it sends before it sends it.',
  P4: 'A refresh token works once, and presenting it again ends the whole grant. Evergrant never presents one twice on a guess.',
  PU: 'It is not known what a second presentation does, so Evergrant treats it as the strictest kind.',
}

/** What the provider does with a refresh token that is presented twice, and what that means here. */
export const reuseWords = (reuse: string): string => REUSE[reuse.slice(0, 2)] ?? reuse

const GRANTS: Readonly<Record<string, string>> = {
  authorization_code: 'The account’s owner agrees in a browser',
  client_credentials: 'Client credentials, without a person',
  jwt_bearer: 'A signed statement, without a person',
  api_key: 'A key that somebody pastes',
  installation: 'An installation of your app, without a person',
  basic: 'A name and a password that somebody pastes',
}
export const grantWords = (grant: string): string => GRANTS[grant] ?? grant.replaceAll('_', ' ')
export const needsBrowser = (grant: string): boolean => grant === 'authorization_code'

/** Lifetimes of the provider in words; those that nothing is known of are said to be unknown. */
export function lifetimeRows({ lifetimes }: Pick<Provider, 'lifetimes'>): readonly (readonly [string, string])[] {
  const seconds = (name: string): number | null => {
    const value = lifetimes[name]
    return typeof value === 'number' ? value : null
  }
  const words = (value: number | null, none: string): string => (value === null ? none : durationWords(value * 1_000))
  return [
    ['Access token lives', words(seconds('access_seconds'), 'as long as each answer says')],
    ['Unused grant ends after', words(seconds('refresh_idle_seconds'), 'no end that is known')],
    ['Every grant ends after', words(seconds('refresh_absolute_seconds'), 'no end that is known')],
  ]
}

/** The address that the provider must know, to the letter. `known`: one of an integration that is there, which says what the server calls itself. */
export function callbackUrlOf(slug: string, base: string, known: string | undefined): string {
  const root = known === undefined ? `${base}/connect/callback/` : known.slice(0, known.lastIndexOf('/') + 1)
  return root + slug
}

/** A first idea of what an integration is called in addresses, which is not taken yet. */
export function freeSlug(provider: string, taken: readonly string[]): string {
  const base =
    provider
      .toLowerCase()
      .replace(/[^a-z0-9-]+/g, '-')
      .replace(/^-+|-+$/g, '') || 'provider'
  if (!taken.includes(base)) return base
  for (let number = 2; ; number += 1) if (!taken.includes(`${base}-${number}`)) return `${base}-${number}`
}

/** Scopes as people type them: separated by blanks, commas or lines. */
export const scopesIn = (text: string): readonly string[] => [...new Set(text.split(/[\s,]+/).filter(Boolean))]
