import type { IntegrationSettings } from '../core/connection/integration.ts'
import type { OrganizationId, UserId } from '../core/ids.ts'
import type { Role, User } from '../core/user/user.ts'
import { type PracticeProvider, startPracticeProvider } from '../practice/index.ts'
import { PageVisitor } from './page-visitor.ts'
import { openWholeNode, type WholeNode, type WholeNodeOptions } from './whole-node.ts'

export const PASSWORD = 'correct kettle battery orbit'
export const APP_RETURN = 'https://app.example.com/welcome'

/** A whole node beside a practice provider, with an integration that people sign in through. */
export interface PeoplePages extends WholeNode {
  readonly practice: PracticeProvider
  readonly organization: OrganizationId
  browser(): PageVisitor
  person(email: string, role?: Role): Promise<User>
  /** A browser in which this person is signed in by password. */
  signedIn(email: string, password?: string): Promise<PageVisitor>
  /** At the practice provider, in the default organization unless another is named. Returns its id. */
  integrate(slug: string, settings?: Partial<IntegrationSettings>, organization?: OrganizationId): Promise<`int_${string}`>
  userOf(account: string): Promise<User | undefined>
  /** As if the person had proved who they are eleven minutes ago. */
  makeStale(user: UserId): Promise<void>
}

export async function openPeoplePages(options: WholeNodeOptions = {}): Promise<PeoplePages> {
  const practice = await startPracticeProvider()
  const node = await openWholeNode({ ...options, env: { EVERGRANT_DANGEROUS_PRIVATE_HOSTS: '127.0.0.1,localhost', ...options.env } })
  const { organization, services } = node.parts
  const actor = { kind: 'cli', id: null } as const
  const browser = () => new PageVisitor(node)
  const issuer = `${practice.url}/p4`
  return {
    ...node,
    practice,
    organization,
    browser,
    person: (email, role = 'member') => services.identity.joining.create({ email, name: null, password: PASSWORD }, { organization, role }, actor),
    signedIn: async (email, password = PASSWORD) => {
      const visitor = browser()
      const seen = await visitor.post('/auth/sign-in', { email, password })
      if (seen.status !== 303) throw new Error(`signing in answered ${seen.status}: ${seen.body}`)
      return visitor
    },
    integrate: async (slug, settings = {}, of = organization) => {
      const wanted = {
        slug,
        name: 'Practice',
        provider: 'oidc',
        clientId: 'practice',
        clientSecret: 'practice-secret',
        scopes: ['openid', 'email'],
        variables: { issuer },
      }
      const signIn = { createUsers: true, role: 'member' } as const
      return (await services.integrations.create(of, { ...wanted, settings: { returnUrls: [APP_RETURN], signIn, ...settings } }, actor)).id
    },
    userOf: (account) => node.store.users.byIdentity(issuer, account),
    makeStale: async (user) => {
      const sessions = await node.store.sessions.listOf(user)
      if (sessions.length === 0) throw new Error('nobody is signed in')
      for (const { id, methods } of sessions) await node.store.sessions.reauthenticated(id, methods, services.clock.wall() - 11 * 60_000)
    },
    close: async () => {
      await node.close()
      await practice.close()
    },
  }
}
