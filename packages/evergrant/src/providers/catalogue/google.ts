import { defineProvider } from '../define.ts'
import { GOOGLE, GOOGLE_AUTHORIZE, GOOGLE_NOTES, GOOGLE_SETUP } from '../google-facts.ts'

export const google = defineProvider({
  ...GOOGLE,
  id: 'google',
  name: 'Google',
  docs: 'https://developers.google.com/identity/protocols/oauth2',
  setup: GOOGLE_SETUP,
  scopes: { openid: 'Know who the user is', email: "Read the user's e-mail address" },
  authorize: { ...GOOGLE_AUTHORIZE, defaultScopes: ['openid', 'email'] },
  api: { base: 'https://www.googleapis.com', hosts: ['*.googleapis.com'] },
  check: { request: { url: 'https://openidconnect.googleapis.com/v1/userinfo' }, needsScope: ['openid'] },
  samples: {
    exchange: {
      access_token: 'ya29.at-1',
      expires_in: 3_599,
      refresh_token: '1//rt-1',
      refresh_token_expires_in: null,
      scope: 'openid https://www.googleapis.com/auth/userinfo.email',
      token_type: 'Bearer',
      id_token: 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiI0MiIsImVtYWlsIjoiam9AZXhhbXBsZS5jb20ifQ.c2ln',
    },
    refresh: {
      access_token: 'ya29.at-2',
      expires_in: 3_599,
      scope: 'openid https://www.googleapis.com/auth/userinfo.email',
      token_type: 'Bearer',
      id_token: null,
      refresh_token_expires_in: null,
    },
    check: { sub: '42' },
  },
  notes: GOOGLE_NOTES,
  unverified: ['setup', 'revoke', 'account', 'check'],
  sources: ['https://developers.google.com/identity/protocols/oauth2', 'https://developers.google.com/google-ads/api/docs/get-started/common-errors'],
})
