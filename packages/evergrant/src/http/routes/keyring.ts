import { Type } from 'typebox'
import { Fault } from '../../core/fault/fault.ts'
import type { KeysStatus } from '../../core/operate/keys-service.ts'
import type { Reseal } from '../../core/operate/reseals.ts'
import { type Instant, SECOND } from '../../core/time.ts'
import { actorOf, callerOf } from '../authentication.ts'
import { iso, isoOrNull } from '../connection-view.ts'
import { sendProgress } from '../progress-stream.ts'
import { type App, closed, nullable, PROBLEMS, Time } from '../schema.ts'
import type { Services } from '../services.ts'

/** A count of many values goes on behind an answer that has waited this long. */
const COUNT_PATIENCE_MS = 5 * SECOND

const MasterKeyView = Type.Object({
  id: Type.String(),
  state: Type.Union([Type.Literal('seals'), Type.Literal('waits'), Type.Literal('opens'), Type.Literal('missing')], {
    description:
      '`seals`: this node seals with it. `waits`: the first of the keyring, which seals as soon as every node has it. `opens`: another one of the keyring. `missing`: values were sealed with it, and it is not in the keyring of this node.',
  }),
  values: Type.Integer({ description: 'Stored values that only this key opens.' }),
  places: Type.Record(Type.String(), Type.Integer(), { description: 'The same by table.' }),
  journal: Type.Integer({ description: 'Answers in the journals of nodes that only this key opens and that the database is not known to have.' }),
})
const NodeView = Type.Object({
  id: Type.String(),
  alive: Type.Boolean(),
  kind: nullable(
    Type.Union([Type.Literal('server'), Type.Literal('command')], {
      description: '`command`: a command line that opened the database itself, and ends by itself. Null: as for `keys`.',
    }),
  ),
  keys: nullable(Type.Array(Type.String(), { description: 'Null: it has not said yet, or is of an older version.' })),
  seals: nullable(Type.String()),
})
const ResealView = Type.Object({
  key: Type.String({ description: 'The master key that everything is sealed with.' }),
  started_at: Time,
  total: nullable(Type.Integer({ description: 'Values that another key sealed when it began; null while they are counted.' })),
  done: Type.Integer({ description: 'Values that were sealed anew. A value that is written meanwhile is sealed with the new key by itself.' }),
  unopened: Type.Integer({ description: 'Values that did not open. They stay as they are, and heal when their key is back.' }),
  per_second: nullable(Type.Number()),
  seconds_left: nullable(Type.Integer()),
  finished_at: nullable(Time),
})
const KeysView = Type.Object({
  keys: Type.Array(MasterKeyView),
  source: Type.Union([Type.Literal('file'), Type.Literal('environment')], { description: 'Where this node has its keys from.' }),
  nodes: Type.Array(NodeView),
  reseal: nullable(ResealView),
  complete: Type.Boolean({ description: 'False: the count goes on; ask again.' }),
  counted_at: nullable(Time),
})
const SigningKeyView = Type.Object({
  id: Type.String(),
  algorithm: Type.String(),
  state: Type.Union([Type.Literal('next'), Type.Literal('active'), Type.Literal('retiring')]),
  created_at: Time,
  since: Time,
  changes_at: nullable(Type.String({ description: 'When the schedule moves it on; null while it waits for another key to move.' })),
  becomes: Type.String(),
})
const KeyId = Type.String({ pattern: '^[A-Za-z0-9_-]{1,32}$', description: 'Id of a master key.' })

/** The keys of the server itself, without any of their secrets. */
export function keyringRoutes(app: App, services: Services): void {
  masterKeyRoutes(app, services)
  resealRoutes(app, services)
  signingKeyRoute(app, services)
}

function masterKeyRoutes(app: App, { keys, signingKeys, timers, clock }: Services): void {
  app.get(
    '/api/v1/admin/keys',
    {
      config: { access: 'admin' },
      schema: {
        summary: 'Master keys, what they seal, and which node has them',
        description: 'Counted over the whole database, in slices, and kept for some minutes. Only the default organization may look.',
        tags: ['operate'],
        response: { 200: KeysView, ...PROBLEMS },
      },
    },
    async (request) => {
      signingKeys.mustOperate(callerOf(request).organization)
      return keysView(await keys.status(timers.sleep(COUNT_PATIENCE_MS)), clock.wall())
    },
  )
  app.post(
    '/api/v1/admin/keys/reload',
    {
      config: { access: 'admin' },
      schema: {
        summary: 'Read the key file again',
        description: 'For a server whose keys stand in `keys.json` of its data folder. The first key of the file seals from now on.',
        tags: ['operate'],
        response: { 200: Type.Object({ reloaded: Type.Boolean() }), ...PROBLEMS },
      },
    },
    async (request) => {
      signingKeys.mustOperate(callerOf(request).organization)
      await keys.reload()
      return { reloaded: true }
    },
  )
  app.delete(
    '/api/v1/admin/keys/:id',
    {
      config: { access: 'admin' },
      schema: {
        summary: 'Take a master key away that seals nothing',
        description:
          'Counts first, and refuses with every place where the key is used. `removed`: it was taken out of the key file. `unused`: nothing uses it, and it may be taken out of `EVERGRANT_MASTER_KEYS` of every node.',
        tags: ['operate'],
        params: closed({ id: KeyId }),
        response: { 200: Type.Object({ id: Type.String(), outcome: Type.Union([Type.Literal('removed'), Type.Literal('unused')]) }), ...PROBLEMS },
      },
    },
    async (request) => {
      const caller = callerOf(request)
      signingKeys.mustOperate(caller.organization)
      const { id } = request.params
      return { id, outcome: await keys.remove(caller.organization, actorOf(caller), id) }
    },
  )
}

function resealRoutes(app: App, services: Services): void {
  const { keys, signingKeys, clock } = services
  const shown = (reseal: Reseal) => resealView(reseal, clock.wall())
  app.post(
    '/api/v1/admin/keys/reseal',
    {
      config: { access: 'admin' },
      schema: {
        summary: 'Seal everything anew with the first master key',
        description:
          'Begins, or goes on, and works on it for up to a second before it answers. The rest is done by the nodes, one at a time; the end of one of them ends nothing. Repeating it is harmless. Refused while a live node lacks the key, which is named.',
        tags: ['operate'],
        response: { 202: ResealView, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request)
      signingKeys.mustOperate(caller.organization)
      return reply.code(202).send(shown(await keys.reseal(caller.organization, actorOf(caller))))
    },
  )
  app.get(
    '/api/v1/admin/keys/reseal/stream',
    {
      config: { access: 'admin' },
      schema: {
        summary: 'How far sealing anew is',
        description: 'Server-sent events: `progress` when a number changed, `done` at the end. Read with `fetch`; an earlier stream is simply opened again.',
        tags: ['operate'],
        response: { 200: Type.String({ description: 'text/event-stream' }), ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request)
      signingKeys.mustOperate(caller.organization)
      const look = async (): Promise<Reseal> => {
        const reseal = await keys.progress()
        if (reseal === null) throw new Fault('not_found', { detail: 'Nothing was ever sealed anew here. Begin with POST /api/v1/admin/keys/reseal.' })
        return reseal
      }
      return reply.send(sendProgress(reply, services, caller, { first: await look(), look, view: shown, over: ({ finishedAt }) => finishedAt !== null }))
    },
  )
}

function signingKeyRoute(app: App, { signingKeys }: Services): void {
  app.get(
    '/api/v1/signing-keys',
    {
      config: { access: 'admin' },
      schema: {
        summary: 'Keys of access tokens, and what is next',
        tags: ['operate'],
        response: { 200: Type.Object({ items: Type.Array(SigningKeyView) }), ...PROBLEMS },
      },
    },
    async (request) => {
      signingKeys.mustOperate(callerOf(request).organization)
      const items = (await signingKeys.schedule()).map(({ id, algorithm, state, createdAt, changedAt, changesAt, becomes }) => ({
        id,
        algorithm,
        state,
        created_at: iso(createdAt),
        since: iso(changedAt),
        changes_at: isoOrNull(changesAt),
        becomes,
      }))
      return { items }
    },
  )
}

function keysView({ ring, seals, source, census, nodes, reseal }: KeysStatus, now: Instant) {
  const { complete, countedAt, counts, places } = census
  const journals = nodes.flatMap(({ keyring }) => Object.entries(keyring?.journal ?? {}))
  const ids = [...new Set([...ring, ...[...counts.keys(), ...journals.map(([id]) => id)].sort()])]
  const stateOf = (id: string) => (id === seals ? 'seals' : id === ring[0] ? 'waits' : ring.includes(id) ? 'opens' : 'missing')
  return {
    keys: ids.map((id) => ({
      id,
      state: stateOf(id),
      values: counts.get(id) ?? 0,
      places: Object.fromEntries(places.get(id) ?? []),
      journal: journals.reduce((sum, [key, answers]) => (key === id ? sum + answers : sum), 0),
    })),
    source,
    nodes: nodes.map(({ id, alive, about, keyring }) => ({
      id,
      alive,
      kind: about?.kind ?? null,
      keys: keyring === null ? null : [...keyring.ids],
      seals: keyring?.seals ?? null,
    })),
    reseal: reseal === null ? null : resealView(reseal, now),
    complete,
    counted_at: isoOrNull(countedAt),
  }
}

function resealView({ key, startedAt, total, done, unopened, finishedAt }: Reseal, now: Instant) {
  const seconds = ((finishedAt ?? now) - startedAt) / SECOND
  const rate = seconds > 0 && done > 0 ? done / seconds : null
  const left = total === null ? null : Math.max(0, total - done - unopened)
  return {
    key,
    started_at: iso(startedAt),
    total,
    done,
    unopened,
    per_second: rate === null ? null : Math.round(rate * 10) / 10,
    seconds_left: finishedAt !== null || rate === null || left === null ? null : Math.ceil(left / rate),
    finished_at: isoOrNull(finishedAt),
  }
}
