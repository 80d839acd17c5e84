import { type ReactElement, useEffect, useState } from 'react'
import { type ClassNames, classOf } from './class-names.ts'

import { Icon } from './icons.tsx'
import type { Action, Incident, Step } from './incidents.ts'
import { useSetting } from './provider.tsx'
import type { ReconnectView } from './reconnect.ts'
import { COUNT_MS } from './words.ts'

interface Props {
  readonly incident: Incident
  readonly reconnect?: ReconnectView | undefined
  /** Where to reconnect when there is no `reconnect`. */
  readonly link?: string | null | undefined
  readonly onDismiss?: (() => void) | undefined
  readonly classNames?: ClassNames | undefined
  readonly as?: 'div' | 'li'
  readonly id?: string
  /** What the person just did has failed: said at once, instead of when there is a pause. */
  readonly alert?: boolean
}

/** One incident: icon, what it means, and the one next step. */
export function Notice({ incident, reconnect, link, onDismiss, classNames, as: Root = 'div', id, alert }: Props): ReactElement {
  const { labels } = useSetting()
  const does = useSteps({ incident, reconnect, link, onDismiss })
  const css = (part: keyof ClassNames): string => classOf(part, classNames)
  const { title, body, tone, code, timed, primary, secondary } = incident
  // For the first moments offline there is nothing to press: it mends itself mostly.
  const late = useLate(code === 'client_offline')
  const details = secondary?.step === 'details' ? secondary.label : null
  const steps = [...(primary && late ? [primary] : []), ...(secondary ? [secondary] : [])].filter(({ step }) => does(step) !== null)
  return (
    <Root className={css('incident')} data-tone={tone} data-code={code} {...(alert && { role: 'alert' })}>
      <Icon name={tone} className={css('icon')} />
      <div className={css('text')} id={id}>
        <p className={css('title')}>{title}</p>
        {body !== '' && (
          // A text that counts down is read once, and not every ten seconds again.
          <p className={css('body')} {...(timed && { 'aria-live': 'off' })}>
            {body}
          </p>
        )}
        {details !== null && (
          <details className={css('details')}>
            <summary>{details}</summary>
            <code>{referenceOf(incident)}</code>
          </details>
        )}
      </div>
      {onDismiss !== undefined && secondary?.step !== 'dismiss' && (
        <button type="button" className={css('dismiss')} aria-label={`${labels.dismiss}: ${title}`} onClick={onDismiss}>
          <span aria-hidden="true">×</span>
        </button>
      )}
      {steps.length > 0 && (
        <div className={css('actions')}>
          {steps.map((action) => (
            <StepButton key={action.step} action={action} does={does(action.step)} className={action === primary ? css('primary') : css('secondary')} />
          ))}
        </div>
      )}
    </Root>
  )
}

/** What a person can tell those who look into it. */
const referenceOf = ({ code, connection }: Incident): string => `${code} ${connection?.id ?? ''}`.trim()

/** An address to go to, something to do, or null where it cannot be done. */
type Doing = string | (() => void) | null

function StepButton({ action, does, className }: { readonly action: Action; readonly does: Doing; readonly className: string }): ReactElement {
  const { Link } = useSetting()
  if (typeof does === 'string') {
    return (
      <Link href={does} className={className}>
        {action.label}
      </Link>
    )
  }
  return (
    <button type="button" className={className} onClick={() => does?.()}>
      {action.label}
    </button>
  )
}

function useSteps({ incident, reconnect, link, onDismiss }: Pick<Props, 'incident' | 'reconnect' | 'link' | 'onDismiss'>): (step: Step) => Doing {
  const { client, actions } = useSetting()
  const { connection } = incident
  const url = link ?? connection?.reconnect_url ?? null
  const copy = (text: string | null): Doing => (text === null ? null : () => void navigator.clipboard?.writeText(text))
  return (step) => {
    switch (step) {
      case 'reconnect':
        return reconnect ? () => reconnect.reconnect() : url
      case 'same_tab':
        return reconnect?.url ?? (reconnect ? () => reconnect.reconnect({ target: 'tab' }) : url)
      case 'cancel':
        return reconnect?.cancel ?? null
      case 'retry':
        return () => void client.refresh({ force: true })
      case 'dismiss':
        return onDismiss ?? null
      case 'copy_link':
        return copy(url)
      case 'copy_details':
        return copy(referenceOf(incident))
      case 'details':
        return null
      default: {
        const action = actions[step]
        return typeof action === 'function' ? () => action(incident) : (action ?? null)
      }
    }
  }
}

function useLate(waits: boolean): boolean {
  const [late, setLate] = useState(!waits)
  useEffect(() => {
    setLate(!waits)
    const timer = setTimeout(setLate, COUNT_MS, true)
    return () => clearTimeout(timer)
  }, [waits])
  return late
}
