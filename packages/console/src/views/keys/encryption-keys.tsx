import type { ReactNode } from 'react'
import { useApi } from '../../api/queries.ts'
import { Card } from '../../design/card.tsx'
import { CopyBox } from '../../design/copy.tsx'
import { Badge, type Tone } from '../../design/state.tsx'
import { Answered, Empty, Note } from '../../design/states.tsx'
import { Time } from '../../time/time.tsx'
import { countWords, numberWords } from '../../time/words.ts'
import type { EncryptionKeys } from '../operate-operations.ts'
import parts from '../parts/parts.module.css'
import { Rows } from '../parts/rows.tsx'

const EVERY_MS = 10_000
const STATES: Readonly<Record<string, { readonly text: string; readonly tone: Tone }>> = {
  seals: { text: 'Seals what is new', tone: 'good' },
  opens: { text: 'Opens what is old', tone: 'quiet' },
  missing: { text: 'Missing', tone: 'bad' },
}

/** Master keys that seal what is stored, how much each still seals, and how far re-sealing is. */
export function EncryptionKeysCard(): ReactNode {
  const query = useApi('GET /api/v1/keys/encryption', {}, { every: EVERY_MS })
  return (
    <Card title="Encryption keys" note="By id. The keys themselves never leave the server's configuration." flush>
      <Answered query={query} rows={3}>
        {(answer) => <Keys answer={answer} />}
      </Answered>
    </Card>
  )
}

function Keys({ answer: { keys, reseal, complete, counted_at: countedAt } }: { readonly answer: EncryptionKeys }): ReactNode {
  const old = keys.filter(({ state, values }) => state !== 'seals' && values > 0)
  return (
    <>
      {reseal.done >= reseal.total ? null : <Progress reseal={reseal} />}
      {keys.length === 0 ? (
        <Empty title="No key is known" />
      ) : (
        <Rows
          label="Encryption keys"
          items={keys}
          keyOf={({ id }) => id}
          columns={[
            { name: 'Key', cell: ({ id }) => <code>{id}</code> },
            { name: 'State', cell: ({ state }) => <Badge tone={STATES[state]?.tone ?? 'quiet'}>{STATES[state]?.text ?? state}</Badge> },
            { name: 'Values it seals', number: true, cell: ({ values }) => numberWords(values) },
          ]}
        />
      )}
      <p className={parts['bar']}>
        {complete ? (
          <span className={parts['soft']}>
            Counted <Time at={countedAt} none="now" />.
          </span>
        ) : (
          'Still counting; the numbers grow.'
        )}
      </p>
      {keys.some(({ state }) => state === 'missing') ? (
        <Note tone="bad" title="A key is missing">
          <p>What it seals cannot be opened until it is back in EVERGRANT_MASTER_KEYS on every node. Nothing is lost meanwhile.</p>
        </Note>
      ) : null}
      {old.length === 0 ? null : (
        <div className={parts['bar']}>
          <div className={parts['grow']}>
            <Note
              title={`${countWords(
                old.reduce((sum, { values }) => sum + values, 0),
                'value is',
                'values are',
              )} sealed with an older key`}
            >
              <p>Re-seal them on the server; it works while everything runs, and can be interrupted. A key that still seals something cannot be retired.</p>
            </Note>
            <CopyBox text="evergrant keys rotate" label="the command" />
          </div>
        </div>
      )}
    </>
  )
}

function Progress({ reseal: { done, total } }: { readonly reseal: EncryptionKeys['reseal'] }): ReactNode {
  return (
    <div className={parts['bar']}>
      <label className={parts['grow']}>
        Re-sealing: {numberWords(done)} of {numberWords(total)}
        <progress className={parts['meter']} value={done} max={total} />
      </label>
    </div>
  )
}
