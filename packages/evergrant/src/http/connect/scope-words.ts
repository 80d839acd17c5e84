import { DEFAULT_WORDS } from './words/languages.ts'
import type { PageWords } from './words/page-words.ts'

/** What a permission means to the person who gives it, addressed to them. Others are told in the words of the record, or as they are. */
const EVERYWHERE: Readonly<Record<string, keyof PageWords['permissions']>> = {
  openid: 'account',
  profile: 'profile',
  email: 'email',
  offline_access: 'offline',
  'offline.access': 'offline',
  refresh_token: 'offline',
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

interface ScopeWords {
  readonly words: string
  /** The scope itself, when the words are not it. */
  readonly scope: string | null
  /** What providers say of their own permissions is English. */
  readonly lang: string
}

export function scopeWords(providerId: string, scope: string, meanings: Readonly<Record<string, string>>, language: PageWords = DEFAULT_WORDS): ScopeWords {
  const family = Object.keys(OF_PROVIDER).find((name) => providerId === name || providerId.startsWith(`${name}-`))
  const own = family === undefined ? undefined : OF_PROVIDER[family]
  const everywhere = Object.hasOwn(EVERYWHERE, scope) ? EVERYWHERE[scope] : undefined
  if (everywhere !== undefined && (own === undefined || !Object.hasOwn(own, scope)))
    return { words: language.permissions[everywhere], scope, lang: language.tag }
  const words = [own ?? {}, meanings].find((table) => Object.hasOwn(table, scope))?.[scope]
  return words === undefined ? { words: scope, scope: null, lang: language.tag } : { words, scope, lang: 'en' }
}
