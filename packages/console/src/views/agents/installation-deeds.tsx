import { Lock, LockOpen, RefreshCw, ShieldAlert, Unplug } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import { useDeed } from '../../api/queries.ts'
import { Button } from '../../design/button.tsx'
import { Confirm } from '../../design/confirm.tsx'
import { SelectField, TextField } from '../../design/field.tsx'
import { tell } from '../../design/toasts.tsx'
import { DeedProblem } from '../parts/deed-problem.tsx'
import parts from '../parts/parts.module.css'
import type { InstallationDetails } from '../program-operations.ts'

const READS = [
  'GET /api/v1/installations/{id}',
  'GET /api/v1/installations',
  'GET /api/v1/installations/{id}/timeline',
  'GET /api/v1/installations/{id}/why',
  'GET /api/v1/agents/{id}/trust',
] as const
type Asked = 'cut-off' | 'lock' | 'unlock' | 'compromised'

const CLASSES = [
  { value: 'owner_request', text: 'It is not needed any more' },
  { value: 'offboarding', text: 'Its person left' },
] as const

/** Rotate, lock, unlock and re-key, cut off. What cannot be taken back asks first. */
export function InstallationDeeds({ installation }: { readonly installation: InstallationDetails }): ReactNode {
  const [asked, setAsked] = useState<Asked | null>(null)
  const { id, status } = installation
  const rotate = useDeed('POST /api/v1/installations/{id}/rotate', {
    refreshes: READS,
    onDone: () => tell('Rotated. The machine notices and goes on by itself.'),
  })
  if (status === 'retired') return null
  return (
    <>
      {status === 'locked' ? (
        <Button look="primary" icon={<LockOpen size={15} aria-hidden />} onClick={() => setAsked('unlock')}>
          Unlock and re-key
        </Button>
      ) : (
        <>
          <Button icon={<RefreshCw size={15} aria-hidden />} busy={rotate.isPending} onClick={() => rotate.mutate({ path: { id } })}>
            Rotate
          </Button>
          <Button icon={<Lock size={15} aria-hidden />} onClick={() => setAsked('lock')}>
            Lock
          </Button>
        </>
      )}
      <Button look="danger" icon={<Unplug size={15} aria-hidden />} onClick={() => setAsked('cut-off')}>
        Cut off
      </Button>
      <Button look="danger" icon={<ShieldAlert size={15} aria-hidden />} onClick={() => setAsked('compromised')}>
        Compromised
      </Button>
      <DeedProblem error={rotate.error} />
      <Asking key={asked ?? ''} asked={asked} installation={installation} onClose={() => setAsked(null)} />
    </>
  )
}

const WORDS: Readonly<Record<Asked, { readonly title: string; readonly action: string; readonly text: string; readonly danger: boolean }>> = {
  'cut-off': {
    title: 'Cut it off?',
    action: 'Cut off',
    danger: true,
    text: 'It ends at once and for good: nothing heals it, and only a new enrolment brings the machine back.',
  },
  compromised: {
    title: 'Mark it as compromised?',
    action: 'Mark as compromised',
    danger: true,
    text: 'Cut off and locked for good, with an incident that costs the agent trust. Whoever tries to recover with it afterwards raises an alarm.',
  },
  lock: { title: 'Lock it?', action: 'Lock', danger: true, text: 'Nothing of it works until somebody unlocks it, and then only with a new key.' },
  unlock: {
    title: 'Unlock and re-key?',
    action: 'Unlock and re-key',
    danger: false,
    text: 'One shot: within 24 hours the machine brings a new key beside a proof of its old one, and goes on. Do it only when you know why it was locked.',
  },
}

function Asking({
  asked,
  installation,
  onClose,
}: {
  readonly asked: Asked | null
  readonly installation: InstallationDetails
  readonly onClose: () => void
}): ReactNode {
  const [reason, setReason] = useState('')
  const [reasonClass, setReasonClass] = useState('owner_request')
  const done = (text: string) => ({
    refreshes: READS,
    onDone: () => {
      onClose()
      tell(text)
    },
  })
  const cutOff = useDeed('POST /api/v1/installations/{id}/cut-off', done(`${installation.name} is cut off.`))
  const compromised = useDeed('POST /api/v1/installations/{id}/compromised', done(`${installation.name} is cut off and an incident is open.`))
  const lock = useDeed('POST /api/v1/installations/{id}/lock', done(`${installation.name} is locked.`))
  const unlock = useDeed('POST /api/v1/installations/{id}/unlock', done('Unlocked. The machine has 24 hours to bring a new key.'))
  if (asked === null) return null
  const words = WORDS[asked]
  const path = { id: installation.id }
  const because = reason.trim() === '' ? {} : { reason: reason.trim() }
  const deeds = { 'cut-off': cutOff, compromised, lock, unlock }
  const run = (): void => {
    if (asked === 'cut-off') cutOff.mutate({ path, body: { ...because, reason_class: reasonClass } })
    if (asked === 'compromised') compromised.mutate({ path, body: because })
    if (asked === 'lock') lock.mutate({ path, body: because })
    if (asked === 'unlock') unlock.mutate({ path })
  }
  return (
    <Confirm
      open
      onClose={onClose}
      title={words.title}
      action={words.action}
      danger={words.danger}
      {...(asked === 'cut-off' || asked === 'compromised' ? { typed: installation.name } : {})}
      busy={deeds[asked].isPending}
      onConfirm={run}
    >
      <div className={parts['form']}>
        <p>{words.text}</p>
        {asked === 'cut-off' ? <SelectField label="Why" value={reasonClass} choices={CLASSES} onChange={setReasonClass} /> : null}
        {asked === 'unlock' ? null : <TextField label="For the record" value={reason} onChange={setReason} />}
        <DeedProblem error={deeds[asked].error} />
      </div>
    </Confirm>
  )
}
