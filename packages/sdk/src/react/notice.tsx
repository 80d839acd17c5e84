import { type ReactElement, useEffect, useState } from 'react'
import type { ClassNames } from './class-names.ts'
import type { Action, Incident, Step } from './incident.ts'
import type { Kit } from './kit.ts'
import type { NoticeProps, Setting } from './setting.ts'
import { COUNT_MS } from './words.ts'

interface Props extends NoticeProps {
  readonly kit: Kit
}

/** One incident: icon, what it means, and the one next step. */
export function Notice({ kit, incident, reconnect, link, onDismiss, classNames, as: Root = 'div', id, alert }: Props): ReactElement {
  const { Icon, classOf, useSetting } = kit
  const setting = useSetting()
  const { labels, Link } = setting
  const does = stepsOf(setting, { incident, reconnect, link, onDismiss })
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
            <StepButton
              key={action.step}
              Link={Link}
              action={action}
              does={does(action.step)}
              className={action === primary ? css('primary') : css('secondary')}
            />
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

interface StepProps extends Pick<Setting, 'Link'> {
  readonly action: Action
  readonly does: Doing
  readonly className: string
}

function StepButton({ Link, action, does, className }: StepProps): ReactElement {
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

function stepsOf({ client, actions }: Setting, { incident, reconnect, link, onDismiss }: NoticeProps): (step: Step) => Doing {
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
