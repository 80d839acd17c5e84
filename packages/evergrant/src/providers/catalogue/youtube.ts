import { defineProvider } from '../define.ts'
import { GOOGLE, GOOGLE_AUTHORIZE, GOOGLE_NOTES, GOOGLE_SETUP } from '../google-facts.ts'

export const youtube = defineProvider({
  ...GOOGLE,
  id: 'youtube',
  name: 'YouTube',
  docs: 'https://developers.google.com/youtube/v3/guides/authentication',
  setup: GOOGLE_SETUP,
  scopes: { openid: 'Know who the user is', 'https://www.googleapis.com/auth/youtube.readonly': 'Read channels, videos and playlists' },
  authorize: { ...GOOGLE_AUTHORIZE, defaultScopes: ['openid', 'https://www.googleapis.com/auth/youtube.readonly'] },
  api: { base: 'https://www.googleapis.com/youtube/v3', hosts: ['*.googleapis.com'] },
  afterConnect: [
    {
      finds: 'the channel',
      request: { url: 'https://www.googleapis.com/youtube/v3/channels', parameters: { part: 'id', mine: 'true' } },
      facts: { channel_id: 'items.0.id' },
      needed: false,
    },
  ],
  check: { request: { url: 'https://openidconnect.googleapis.com/v1/userinfo' }, needsScope: ['openid'] },
  samples: {
    exchange: {
      access_token: 'ya29.at-1',
      expires_in: 3_599,
      refresh_token: '1//rt-1',
      refresh_token_expires_in: null,
      scope: 'openid https://www.googleapis.com/auth/youtube.readonly',
      token_type: 'Bearer',
      id_token: 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiI0MiIsImVtYWlsIjoiam9AZXhhbXBsZS5jb20ifQ.c2ln',
    },
    refresh: {
      access_token: 'ya29.at-2',
      expires_in: 3_599,
      scope: 'openid https://www.googleapis.com/auth/youtube.readonly',
      token_type: 'Bearer',
      id_token: null,
      refresh_token_expires_in: null,
    },
    check: { sub: '42' },
  },
  notes: [
    ...GOOGLE_NOTES,
    'The account is the Google account; the channel stands in the fact channel_id. One account may own several channels: the consent picks one.',
    'Calls cost units of a daily quota of the project: Evergrant checks a token elsewhere, so that a check costs none.',
  ],
  unverified: ['setup', 'docs', 'revoke', 'account', 'check', 'afterConnect', 'authorize.defaultScopes'],
  sources: ['https://developers.google.com/youtube/v3/guides/authentication'],
})
