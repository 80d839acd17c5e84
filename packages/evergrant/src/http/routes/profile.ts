import { ownerOf } from '../../core/user/user.ts'
import { UserView, userView } from '../auth/session-answer.ts'
import { actorOf, callerOf, personOf } from '../authentication.ts'
import { governorOf, requireRecent } from '../governing.ts'
import { ErasedView, ExportView, erasedView, exportView } from '../owner-view.ts'
import { type App, closed, PROBLEMS } from '../schema.ts'
import type { Person, Services } from '../services.ts'
import { PersonName } from './users.ts'

/** What a person may see and change of themselves. */
export function profileRoutes(app: App, services: Services): void {
  readAndRename(app, services)
  ownData(app, services)
}

function readAndRename(app: App, { users, organizations }: Services): void {
  const view = async (person: Person, user = person.user) => {
    const { organization: id } = person.session
    const organization = await organizations.get(id)
    return userView({ user, role: person.role }, { id, name: organization?.name ?? '' })
  }
  app.get(
    '/api/v1/users/profile',
    {
      config: { access: 'person', own: true, enrolling: true },
      schema: { summary: 'Who am I?', tags: ['users'], response: { 200: UserView, ...PROBLEMS } },
    },
    (request) => view(personOf(request)),
  )
  app.patch(
    '/api/v1/users/profile',
    {
      config: { access: 'person', own: true },
      schema: { summary: 'Change my name', tags: ['users'], body: closed({ name: PersonName }), response: { 200: UserView, ...PROBLEMS } },
    },
    async (request) => {
      const person = personOf(request)
      return view(person, await users.rename(person.user.id, person.session.organization, request.body.name))
    },
  )
}

function ownData(app: App, { ownerData, clock }: Services): void {
  app.get(
    '/api/v1/users/me/export',
    {
      config: { access: 'person', own: true },
      schema: {
        summary: 'Export everything about me',
        description: 'In the organization of this session. Needs a proof of identity that is at most ten minutes old.',
        tags: ['users'],
        response: { 200: ExportView, ...PROBLEMS },
      },
    },
    async (request) => {
      const caller = callerOf(request)
      const { user } = personOf(request)
      requireRecent(caller, clock)
      return exportView(await ownerData.export(caller.organization, ownerOf(user), actorOf(caller)), clock.wall())
    },
  )
  app.delete(
    '/api/v1/users/me',
    {
      config: { access: 'person', own: true },
      schema: {
        summary: 'Erase me',
        description:
          'Everything of mine, in every organization: connections are ended at their providers, sessions end, names go. Needs a proof of identity that is at most ten minutes old.',
        tags: ['users'],
        response: { 200: ErasedView, ...PROBLEMS },
      },
    },
    async (request) => {
      const caller = callerOf(request)
      requireRecent(caller, clock)
      return erasedView(await ownerData.erasePerson(governorOf(caller), personOf(request).user.id))
    },
  )
}
