import { expect, test } from 'vitest'
import { installationRow, KEY, SdkRecordKeeper, START, TOKEN_LIFE_MS, tokenRow } from '../../testing/sdk-games.ts'
import { DAY, HOUR, MINUTE, SECOND } from '../time.ts'
import { CROSSING_MS } from './sdk-rotation.ts'

const FIRST = { generation: 1, attempt: 'attempt of enrolment..' }
/** Long enough after everything before it: no proof of now is older. */
const LATER = START + HOUR

/** Generation 2 was given for attempt `a`, and seen in use. */
function rotated(used = true) {
  const record = new SdkRecordKeeper()
  const { given } = record.present(FIRST, 'a', START + MINUTE)
  if (used) record.use(2, START + 2 * MINUTE)
  return { record, second: given! }
}

test('the newest token: a refresh gives its successor, with a new attempt and a new generation', () => {
  const { record, second } = rotated(false)
  expect(second).toMatchObject({
    generation: 2,
    attempt: 'a',
    state: 'active',
    activatedAt: null,
    metadata: { source: 'token_rotation', recovered_from: null },
  })
  expect(record.installation).toMatchObject({ generation: 2, head: second.id, lastRefreshedAt: START + MINUTE })
  expect([...record.tokens.values()][0]).toMatchObject({ state: 'superseded', supersededAt: START + MINUTE, activatedAt: START + MINUTE })
})

test('the newest token: a recovery is told to refresh', () => {
  expect(new SdkRecordKeeper().present(FIRST, 'a', LATER, { verb: 'recover' })).toMatchObject({ code: 'use_refresh' })
})

for (const verb of ['refresh', 'recover'] as const) {
  test(`the one before, and nobody was seen with the newest: ${verb} takes the newest back and gives another one`, () => {
    const { record, second } = rotated(false)
    const { kind, given } = record.present(FIRST, 'b', LATER, { verb })
    expect(kind).toBe('issue')
    expect(given).toMatchObject({ generation: 3, attempt: 'b', parent: second.parent, metadata: { source: 'token_reissue' } })
    expect(record.tokens.get(second.id)).toMatchObject({ state: 'withdrawn', supersededAt: LATER })
    expect(record.events.map(({ type }) => type)).toEqual(['sdk_token.reissued'])
  })

  test(`the same attempt, answered and not used: ${verb} gets the same bytes, however late and however often`, () => {
    const { record, second } = rotated(false)
    for (const at of [START + MINUTE + 1, START + DAY]) expect(record.present(FIRST, 'a', at, { verb })).toMatchObject({ kind: 'again', given: second })
    expect(record.installation.generation).toBe(2)
  })

  test(`the same attempt, answered and used: ${verb} is over and changes nothing`, () => {
    const { record } = rotated()
    const before = record.snapshot()
    expect(record.present(FIRST, 'a', LATER, { verb })).toMatchObject({ code: 'attempt_over' })
    expect(record.snapshot()).toEqual(before)
  })

  test(`replaced a moment ago by another process: ${verb} is told to read the file again, and gets no token`, () => {
    const { record } = rotated()
    const before = record.snapshot()
    expect(record.present(FIRST, 'b', START + MINUTE + CROSSING_MS - 1, { verb })).toMatchObject({ code: 'reload_credentials', given: null })
    expect(record.snapshot()).toEqual(before)
  })

  test(`a proof that is older than the successor: ${verb} locks nobody, however late it arrives`, () => {
    const { record } = rotated()
    expect(record.present(FIRST, 'b', START + DAY, { verb, provenAt: START })).toMatchObject({ code: 'reload_credentials' })
    expect(record.installation.status).toBe('active')
  })

  test(`older, with a proof of now: ${verb} locks the installation, revokes its newest token, and names both machines`, () => {
    const { record, second } = rotated()
    expect(record.present(FIRST, 'b', LATER, { verb }).kind).toBe('clone')
    expect(record.installation).toMatchObject({ status: 'locked', lock: { code: 'clone', at: LATER }, minGeneration: 3 })
    expect(record.tokens.get(second.id)).toMatchObject({ state: 'revoked', revokeClass: 'reuse_detected' })
    expect(record.events.map(({ type }) => type).slice(-2)).toEqual(['installation.clone_suspected', 'installation.locked'])
    expect(record.installation.lock?.message).toContain('web-2')
    expect(record.present(second, 'c', LATER + 1, { verb })).toMatchObject({ code: 'installation_locked' })
  })

  test(`taken back, with a proof of now: ${verb} locks the installation`, () => {
    const { record, second } = rotated(false)
    record.present(FIRST, 'b', START + 2 * MINUTE)
    expect(record.present(second, 'c', LATER, { verb }).kind).toBe('clone')
    expect(record.installation.status).toBe('locked')
  })

  test.each(['owner_request', 'compromise', 'offboarding', 'reuse_detected'] as const)(`cut off (%s): ${verb} is forbidden for ever`, (revokeClass) => {
    const { record, second } = rotated()
    record.revoke({ class: revokeClass }, LATER)
    for (const at of [LATER, LATER + 400 * DAY])
      expect(record.present(second, 'b', at, { verb }).outcome?.judgement).toMatchObject({ code: 'recovery_forbidden', class: revokeClass })
  })

  test(`ahead of the record: ${verb} makes the record follow, and the one in the record is not gone on with`, () => {
    const record = new SdkRecordKeeper()
    const { given } = record.present({ generation: 7, attempt: 'lost with the database' }, 'b', LATER, { verb })
    expect(given).toMatchObject({ generation: 8, metadata: { source: 'roll_forward' } })
    expect(record.events.map(({ type }) => type)).toEqual(['installation.rolled_forward'])
    expect(record.installation.status).toBe('active')
  })

  test(`so old that its row is gone: ${verb} locks, as any older one does`, () => {
    const record = new SdkRecordKeeper(installationRow({ generation: 90, floorGeneration: 80 }), tokenRow({ generation: 90, activatedAt: START }))
    expect(record.present({ generation: 79, attempt: 'of last month' }, 'b', LATER, { verb }).kind).toBe('clone')
  })
}

test('of a timeline that a restored database forgot, and older than what went on since: a late proof is told to reload, a proof of now locks', () => {
  const record = new SdkRecordKeeper()
  record.present({ generation: 7, attempt: 'newest before the restore' }, 'b', LATER)
  const older = { generation: 5, attempt: 'older before the restore' }
  expect(record.present(older, 'c', LATER + HOUR, { provenAt: LATER })).toMatchObject({ code: 'reload_credentials' })
  expect(record.present(older, 'd', LATER + HOUR).kind).toBe('clone')
})

test('over by time: a refresh says so, and a recovery counts against the limit', () => {
  const record = new SdkRecordKeeper(installationRow(), tokenRow({ createdAt: START + 40 * DAY }))
  const at = START + TOKEN_LIFE_MS
  expect(record.present(FIRST, 'a', at)).toMatchObject({ code: 'sdk_token_expired' })
  const { given } = record.present(FIRST, 'a', at, { verb: 'recover' })
  expect(given?.metadata).toEqual({ source: 'token_recovery', recovered_from: tokenRow().id, recovery_reason: 'expired' })
  expect(record.installation.recoveries).toEqual([at])
  expect(record.attempts).toMatchObject([{ outcome: 'succeeded', counted: true, newToken: given?.id }])
})

test.each(['hygiene', 'policy', 'key_rollover'] as const)('rotated by an operator or a policy (%s): a refresh says so, and a recovery heals', (revokeClass) => {
  const { record, second } = rotated()
  record.revoke({ class: revokeClass }, LATER)
  expect(record.present(second, 'b', LATER).outcome?.judgement).toMatchObject({ code: 'sdk_token_rotated', class: revokeClass })
  const { given } = record.present(second, 'b', LATER, { verb: 'recover' })
  expect(given?.metadata).toEqual({ source: 'token_recovery', recovered_from: second.id, recovery_reason: revokeClass })
  expect(record.installation.recoveries).toEqual([LATER])
})

test('with a ticket, a recovery counts against no limit and no breaker, and asks nobody', () => {
  const { record, second } = rotated()
  record.installation = { ...record.installation, recoveries: [1, 2, 3, 4, 5].map((day) => START - day), cooldownUntil: LATER + DAY }
  record.settings = { ...record.settings, breakerUntil: LATER + DAY, recovery: { ...record.settings.recovery, mode: 'approve' } }
  record.revoke({ ticket: true }, LATER)
  expect(record.present(second, 'b', LATER + 50 * DAY, { verb: 'recover' })).toMatchObject({ kind: 'issue' })
  expect(record.installation.recoveries).toHaveLength(5)
})

test('a recovery consumes what was shown: the second one is a lost answer, and after a use it is a copy', () => {
  const { record, second } = rotated()
  record.revoke({}, LATER)
  record.present(second, 'b', LATER, { verb: 'recover' })
  const { given } = record.present(second, 'c', LATER + 3 * MINUTE, { verb: 'recover' })
  expect(given).toMatchObject({ metadata: { source: 'token_reissue' } })
  expect(record.installation.recoveries).toHaveLength(1)
  record.use(given!.generation, LATER + 4 * MINUTE)
  expect(record.present(second, 'd', LATER + HOUR, { verb: 'recover' }).kind).toBe('clone')
})

test('an answer was lost, and then an operator rotated: the same attempt and the same old token heal', () => {
  const { record } = rotated(false)
  record.revoke({ ticket: true }, LATER)
  expect(record.present(FIRST, 'a', LATER)).toMatchObject({ code: 'sdk_token_rotated' })
  const healed = record.present(FIRST, 'a', LATER, { verb: 'recover' })
  expect(healed).toMatchObject({ kind: 'issue', given: { attempt: 'a', generation: 3 } })
  expect(record.present(FIRST, 'a', LATER + 1, { verb: 'recover' })).toMatchObject({ kind: 'again', given: healed.given })
})

test('a proof that is older than the newest token takes nothing back, and says when a new one would', () => {
  const { record, second } = rotated(false)
  const before = record.snapshot()
  const late = record.present(FIRST, 'b', LATER, { provenAt: START + MINUTE }).outcome?.judgement
  expect(late).toMatchObject({ code: 'reload_credentials', retryAt: START + 3 * MINUTE })
  expect(record.snapshot()).toEqual(before)
  expect(record.present(second, 'c', LATER)).toMatchObject({ kind: 'issue' })
})

test('a restored database, a lost answer and an operator who rotates meanwhile: the machine heals, and nobody is locked', () => {
  const record = new SdkRecordKeeper()
  const newest = { generation: 7, attempt: 'lost with the database' }
  record.present(newest, 'b', LATER)
  expect(record.present(newest, 'c', LATER + HOUR)).toMatchObject({ kind: 'issue', given: { metadata: { source: 'token_reissue' } } })
  record.revoke({ ticket: true }, LATER + 2 * HOUR)
  expect(record.present(newest, 'c', LATER + 3 * HOUR, { verb: 'recover' })).toMatchObject({ kind: 'issue' })
})

test('a first request that arrives after another attempt was answered, and not yet used, locks nobody', () => {
  const { record, second } = rotated(false)
  record.present(FIRST, 'the delayed first one', START + 5 * MINUTE, { provenAt: START })
  expect(record.present(second, 'next', LATER)).toMatchObject({ kind: 'issue' })
})

test('answers are taken back five times an hour at most', () => {
  const record = new SdkRecordKeeper()
  record.present(FIRST, 'first', LATER)
  for (let count = 0; count < 5; count++) expect(record.present(FIRST, `again ${count}`, LATER + (count + 1) * 3 * MINUTE)).toMatchObject({ kind: 'issue' })
  expect(record.present(FIRST, 'once more', LATER + 18 * MINUTE).outcome?.judgement).toMatchObject({
    code: 'reissued_too_often',
    retryAt: LATER + 3 * MINUTE + HOUR,
  })
  expect(record.present(FIRST, 'once more', LATER + 3 * MINUTE + HOUR)).toMatchObject({ kind: 'issue' })
})

test('answers that were taken back while the clock was a year ahead are not counted once it is right again', () => {
  const record = new SdkRecordKeeper()
  record.installation = { ...record.installation, reissues: Array.from({ length: 5 }, (_, count) => LATER + 365 * DAY + count) }
  record.present(FIRST, 'first', LATER)
  expect(record.present(FIRST, 'again', LATER + 3 * MINUTE)).toMatchObject({ kind: 'issue' })
  expect(record.installation.reissues).toEqual([LATER + 3 * MINUTE])
})

test('another key is a stranger, whatever it shows', () => {
  const { record, second } = rotated()
  for (const verb of ['refresh', 'recover'] as const)
    for (const held of [FIRST, second]) expect(record.present(held, 'b', LATER, { verb, key: 'other' }).kind).toBe('stranger')
  expect(record.installation.status).toBe('active')
})

test('who is stopped hears by whom, and nothing that is shown changes anything', () => {
  const { record, second } = rotated()
  const before = record.snapshot()
  const answers = () => [FIRST, second].map((held) => record.present(held, 'b', LATER).code)
  record.agent = { ...record.agent, status: 'suspended' }
  expect(answers()).toEqual(['agent_suspended', 'agent_suspended'])
  record.agent = { ...record.agent, status: 'revoked' }
  expect(answers()).toEqual(['agent_revoked', 'agent_revoked'])
  record.agent = { ...record.agent, status: 'verified' }
  record.ownerActive = false
  expect(answers()).toEqual(['owner_inactive', 'owner_inactive'])
  record.ownerActive = true
  expect(record.snapshot()).toEqual(before)
  record.installation = { ...record.installation, status: 'retired' }
  expect(answers()).toEqual(['installation_retired', 'installation_retired'])
  record.installation = { ...record.installation, status: 'active', expiresAt: LATER }
  expect(answers()).toEqual(['installation_expired', 'installation_expired'])
})

test('no recovery extends the absolute end', () => {
  const record = new SdkRecordKeeper(installationRow({ expiresAt: LATER + MINUTE }))
  expect(record.present(FIRST, 'a', LATER).given?.expiresAt).toBe(LATER + MINUTE)
})

test('an agent that should rather be available: an old copy is refused with an alarm, and the installation goes on', () => {
  const { record, second } = rotated()
  record.settings = { ...record.settings, recovery: { ...record.settings.recovery, onClone: 'refuse_and_alert' } }
  const { outcome } = record.present(FIRST, 'b', LATER)
  expect(outcome).toMatchObject({ judgement: { kind: 'clone', locks: false }, incident: { kind: 'clone' }, installation: null })
  expect(record.present(second, 'c', LATER + SECOND)).toMatchObject({ kind: 'issue' })
})

test('a new key in a refresh is the key from then on, and a retry of that request by both keys gets the same bytes', () => {
  const { record, second } = rotated()
  const { given } = record.present(second, 'b', LATER, { nextKey: 'new key' })
  expect(record.installation).toMatchObject({ keyThumbprint: 'new key', previousThumbprints: [KEY], custody: 'keychain', keyCreatedAt: LATER })
  expect(record.present(second, 'b', LATER + 1, { key: KEY, nextKey: 'new key' })).toMatchObject({ kind: 'again', given })
  expect(record.present(second, 'b', LATER + 1, { key: 'new key' })).toMatchObject({ kind: 'again', given })
  expect(record.present(second, 'b', LATER + 1, { key: KEY }).kind).toBe('stranger')
  expect(record.present(second, 'b', LATER + 1, { key: KEY, nextKey: 'a third key' }).kind).toBe('stranger')
  expect(record.events.map(({ type }) => type)).toEqual(['installation.key_rotated'])
})

test('a copy that changes the key first does not pass for the machine: the key before it, with a token of its own and a proof of now, locks the installation', () => {
  for (const changes of [['the key of the thief'], ['the key of the thief', 'another key of the thief']]) {
    const { record, second } = rotated()
    let stolen = second
    for (const nextKey of changes) stolen = record.present(stolen, nextKey, LATER, { nextKey }).given ?? expect.fail()
    if (changes.length === 1) record.use(stolen.generation, LATER + SECOND)
    expect(record.present(second, 'd', LATER + HOUR, { key: KEY }).kind).toBe('clone')
    expect(record.installation).toMatchObject({ status: 'locked', lock: { code: 'clone', message: expect.stringContaining('before the one of now') } })
    expect(record.present(stolen, 'e', LATER + HOUR + 1)).toMatchObject({ code: 'installation_locked' })
    record.unlock(LATER + DAY)
    expect(record.present(second, 'f', LATER + HOUR + 2, { key: KEY }).kind).toBe('stranger')
    expect(record.installation.status).toBe('active')
  }
})

test('the key before the one of now moves nothing and locks nobody: with a proof from before it, a token that was not given for it, or after a re-key', () => {
  const { record, second } = rotated()
  const { given } = record.present(second, 'b', LATER, { nextKey: 'new key' })
  record.use(3, LATER + SECOND)
  const before = record.snapshot()
  expect(record.present(second, 'd', LATER + HOUR, { key: KEY, provenAt: LATER }).kind).toBe('stranger')
  expect(record.present(given ?? expect.fail(), 'd', LATER + HOUR, { key: KEY }).kind).toBe('stranger')
  expect(record.present({ generation: 99, attempt: 'never given' }, 'd', LATER + HOUR, { key: KEY }).kind).toBe('stranger')
  expect(record.snapshot()).toEqual(before)
  const rekeyed = rotated()
  rekeyed.record.present(FIRST, 'b', LATER)
  rekeyed.record.unlock(LATER + DAY)
  rekeyed.record.present(rekeyed.second, 'c', LATER + MINUTE, { nextKey: 'new key' })
  rekeyed.record.use(3, LATER + 2 * MINUTE)
  expect(rekeyed.record.present(rekeyed.second, 'd', LATER + DAY, { key: KEY }).kind).toBe('stranger')
  expect(rekeyed.record.installation.status).toBe('active')
})

test('the key before the one of now, a moment after another process of the machine changed it: told to read the file again, and nobody is locked', () => {
  const { record, second } = rotated()
  // The slot of the nonce begins between the two.
  const changedAt = LATER - SECOND
  record.present(second, 'b', changedAt, { nextKey: 'new key' })
  record.use(3, changedAt)
  const before = record.snapshot()
  for (const verb of ['refresh', 'recover'] as const)
    expect(record.present(second, 'd', changedAt + CROSSING_MS - 1, { key: KEY, verb, provenAt: LATER })).toMatchObject({
      code: 'reload_credentials',
      given: null,
    })
  expect(record.snapshot()).toEqual(before)
  expect(record.present(second, 'd', changedAt + CROSSING_MS, { key: KEY }).kind).toBe('clone')
})

test('a key that the installation had before does not come back as a new one, whoever asks for it', () => {
  const { record, second } = rotated()
  const { given } = record.present(second, 'b', LATER, { nextKey: 'new key' })
  record.use(3, LATER + 1)
  expect(record.present(given ?? second, 'c', LATER + HOUR, { key: 'new key', nextKey: KEY })).toMatchObject({ code: 'rekey_required' })
  expect(record.installation.keyThumbprint).toBe('new key')
})

test('"Unlock and re-key" asks for a new key, once; a key that was here before is none', () => {
  const { record, second } = rotated()
  record.present(FIRST, 'b', LATER)
  record.unlock(LATER + DAY)
  const at = LATER + MINUTE
  expect(record.present(second, 'c', at)).toMatchObject({ code: 'rekey_required' })
  expect(record.present(second, 'c', at, { nextKey: KEY })).toMatchObject({ code: 'rekey_required' })
  const { given } = record.present(second, 'c', at, { nextKey: 'new key' })
  expect(given).toMatchObject({ metadata: { source: 're_key' }, keyThumbprint: 'new key' })
  expect(given?.family).not.toBe(second.family)
  expect(record.installation.rekeyUntil).toBeNull()
  // The answer was lost.
  expect(record.present(second, 'c', at + 1, { key: KEY, nextKey: 'new key' })).toMatchObject({ kind: 'again', given })
  // The other holder of the old key.
  expect(record.present(second, 'd', at + 1, { key: KEY, nextKey: 'a third key' }).kind).toBe('stranger')
})

test('an unlock that nobody used in time leaves the installation cut off', () => {
  const { record, second } = rotated()
  record.present(FIRST, 'b', LATER)
  record.unlock(LATER + DAY)
  expect(record.present(second, 'c', LATER + DAY, { verb: 'recover', nextKey: 'new key' })).toMatchObject({ code: 'recovery_forbidden' })
})

test('a demand for approval is put once, polled by the same attempt, and spent by the recovery', () => {
  const { record, second } = rotated()
  record.settings = { ...record.settings, recovery: { ...record.settings.recovery, mode: 'approve' } }
  record.revoke({}, LATER)
  const ask = (attempt = 'b', at = LATER) => record.present(second, attempt, at, { verb: 'recover' })
  expect(ask().outcome).toMatchObject({ judgement: { kind: 'pending', why: 'mode' }, asks: { kind: 'recovery', attempt: 'b', status: 'pending' } })
  expect(ask('b', LATER + MINUTE).outcome).toMatchObject({ judgement: { kind: 'pending' }, asks: null, attempt: null, events: [] })
  record.decide('approved', LATER + 2 * MINUTE)
  expect(ask('another', LATER + 3 * MINUTE).outcome).toMatchObject({ judgement: { kind: 'pending' } })
  expect(ask('b', LATER + 3 * MINUTE).given?.metadata.recovery_reason).toBe('approved')
  expect(record.approvals.map(({ status }) => status)).toEqual(['used', 'pending'])
  expect(record.installation.recoveries).toEqual([])
})

test('a recovery that a person denied stays denied', () => {
  const { record, second } = rotated()
  record.settings = { ...record.settings, recovery: { ...record.settings.recovery, mode: 'approve' } }
  record.revoke({}, LATER)
  record.present(second, 'b', LATER, { verb: 'recover' })
  record.decide('denied', LATER)
  expect(record.present(second, 'b', LATER + DAY * 2, { verb: 'recover' })).toMatchObject({ code: 'recovery_denied' })
})

test('a client that asks in a loop leaves one row and one event in ten minutes', () => {
  const { record, second } = rotated()
  record.revoke({ class: 'owner_request' }, LATER)
  for (let count = 0; count < 100; count++) record.present(second, `try ${count}`, LATER + count * SECOND, { verb: 'recover' })
  expect(record.attempts).toHaveLength(1)
  expect(record.events.map(({ type }) => type)).toEqual(['recovery.denied'])
  record.present(second, 'later', LATER + HOUR, { verb: 'recover' })
  expect(record.attempts).toHaveLength(2)
})
