/** What a permission means to the person who gives it, addressed to them. Others are told in the words of the record, or as they are. */
const EVERYWHERE: Readonly<Record<string, string>> = {
  openid: 'Know which account is yours',
  profile: 'See your name and picture',
  email: 'See your e-mail address',
  offline_access: 'Stay connected while you are away',
  'offline.access': 'Stay connected while you are away',
  refresh_token: 'Stay connected while you are away',
}

const OF_PROVIDER: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  amazon: {
    'advertising::campaign_management': 'See and manage your advertising campaigns and reports',
    'advertising::audiences': 'See and manage your advertising audiences',
    profile: 'See your name, e-mail address and postal code',
  },
  strava: {
    read: 'See your public profile and routes',
    read_all: 'See your private routes and segments',
    'profile:read_all': 'See your full profile',
    'activity:read': 'See your activities that are not private',
    'activity:read_all': 'See all your activities, private ones included',
    'activity:write': 'Add and change activities',
  },
  github: {
    repo: 'Read and change your repositories, private ones included',
    'read:user': 'See your profile',
    'user:email': 'See your e-mail addresses',
    'read:org': 'See your organizations and teams',
  },
  slack: {
    'channels:read': 'See the list of public channels',
    'chat:write': 'Send messages',
    'users:read': 'See people in the workspace',
  },
}

export interface ScopeWords {
  readonly words: string
  /** The scope itself, when the words are not it. */
  readonly scope: string | null
}

export function scopeWords(providerId: string, scope: string, meanings: Readonly<Record<string, string>>): ScopeWords {
  const family = Object.keys(OF_PROVIDER).find((name) => providerId === name || providerId.startsWith(`${name}-`))
  const own = family === undefined ? undefined : OF_PROVIDER[family]
  const words = [own ?? {}, EVERYWHERE, meanings].find((table) => Object.hasOwn(table, scope))?.[scope]
  return words === undefined ? { words: scope, scope: null } : { words, scope }
}
