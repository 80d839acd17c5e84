import { Fault } from '../fault/fault.ts'
import { encodeQuery, withQuery } from '../provider/form.ts'

/** A plain absolute address: no user, no backslash, no encoded or international host, no control character, no fragment. */
const HTTPS = /^https:\/\/[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?(?:[/?][!$-[\]-~]*)?$/
const LOOPBACK = /^http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?(?:[/?][!$-[\]-~]*)?$/
const LONGEST = 2_000

/** True when a browser and this server certainly read the address alike. */
export function isPlainUrl(url: string): boolean {
  return url.length <= LONGEST && (HTTPS.test(url) || LOOPBACK.test(url))
}

/**
 * The address that a connect session may send the browser to: one of the integration's, character by character.
 * @throws Fault `invalid_request`
 */
export function allowedReturnUrl(url: string, allowed: readonly string[]): string {
  if (!isPlainUrl(url)) {
    throw new Fault('invalid_request', {
      field: '/return_url',
      detail: '`return_url` must be a plain https address (http only on localhost) without user, fragment or unusual characters.',
    })
  }
  if (!allowed.includes(url)) {
    throw new Fault('invalid_request', {
      field: '/return_url',
      detail:
        '`return_url` is not one of the return URLs of this integration. They are compared character by character: add exactly this address to its `return_urls`.',
    })
  }
  return url
}

/** The application's address with what happened added to its query. */
export function returnTo(url: string, parameters: Readonly<Record<string, string>>): string {
  return withQuery(url, encodeQuery(parameters))
}
