import { Type } from 'typebox'
import type { Lineage } from '../../core/refresh/lineage.ts'
import type { ConfirmAs, RestoreService, RestoreStatus } from '../../core/refresh/restore-service.ts'
import { actorOf, callerOf } from '../authentication.ts'
import { isoOrNull } from '../connection-view.ts'
import { type App, closed, nullable, PROBLEMS, Time } from '../schema.ts'

const Database = {
  trust: Type.String({
    description:
      '`trusted`; `restored`: older than what a node has seen of it, refresh tokens that cannot be used twice are not presented; `cloned`: a copy from another place, no refresh token is presented.',
  }),
  since: nullable(Time),
  reason: nullable(Type.String()),
  instance: Type.String(),
  era: Type.Integer({ description: '+1 with every confirmed restore.' }),
  home: nullable(Type.Object({ id: Type.String(), name: Type.String(), timeline: nullable(Type.Integer()) })),
}

const Behind = Type.Object({
  connection: Type.String(),
  owner: nullable(Type.String()),
  integration: nullable(Type.String({ description: 'Slug.' })),
  marked_generation: Type.Integer({ description: 'The newest generation that a node has seen the database acknowledge.' }),
  stored_generation: nullable(Type.Integer({ description: 'Null: the connection was made after the backup and is gone.' })),
  mended: Type.Boolean({ description: 'It was reconnected or rolled forward since: nothing is to be done.' }),
})

const Status = Type.Object({
  ...Database,
  behind: Type.Array(Behind, { description: 'Rotated after this backup: they need a reconnect. At most 1,000.' }),
  waiting_for: Type.Array(Type.String(), {
    description: 'Running nodes that have not compared their marks yet, or still roll their journals forward. Empty: nothing goes on any more.',
  }),
  rolling_forward: Type.Array(Type.Object({ node: Type.String(), connections: Type.Integer() }), {
    description: 'Running nodes whose journals may still bring connections forward, and how many each has to look at.',
  }),
  absent: Type.Array(Type.String(), { description: 'Known nodes that do not run. Their journals may hold answers: start them before confirming.' }),
})

const Confirm = closed({
  as: Type.Unsafe<ConfirmAs>({
    type: 'string',
    enum: ['restored', 'original', 'clone'],
    description:
      '`restored`: this is the newest there is. `original`: a copy whose original is gone for good. `clone`: a copy whose original lives on: every grant here ends, in this copy only.',
  }),
  give_up_rolling: Type.Optional(
    Type.Boolean({
      description: 'Also end the grants that journals of running nodes still bring forward. Without it the confirmation is refused (409) while they do.',
    }),
  ),
})

const Outcome = Type.Object({
  ...Database,
  ended: Type.Integer({ description: 'Grants that now need a reconnect.' }),
  changed: Type.Boolean({
    description: 'False: the database was trusted already and nothing was done, whatever was asked. A copy that was not noticed is such a database.',
  }),
})

/** Seen and decided by an operator of the default organization. */
export function restoreRoutes(app: App, restore: Pick<RestoreService, 'mustOperate' | 'status' | 'confirm'>): void {
  app.get(
    '/api/v1/admin/restore',
    {
      config: { access: 'admin' },
      schema: {
        summary: 'Is the database trusted?',
        description: 'After a restore, a failover or a copy: why refresh tokens are held back, and which grants need a reconnect.',
        tags: ['operate'],
        response: { 200: Status, ...PROBLEMS },
      },
    },
    async (request) => {
      restore.mustOperate(callerOf(request).organization)
      return statusView(await restore.status())
    },
  )
  app.post(
    '/api/v1/admin/restore/confirm',
    {
      config: { access: 'admin' },
      schema: {
        summary: 'Trust the database again',
        description: 'Ends the grants that cannot be saved (`needs_reauth`), then refreshes go on. Repeating it is harmless.',
        tags: ['operate'],
        body: Confirm,
        response: { 200: Outcome, ...PROBLEMS },
      },
    },
    async (request) => {
      const caller = callerOf(request)
      const { lineage, ended, changed } = await restore.confirm(caller.organization, actorOf(caller), request.body.as, request.body.give_up_rolling)
      return { ...databaseView(lineage), ended, changed }
    },
  )
}

function databaseView({ trusted, since, reason, instance, era, home }: Lineage) {
  return { trust: trusted, since: isoOrNull(since), reason, instance, era, home }
}

function statusView({ lineage, behind, waitingFor, rolling, absent }: RestoreStatus) {
  return {
    ...databaseView(lineage),
    behind: behind.map(({ connection, owner, integration, marked, stored, mended }) => ({
      connection,
      owner,
      integration,
      marked_generation: marked,
      stored_generation: stored,
      mended,
    })),
    waiting_for: waitingFor,
    rolling_forward: rolling,
    absent,
  }
}
