import type { AgentCaller } from '../../core/agent/agent-caller.ts'
import { INSTALLATION_STATUSES } from '../../core/agent/installation.ts'
import type { ListedInstallation } from '../../core/agent/installation-service.ts'
import { Fault } from '../../core/fault/fault.ts'
import { type InstallationId, idPattern } from '../../core/ids.ts'
import { personActor } from '../../core/session/session-events.ts'
import type { Present } from '../../core/session/session-service.ts'
import { ownerOf } from '../../core/user/user.ts'
import type { App } from '../schema.ts'
import { sendMe } from './me-routes.ts'
import type { PageDesk } from './page-desk.ts'
import { cutOffAllQuestion, cutOffQuestion, programList, type ShownProgram } from './programs-page.ts'

const PUBLIC = { config: { access: 'public' as const } }
const SECTION = { current: '/me/programs', title: 'Your programs' } as const
const INSTALLATION_ID = new RegExp(idPattern('ins'))
const LOOKED_AT = 200
type IdParams = { Params: { id: string } }

/** The programs of the person: Rotate and Cut off, one by one and all at once. */
export function programsRoutes(app: App, desk: PageDesk): void {
  listRoute(app, desk)
  singleRoutes(app, desk)
  allRoutes(app, desk)
}

/** Here a person reaches their own and nothing else, whatever the role. */
function callerOf({ user, session }: Present): AgentCaller {
  const { organization } = session
  return { organization, actor: personActor(user.id), user: user.id, own: { user: user.id, connectionOwner: ownerOf(user) }, gives: [] }
}

async function programsOf(desk: PageDesk, person: Present): Promise<readonly ShownProgram[]> {
  const { installations, agents } = desk.parts.services
  const caller = callerOf(person)
  const [found, named] = await Promise.all([
    installations.list(caller, { limit: LOOKED_AT, after: null }),
    agents.list(caller, { limit: LOOKED_AT, after: null }),
  ])
  const names = new Map(named.map(({ id, name }) => [id, name]))
  return found.map((one) => shown(one, names.get(one.installation.agent) ?? 'A program'))
}

function shown({ installation, head }: ListedInstallation, agentName: string): ShownProgram {
  return { installation, head, agentName }
}

function listRoute(app: App, desk: PageDesk): void {
  const { clock } = desk.parts.services
  app.get('/me/programs', PUBLIC, async (request, reply) => {
    const person = await desk.person(request)
    await desk.keepAlive(person, request, reply)
    return sendMe({ desk, person, request, reply }, SECTION, programList(await programsOf(desk, person), clock.wall()))
  })
}

function singleRoutes(app: App, desk: PageDesk): void {
  const { installations } = desk.parts.services
  app.post<IdParams>('/me/programs/:id/rotate', PUBLIC, async (request, reply) => {
    desk.form(request)
    const person = await desk.person(request)
    await installations.rotate(callerOf(person), { installation: installationId(request.params.id) }, null)
    return reply.redirect('/me/programs?done=program_rotated', 303)
  })
  app.get<IdParams>('/me/programs/:id/cut-off', PUBLIC, async (request, reply) => {
    const person = await desk.person(request)
    const { installation, head, agent } = await installations.get(callerOf(person), installationId(request.params.id))
    return sendMe({ desk, person, request, reply }, { ...SECTION, title: 'Cut off' }, cutOffQuestion({ installation, head, agentName: agent.name }))
  })
  app.post<IdParams>('/me/programs/:id/cut-off', PUBLIC, async (request, reply) => {
    desk.form(request)
    const person = await desk.person(request)
    await installations.cutOff(callerOf(person), { installation: installationId(request.params.id) }, 'owner_request', null)
    return reply.redirect('/me/programs?done=program_cut_off', 303)
  })
}

function allRoutes(app: App, desk: PageDesk): void {
  const { installations } = desk.parts.services
  app.post('/me/programs/rotate', PUBLIC, async (request, reply) => {
    desk.form(request)
    await installations.rotate(callerOf(await desk.person(request)), 'own', null)
    return reply.redirect('/me/programs?done=programs_rotated', 303)
  })
  app.get('/me/programs/cut-off', PUBLIC, async (request, reply) => {
    const person = await desk.person(request)
    const counts = await installations.count(callerOf(person))
    const live = INSTALLATION_STATUSES.filter((status) => status !== 'retired').reduce((sum, status) => sum + counts[status], 0)
    return sendMe({ desk, person, request, reply }, { ...SECTION, title: 'Cut off all' }, cutOffAllQuestion(live))
  })
  app.post('/me/programs/cut-off', PUBLIC, async (request, reply) => {
    desk.form(request)
    await installations.cutOff(callerOf(await desk.person(request)), 'own', 'owner_request', null)
    return reply.redirect('/me/programs?done=programs_cut_off', 303)
  })
}

/** @throws Fault `not_found`, as for one that never was */
function installationId(text: string): InstallationId {
  if (!isInstallationId(text)) throw new Fault('not_found')
  return text
}

function isInstallationId(text: string): text is InstallationId {
  return INSTALLATION_ID.test(text)
}
