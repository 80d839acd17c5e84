import { Type } from 'typebox'
import { SECOND } from '../../core/time.ts'
import { callerOf } from '../authentication.ts'
import { iso, isoOrNull } from '../connection-view.ts'
import { type App, nullable, PROBLEMS, Time } from '../schema.ts'
import type { Services } from '../services.ts'

/** A count of many values goes on behind an answer that has waited this long. */
const COUNT_PATIENCE_MS = 5 * SECOND

const MasterKeyView = Type.Object({
  id: Type.String(),
  state: Type.Union([Type.Literal('seals'), Type.Literal('opens'), Type.Literal('missing')], {
    description: '`seals`: the first of the keyring. `opens`: another one of it. `missing`: values were sealed with it, and it is not in the keyring.',
  }),
  values: Type.Integer({ description: 'Stored values that only this key opens.' }),
})
const EncryptionView = Type.Object({
  keys: Type.Array(MasterKeyView),
  reseal: Type.Object({
    total: Type.Integer({ description: 'Sealed values in all.' }),
    done: Type.Integer({ description: 'Sealed with the first key of the keyring. A value that is written again is sealed with it.' }),
  }),
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

/** The keys of the server itself, without any of their secrets. */
export function keyringRoutes(app: App, { encryption, signingKeys, timers }: Services): void {
  app.get(
    '/api/v1/keys/encryption',
    {
      config: { access: 'admin' },
      schema: {
        summary: 'Master keys and what they seal',
        description: 'Counted over the whole database, in slices, and kept for some minutes. Only the default organization may look.',
        tags: ['operate'],
        response: { 200: EncryptionView, ...PROBLEMS },
      },
    },
    async (request) => {
      signingKeys.mustOperate(callerOf(request).organization)
      const { complete, countedAt, counts } = await encryption.take(timers.sleep(COUNT_PATIENCE_MS))
      const ids = [...new Set([...encryption.keyring, ...[...counts.keys()].sort()])]
      const keys = ids.map((id) => ({ id, state: stateOf(encryption.keyring, id), values: counts.get(id) ?? 0 }))
      const total = keys.reduce((sum, { values }) => sum + values, 0)
      const done = keys.find(({ state }) => state === 'seals')?.values ?? 0
      return { keys, reseal: { total, done }, complete, counted_at: isoOrNull(countedAt) }
    },
  )
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

function stateOf(keyring: readonly string[], id: string): 'seals' | 'opens' | 'missing' {
  if (keyring[0] === id) return 'seals'
  return keyring.includes(id) ? 'opens' : 'missing'
}
