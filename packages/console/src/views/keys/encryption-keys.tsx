import type { ReactNode } from 'react'
import { useApi, useDeed } from '../../api/queries.ts'
import { Button } from '../../design/button.tsx'
import { Card } from '../../design/card.tsx'
import { CopyBox } from '../../design/copy.tsx'
import { Badge, type Tone } from '../../design/state.tsx'
import { Answered, Empty, Note } from '../../design/states.tsx'
import { tell } from '../../design/toasts.tsx'
import { Time } from '../../time/time.tsx'
import { countWords, numberWords } from '../../time/words.ts'
import type { MasterKeys, ResealRecord } from '../operate-operations.ts'
import { DeedProblem } from '../parts/deed-problem.tsx'
import parts from '../parts/parts.module.css'
import { Rows } from '../parts/rows.tsx'
import { resealWords, useResealProgress } from './reseal-progress.ts'

const EVERY_MS = 10_000
const STATES: Readonly<Record<string, { readonly text: string; readonly tone: Tone }>> = {
  seals: { text: 'Seals what is new', tone: 'good' },
  waits: { text: 'Waits for every node', tone: 'warn' },
  opens: { text: 'Opens what is old', tone: 'quiet' },
  missing: { text: 'Missing', tone: 'bad' },
}

/** Master keys that seal what is stored, how much each still seals, and how far re-sealing is. */
export function EncryptionKeysCard(): ReactNode {
  const query = useApi('GET /api/v1/admin/keys', {}, { every: EVERY_MS })
  return (
    <Card title="Encryption keys" note="By id. The keys themselves never leave the server's configuration." flush>
      <Answered query={query} rows={3}>
        {(answer) => <Keys answer={answer} />}
      </Answered>
    </Card>
  )
}

function Keys({ answer: { keys, nodes, reseal: known, complete, counted_at: countedAt } }: { readonly answer: MasterKeys }): ReactNode {
  const reseal = useResealProgress(known)
  const going = reseal !== null && reseal.finished_at === null
  const first = keys[0]
  const lacking = nodes.filter((node) => node.alive && first !== undefined && node.keys?.includes(first.id) !== true)
  return (
    <>
      {going ? <Progress reseal={reseal} /> : null}
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
            { name: 'In journals', number: true, cell: ({ journal }) => numberWords(journal) },
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
      {lacking.length === 0 || first === undefined ? null : (
        <Note tone="warn" title={`${first.id} is not on every node yet`}>
          <p>It seals as soon as these have it: {lacking.map(({ id }) => id).join(', ')}.</p>
        </Note>
      )}
      {going ? null : <Older keys={keys} ready={lacking.length === 0} />}
    </>
  )
}

function Older({ keys, ready }: { readonly keys: MasterKeys['keys']; readonly ready: boolean }): ReactNode {
  const begin = useDeed('POST /api/v1/admin/keys/reseal', {
    refreshes: ['GET /api/v1/admin/keys'],
    onDone: () => tell('Sealing anew has begun. It goes on on the server, whatever becomes of this page.'),
  })
  const old = keys.slice(1).filter(({ state, values }) => state !== 'missing' && values > 0)
  const spare = keys.slice(1).filter(({ state, values, journal }) => state === 'opens' && values + journal === 0)
  if (old.length === 0) return spare.length === 0 ? null : <Spare id={spare[0]?.id ?? ''} />
  const count = old.reduce((sum, { values }) => sum + values, 0)
  return (
    <div className={parts['bar']}>
      <div className={parts['grow']}>
        <Note title={`${countWords(count, 'value is', 'values are')} sealed with an older key`}>
          <p>Seal them anew on the server; it works while everything runs, and can be interrupted. A key that still seals something cannot be taken away.</p>
        </Note>
        <DeedProblem error={begin.error} />
      </div>
      <Button look="primary" busy={begin.isPending} disabled={!ready} onClick={() => begin.mutate({})}>
        Seal anew
      </Button>
    </div>
  )
}

function Spare({ id }: { readonly id: string }): ReactNode {
  return (
    <div className={parts['bar']}>
      <div className={parts['grow']}>
        <Note title={`${id} seals nothing any more`}>
          <p>It can be taken away. Keep a copy as long as you keep backups from before.</p>
        </Note>
        <CopyBox text={`evergrant keys remove ${id}`} label="the command" />
      </div>
    </div>
  )
}

function Progress({ reseal }: { readonly reseal: ResealRecord }): ReactNode {
  return (
    <div className={parts['bar']}>
      <label className={parts['grow']}>
        Sealing anew with <code>{reseal.key}</code>: {resealWords(reseal, numberWords)}
        <progress className={parts['meter']} {...(reseal.total === null ? {} : { value: reseal.done, max: Math.max(1, reseal.total) })} />
      </label>
    </div>
  )
}
