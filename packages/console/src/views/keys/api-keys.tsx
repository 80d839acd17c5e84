import { Plus } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import type { Answer } from '../../api/operations.ts'
import { useApi, useDeed } from '../../api/queries.ts'
import { Button } from '../../design/button.tsx'
import { Card } from '../../design/card.tsx'
import { Confirm } from '../../design/confirm.tsx'
import { CheckField } from '../../design/field.tsx'
import { Badge } from '../../design/state.tsx'
import { Answered, Empty } from '../../design/states.tsx'
import { tell } from '../../design/toasts.tsx'
import { Time } from '../../time/time.tsx'
import { useNow } from '../../time/use-now.ts'
import { DeedProblem } from '../parts/deed-problem.tsx'
import { Once } from '../parts/once.tsx'
import parts from '../parts/parts.module.css'
import { Rows } from '../parts/rows.tsx'
import { NewKey } from './new-key.tsx'
import { RotateKey } from './rotate-key.tsx'

type ApiKey = Answer<'GET /api/v1/api-keys'>['items'][number]
const KEYS = ['GET /api/v1/api-keys'] as const
const MINUTE_MS = 60_000

type KeyState = 'works' | 'overlap' | 'over' | 'revoked'

/** `overlap`: a successor is there, and this one goes on until its end. */
export function keyState(key: ApiKey, keys: readonly ApiKey[], now: number): KeyState {
  if (key.revoked_at !== null) return 'revoked'
  if (key.expires_at !== null && Date.parse(key.expires_at) <= now) return 'over'
  return keys.some(({ replaces }) => replaces === key.id) ? 'overlap' : 'works'
}

/** Keys of backends: made once, rotated with an overlap, revoked at once. */
export function ApiKeys(): ReactNode {
  const query = useApi('GET /api/v1/api-keys')
  const now = useNow(MINUTE_MS)
  const [making, setMaking] = useState(false)
  const [all, setAll] = useState(false)
  const [rotating, setRotating] = useState<ApiKey | null>(null)
  const [revoking, setRevoking] = useState<ApiKey | null>(null)
  const [secret, setSecret] = useState<string | null>(null)
  const make = (
    <Button look="primary" small icon={<Plus size={14} aria-hidden />} onClick={() => setMaking(true)}>
      New key
    </Button>
  )
  return (
    <Card title="API keys" flush actions={make}>
      <Answered query={query}>
        {({ items }) => {
          const shown = items.filter((key) => all || !['over', 'revoked'].includes(keyState(key, items, now)))
          return (
            <>
              <div className={parts['bar']}>
                <CheckField asSwitch label="With those that are over" checked={all} onChange={setAll} />
              </div>
              {shown.length === 0 ? (
                <Empty title={items.length === 0 ? 'No key yet' : 'No key works any more'} action={make}>
                  <p>Your backend needs one to read tokens and to start connect flows.</p>
                </Empty>
              ) : (
                <KeyRows keys={shown} all={items} now={now} onRotate={setRotating} onRevoke={setRevoking} />
              )}
            </>
          )
        }}
      </Answered>
      {making ? <NewKey onClose={() => setMaking(false)} onMade={setSecret} /> : null}
      {rotating === null ? null : <RotateKey apiKey={rotating} onClose={() => setRotating(null)} onMade={setSecret} />}
      {revoking === null ? null : <RevokeKey apiKey={revoking} onClose={() => setRevoking(null)} />}
      <Once
        title="The new key"
        lead="Give it to your backend as an environment variable, never to a browser."
        secret={secret}
        onClose={() => setSecret(null)}
      />
    </Card>
  )
}

interface KeyRowsProps {
  readonly keys: readonly ApiKey[]
  readonly all: readonly ApiKey[]
  readonly now: number
  readonly onRotate: (key: ApiKey) => void
  readonly onRevoke: (key: ApiKey) => void
}

const STATES = {
  works: { tone: 'good', text: 'Works' },
  overlap: { tone: 'warn', text: 'Being replaced' },
  over: { tone: 'quiet', text: 'Over' },
  revoked: { tone: 'quiet', text: 'Revoked' },
} as const

function KeyRows({ keys, all, now, onRotate, onRevoke }: KeyRowsProps): ReactNode {
  return (
    <Rows
      label="API keys"
      items={keys}
      keyOf={({ id }) => id}
      columns={[
        {
          name: 'Key',
          cell: (key) => (
            <>
              {key.name} <code className={parts['soft']}>{key.hint}…</code>
            </>
          ),
        },
        {
          name: 'State',
          cell: (key) => {
            const state = keyState(key, all, now)
            const { tone, text } = STATES[state]
            return (
              <>
                <Badge tone={tone}>{text}</Badge>
                {state === 'overlap' && key.last_used_at !== null ? <span className={parts['soft']}> still used</span> : null}
              </>
            )
          },
        },
        {
          name: 'May',
          cell: ({ scopes }) => (
            <span className={parts['words']}>
              {scopes.map((scope) => (
                <span key={scope} className={parts['tag']}>
                  {scope}
                </span>
              ))}
            </span>
          ),
        },
        { name: 'Last used', cell: ({ last_used_at: at }) => <Time at={at} /> },
        { name: 'Ends', cell: ({ expires_at: at }) => <Time at={at} /> },
        {
          name: 'Deeds',
          deeds: true,
          cell: (key) => {
            const state = keyState(key, all, now)
            return state === 'over' || state === 'revoked' ? null : (
              <>
                {state === 'works' ? (
                  <Button small aria-label={`Rotate ${key.name}`} onClick={() => onRotate(key)}>
                    Rotate
                  </Button>
                ) : null}
                <Button small look="danger" aria-label={`Revoke ${key.name}`} onClick={() => onRevoke(key)}>
                  Revoke
                </Button>
              </>
            )
          },
        },
      ]}
    />
  )
}

function RevokeKey({ apiKey, onClose }: { readonly apiKey: ApiKey; readonly onClose: () => void }): ReactNode {
  const revoke = useDeed('DELETE /api/v1/api-keys/{id}', {
    refreshes: KEYS,
    onDone: () => {
      onClose()
      tell('The key is revoked, on all nodes within a second.')
    },
  })
  return (
    <Confirm
      open
      onClose={onClose}
      title={`Revoke ${apiKey.name}?`}
      action="Revoke the key"
      danger
      busy={revoke.isPending}
      onConfirm={() => revoke.mutate({ path: { id: apiKey.id } })}
    >
      <p>Whoever still uses it is refused at once. To change a key without a stop, rotate it.</p>
      <p>
        Last used: <Time at={apiKey.last_used_at} as="both" />
      </p>
      <DeedProblem error={revoke.error} />
    </Confirm>
  )
}
