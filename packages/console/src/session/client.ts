import { cookieSession, createSessionClient, type SessionClient } from '@evergrant/sdk/browser'

/** The server's address, one folder above the console's: `https://host` or `https://host/below`, without a slash at its end. */
export const serverUrl = (): string => new URL('..', document.baseURI).href.replace(/\/$/, '')

let made: SessionClient | undefined

/** The one session of this page: the cookie that the hosted sign-in page gave. */
export function session(): SessionClient {
  made ??= createSessionClient({ baseUrl: serverUrl(), session: cookieSession() })
  return made
}

/** The hosted page that signs in and comes back to where somebody is now. It says why the session before ended, where there was one. */
export function signInUrl(code: string | null = null): string {
  const base = serverUrl()
  const here = location.href.startsWith(base) ? location.href.slice(base.length).split('#')[0] : '/console/'
  const ended = code === null || code === 'session_missing' ? '' : `&ended=${encodeURIComponent(code)}`
  return `${base}/auth/sign-in?return_url=${encodeURIComponent(here ?? '/console/')}${ended}`
}
