import type { SigningKeyId } from '../../core/ids.ts'
import type { JsonObject } from '../../core/json.ts'
import type { ProofsSeen } from '../../core/proof/dpop-proofs.ts'
import type { RingChange, SigningKey, SigningKeyRing, SigningKeyState, SigningKeyStore } from '../../core/session/signing-key.ts'
import type { SigningAlgorithm } from '../../core/session/token-signer.ts'
import type { Instant } from '../../core/time.ts'
import { append } from './event-rows.ts'
import { changed, type Database, type Program, type Row, row, rows, run } from './program.ts'
import { bytesOrNull, integer, json, text } from './rows.ts'

const COLUMNS = 'id, algorithm, state, public_jwk, private_key, created_at, changed_at'

/** The version is read first: keys that are newer than it make the change that is built on them fail, never the other way round. */
function* read(): Program<SigningKeyRing> {
  const ring = yield* row('select version from signing_key_ring where one = 1')
  const found = yield* rows(`select ${COLUMNS} from signing_key where state <> 'retired' order by id`)
  return { version: ring === undefined ? 0 : integer(ring, 'version'), keys: found.map(toKey) }
}

function toKey(found: Row): SigningKey {
  return {
    id: text(found, 'id') as SigningKeyId,
    algorithm: text(found, 'algorithm') as SigningAlgorithm,
    state: text(found, 'state') as SigningKeyState,
    publicJwk: json<JsonObject>(found, 'public_jwk'),
    privateKey: bytesOrNull(found, 'private_key'),
    createdAt: integer(found, 'created_at'),
    changedAt: integer(found, 'changed_at'),
  }
}

function* write({ version, keys, events }: RingChange): Program<'written' | 'moved'> {
  if ((yield* run('update signing_key_ring set version = version + 1 where one = 1 and version = ?', version)) === 0) return 'moved'
  for (const key of keys) {
    yield* run(
      `insert into signing_key (${COLUMNS}) values (?, ?, ?, ?, ?, ?, ?)
       on conflict (id) do update set state = excluded.state, private_key = excluded.private_key, changed_at = excluded.changed_at`,
      key.id,
      key.algorithm,
      key.state,
      JSON.stringify(key.publicJwk),
      key.privateKey,
      key.createdAt,
      key.changedAt,
    )
  }
  for (const event of events) yield* append(event)
  yield* changed({ kind: 'signing_key' })
  return 'written'
}

export function signingKeysStore(database: Database): SigningKeyStore {
  return {
    read: () => database.read(read),
    write: (change) => database.write(() => write(change)),
  }
}

function* first(hash: string, until: Instant): Program<boolean> {
  return (yield* run('insert into proof_seen (hash, until) values (?, ?) on conflict do nothing', hash, until)) === 1
}

export function proofsSeenStore(database: Database): ProofsSeen {
  return {
    first: (hash, until) => database.write(() => first(hash, until)),
    forget: (before, limit) =>
      database.write(() => run('delete from proof_seen where hash in (select hash from proof_seen where until < ? order by until limit ?)', before, limit)),
  }
}
