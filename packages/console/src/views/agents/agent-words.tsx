import { Ban, CircleCheck, CirclePause, Clock, Lock, ShieldAlert, Unplug } from 'lucide-react'
import type { ReactNode } from 'react'
import type { Answer } from '../../api/operations.ts'
import { Badge, type Tone } from '../../design/state.tsx'

export type Agent = Answer<'GET /api/v1/agents/{id}'>
export type ListedAgent = Answer<'GET /api/v1/agents'>['items'][number]
export type Selector = Agent['policy']['connections'][number]

interface Words {
  readonly text: string
  readonly tone: Tone
  readonly icon: typeof CircleCheck
  readonly explained: string
}

const AGENT: Readonly<Record<string, Words>> = {
  pending: { text: 'Pending', tone: 'warn', icon: Clock, explained: 'No key is proven yet, or its owner has not accepted it. It can do nothing.' },
  verified: { text: 'Verified', tone: 'good', icon: CircleCheck, explained: 'Its key is proven and its owner accepted it.' },
  suspended: { text: 'Suspended', tone: 'quiet', icon: CirclePause, explained: 'Nothing works; everything comes back when it is resumed.' },
  revoked: { text: 'Revoked', tone: 'bad', icon: Ban, explained: 'Over for good.' },
}
const INSTALLATION: Readonly<Record<string, Words>> = {
  active: { text: 'Active', tone: 'good', icon: CircleCheck, explained: 'It works and renews itself.' },
  recovery_blocked: { text: 'Healing is off', tone: 'warn', icon: ShieldAlert, explained: 'It works, and would not recover by itself.' },
  locked: { text: 'Locked', tone: 'bad', icon: Lock, explained: 'Nothing of it works until somebody unlocks it, and then only with a new key.' },
  retired: { text: 'Cut off', tone: 'quiet', icon: Unplug, explained: 'Over for good. Only a new enrolment brings the machine back.' },
}

function StateBadge({ words, status }: { readonly words: Words | undefined; readonly status: string }): ReactNode {
  if (words === undefined) return <Badge tone="quiet">{status}</Badge>
  return (
    <Badge tone={words.tone} icon={words.icon} title={words.explained}>
      {words.text}
    </Badge>
  )
}

export const AgentState = ({ status }: { readonly status: string }): ReactNode => <StateBadge words={AGENT[status]} status={status} />
export const InstallationState = ({ status }: { readonly status: string }): ReactNode => <StateBadge words={INSTALLATION[status]} status={status} />

export const MODES = [
  { value: 'standard', text: 'Standard: a few in a window, with a growing pause' },
  { value: 'relaxed', text: 'Relaxed: only the pause, for machines that are often off' },
  { value: 'approve', text: 'A person decides each time' },
  { value: 'off', text: 'Off: never by itself' },
] as const

export const modeWords = (mode: string): string => MODES.find(({ value }) => value === mode)?.text ?? mode
