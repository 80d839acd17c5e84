import type { Mutant } from './mutant.ts'

/** Rules of the store: taken out of its statements and, for the seeds, of the store on plain maps. */
export const storeMutants: readonly Mutant[] = [
  {
    name: 'answer_fenced_by_its_lease',
    does: 'refuses an answer whose lease went to somebody else',
    edits: [
      { file: 'store/sql/grants.ts', find: 'and fingerprint is ? and exists (', replace: 'and fingerprint is ? and intent_id = ? and exists (' },
      {
        file: 'store/sql/grants.ts',
        find: '    commit.presentedFingerprint,\n    account,\n',
        replace: '    commit.presentedFingerprint,\n    commit.intent,\n    account,\n',
      },
      {
        file: 'store/sql/grants.ts',
        find: "const current = yield* row('select generation, fingerprint, lease_epoch from credential where connection_id = ?', commit.connection)",
        replace:
          "const current = yield* row('select case when intent_id = ? then generation else -1 end as generation, fingerprint, lease_epoch from credential where connection_id = ?', commit.intent, commit.connection)",
      },
      {
        file: 'store/sql/grants.ts',
        find: 'k.revoke_rule, c.generation, c.fingerprint,',
        replace: 'k.revoke_rule, case when c.intent_id = a0.id then c.generation else -1 end as generation, c.fingerprint,',
      },
      {
        file: 'store/sql/grants.ts',
        find: 'from connection k join credential c on c.connection_id = k.id left join answer a on a.intent_id = ? where k.id = ?`,',
        replace:
          'from (select ? as id) a0 join connection k join credential c on c.connection_id = k.id left join answer a on a.intent_id = a0.id where k.id = ?`,',
      },
      {
        file: 'store/memory/grants.ts',
        find: '  if (generation !== commit.presentedGeneration || fingerprint !== commit.presentedFingerprint) {',
        replace: '  if (generation !== commit.presentedGeneration || row.grant.credential.intent?.id !== commit.intent) {',
      },
    ],
    scenario: 'answer-outlives-its-lease',
  },
  {
    name: 'blind_write',
    does: 'stores an answer over whatever credential is there',
    edits: [
      {
        file: 'store/sql/grants.ts',
        find: "  if (generation !== commit.presentedGeneration || textOrNull(current, 'fingerprint') !== commit.presentedFingerprint) {",
        replace: '  if (generation < 0) {',
      },
      {
        file: 'store/memory/grants.ts',
        find: '  if (generation !== commit.presentedGeneration || fingerprint !== commit.presentedFingerprint) {',
        replace: '  if (generation < 0 || fingerprint === undefined) {',
      },
    ],
    scenario: 'reconnect-wins',
  },
  {
    name: 'replays_without_looking',
    does: 'applies an answer again at every replay',
    edits: [
      {
        file: 'store/memory/grants.ts',
        find: "  if (earlier?.applied === true) return { kind: 'already', generation: earlier.generation + 1 }\n",
        replace: '',
      },
      {
        file: 'store/memory/grants.ts',
        find: '  if (generation !== commit.presentedGeneration || fingerprint !== commit.presentedFingerprint) {',
        replace: '  if (generation < 0 || fingerprint === undefined || earlier === null) {',
      },
    ],
    scenario: 'journal-replayed-again-and-again',
  },
  {
    name: 'released_by_anyone',
    does: 'gives back whatever lease stands there',
    edits: [
      {
        file: 'store/sql/claims.ts',
        find: '     where connection_id = ? and intent_id = ?`,\n    connection,\n    intent,\n',
        replace: '     where connection_id = ? and coalesce(?, intent_id) is not null`,\n    connection,\n    intent,\n',
      },
      {
        file: 'store/memory/claims.ts',
        find: '  if (row === undefined || row.grant.credential.intent?.id !== intent) return\n',
        replace: '  if (row === undefined || intent.length === 0) return\n',
      },
    ],
    scenario: 'release-of-another-lease',
  },
  {
    name: 'no_re_read',
    does: 'believes a refusal without looking whether the token is still the newest',
    edits: [
      {
        file: 'store/sql/grants.ts',
        find: "  if (generation !== commit.presentedGeneration) return { kind: 'moved', generation }\n",
        replace: '',
      },
      {
        file: 'store/memory/grants.ts',
        find: "  if (generation !== commit.presentedGeneration) return { kind: 'moved', generation }\n",
        replace: '',
      },
    ],
    scenario: 'verdict-about-an-old-token',
  },
  {
    name: 'claim_without_epoch',
    does: 'claims on a plan made before somebody else spent the token',
    edits: [
      { file: 'store/sql/claims.ts', find: 'generation = ? and lease_epoch = ? and', replace: 'generation = ? and lease_epoch >= ? and' },
      { file: 'store/sql/claims.ts', find: "  if (integer(current, 'lease_epoch') !== request.epoch) return { kind: 'moved', generation }\n", replace: '' },
      { file: 'store/memory/claims.ts', find: "  if (credential.epoch !== request.epoch) return { kind: 'moved', generation }\n", replace: '' },
    ],
    scenario: 'stale-plan',
  },
  {
    name: 'orphan_forgotten',
    does: 'overwrites the intent of a dead holder without a suspicion',
    edits: [
      { file: 'store/sql/claims.ts', find: 'suspect_intent = coalesce(suspect_intent, intent_id)`', replace: 'suspect_intent = suspect_intent`' },
      {
        file: 'store/memory/claims.ts',
        find: '  if (suspicion !== null || intent === null) return suspicion\n',
        replace: '  if (intent?.id !== "") return suspicion\n',
      },
    ],
    scenario: 'orphan-becomes-suspicion',
  },
  {
    name: 'late_answer_not_revoked',
    does: 'leaves the tokens of an answer that came after the disconnect valid at the provider',
    edits: [
      { file: 'store/sql/grants.ts', find: '    yield* queueLateRevocation(found, commit)\n', replace: '' },
      { file: 'store/memory/grants.ts', find: '    queueLateRevocation(tables, dropFlight(tables, row, commit.intent), commit)\n', replace: '' },
    ],
    scenario: 'disconnect-wins',
  },
]
