import { type ReactNode, useEffect, useId, useRef } from 'react'
import styles from './tabs.module.css'

export interface Tab {
  readonly value: string
  readonly text: ReactNode
  /** Drawn only while it is the chosen one. */
  readonly content: () => ReactNode
}

/** Tabs with arrows between them (WAI-ARIA). Which one is chosen belongs in the address, so it comes from outside. */
export function Tabs({
  label,
  value,
  tabs,
  onChange,
}: {
  readonly label: string
  readonly value: string
  readonly tabs: readonly Tab[]
  readonly onChange: (value: string) => void
}): ReactNode {
  const id = useId()
  const row = useRef<HTMLDivElement>(null)
  const chosen = tabs.find((tab) => tab.value === value) ?? tabs[0]
  const shown = chosen?.value
  // On a narrow screen the row scrolls: whoever comes by a link sees where they are.
  useEffect(() => {
    const tab = row.current?.querySelector<HTMLElement>(`[data-tab="${shown}"]`)
    if (row.current !== null && tab) row.current.scrollLeft = tab.offsetLeft - row.current.offsetLeft - (row.current.clientWidth - tab.clientWidth) / 2
  }, [shown])
  const go = (to: number): void => {
    const tab = tabs[(to + tabs.length) % tabs.length]
    if (tab === undefined) return
    onChange(tab.value)
    row.current?.querySelector<HTMLElement>(`[data-tab="${tab.value}"]`)?.focus()
  }
  return (
    <div>
      <div
        ref={row}
        role="tablist"
        tabIndex={-1}
        aria-label={label}
        className={styles['row']}
        onKeyDown={(event) => {
          const at = tabs.findIndex((tab) => tab.value === chosen?.value)
          if (event.key === 'ArrowRight') go(at + 1)
          if (event.key === 'ArrowLeft') go(at - 1)
          if (event.key === 'Home') go(0)
          if (event.key === 'End') go(tabs.length - 1)
        }}
      >
        {tabs.map((tab) => (
          <button
            key={tab.value}
            type="button"
            role="tab"
            id={`${id}-${tab.value}`}
            data-tab={tab.value}
            aria-selected={tab.value === chosen?.value}
            aria-controls={`${id}-panel`}
            tabIndex={tab.value === chosen?.value ? 0 : -1}
            className={styles['tab']}
            onClick={() => onChange(tab.value)}
          >
            {tab.text}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${chosen?.value}`} className={styles['panel']}>
        {chosen?.content()}
      </div>
    </div>
  )
}
