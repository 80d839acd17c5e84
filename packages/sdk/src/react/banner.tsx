import { type ReactNode, useRef } from 'react'
import { classOf } from './class-names.ts'
import { type BannerProps, useSetting } from './setting.ts'

/**
 * Everything that needs attention, the worst first, each with its next step. One for the whole application: it is its live region for screen readers,
 * so it stays in the page, empty, while all is well.
 */
export function ConnectionStatusBanner(props: BannerProps): ReactNode {
  const { labels, messages } = useSetting()
  const region = useRef<HTMLDivElement>(null)
  return (
    <div ref={region} tabIndex={-1} role="status" aria-label={labels.region} className={classOf('banner', props.classNames)}>
      {messages && <messages.Incidents {...props} region={region} />}
    </div>
  )
}
