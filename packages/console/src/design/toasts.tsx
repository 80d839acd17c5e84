import { CircleAlert, CircleCheck, X } from 'lucide-react'
import { type ReactNode, useEffect, useSyncExternalStore } from 'react'
import { problemOf } from '../api/problem.ts'
import { system } from '../system.ts'
import { Button, IconButton } from './button.tsx'
import { classes } from './class-names.ts'
import styles from './toasts.module.css'

interface Toast {
  readonly id: string
  readonly tone: 'good' | 'bad'
  readonly text: string
  readonly requestId: string | null
  /** A way back, for what can be undone. */
  readonly action?: { readonly text: string; readonly run: () => void }
}

/** Long enough to read and to reach; one with a way back stays longer (WCAG 2.2.1). Problems stay until they are closed. */
const SHOWN_MS = 6_000
const UNDO_MS = 20_000
const MOST = 4

let shown: readonly Toast[] = []
const listeners = new Set<() => void>()

function set(next: readonly Toast[]): void {
  shown = next.slice(-MOST)
  for (const listener of listeners) listener()
}

/** Says that something was done. */
export function tell(text: string, action?: Toast['action']): void {
  set([...shown, { id: system.uuid(), tone: 'good', text, requestId: null, ...(action === undefined ? {} : { action }) }])
}

/** Says that something was not done, in the server's words. */
export function tellProblem(error: unknown): void {
  const { detail, requestId } = problemOf(error)
  set([...shown, { id: system.uuid(), tone: 'bad', text: detail, requestId }])
}

/** Says that something was not done, and offers the way out. */
export function tellWayOut(text: string, action: NonNullable<Toast['action']>): void {
  set([...shown, { id: system.uuid(), tone: 'bad', text, requestId: null, action }])
}

const dismiss = (id: string): void => set(shown.filter((toast) => toast.id !== id))

const subscribe = (listener: () => void): (() => void) => {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

function List(): ReactNode {
  return useSyncExternalStore(subscribe, () => shown).map((toast) => <OneToast key={toast.id} toast={toast} />)
}

/** The corner where they appear: a live region that is always there, so that screen readers announce what comes. */
export function Toasts(): ReactNode {
  return (
    <section className={styles['corner']} aria-label="Notifications" aria-live="polite">
      <List />
    </section>
  )
}

/** The same inside of a modal dialog: what stands outside of it is behind its veil, cannot be pressed and is not announced. */
export function ToastsOverDialog(): ReactNode {
  return (
    <div className={styles['corner']} aria-live="polite">
      <List />
    </div>
  )
}

function OneToast({ toast }: { readonly toast: Toast }): ReactNode {
  const { id, tone, text, requestId, action } = toast
  useEffect(() => (tone === 'bad' ? undefined : system.after(action === undefined ? SHOWN_MS : UNDO_MS, () => dismiss(id))), [id, tone, action])
  return (
    <div className={classes(styles['toast'], styles[tone])}>
      {tone === 'good' ? <CircleCheck size={16} aria-hidden /> : <CircleAlert size={16} aria-hidden />}
      <div>
        <p>{text}</p>
        {requestId === null ? null : (
          <p className={styles['request']}>
            Request <code>{requestId}</code>
          </p>
        )}
      </div>
      {action === undefined ? null : (
        <Button
          small
          onClick={() => {
            dismiss(id)
            action.run()
          }}
        >
          {action.text}
        </Button>
      )}
      <IconButton small label="Dismiss" onClick={() => dismiss(id)}>
        <X size={14} aria-hidden />
      </IconButton>
    </div>
  )
}
